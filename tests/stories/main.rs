//! Stories: the whole platform, driven over HTTP as its users drive it.

mod access;
mod agreements;
mod alertmanager;
mod alerts;
mod bodies;
mod catalogue;
mod changes;
mod children;
mod clocks;
mod desk;
mod document;
mod duties;
mod erasure;
mod figures;
mod flows;
mod hands;
mod incident;
mod links;
mod notifications;
mod promises;
mod quality;
mod records;
mod replay;
mod seals;
mod servicenow;
mod storm;
