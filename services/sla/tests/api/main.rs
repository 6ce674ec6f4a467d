//! The service-level clock: its golden cases, its properties, and every switch of the clocks.

mod case;
mod definitions;
mod desk;
mod golden;
mod properties;
mod replicas;
mod service;
mod totals;
mod zones;
