//! Stories: the whole platform, driven over HTTP as its users drive it.

mod access;
mod alertmanager;
mod alerts;
mod bodies;
mod clocks;
mod document;
mod incident;
mod links;
mod records;
mod replay;
mod servicenow;
mod storm;
