//! The record API of a started service, in process, on a real database.

mod desk;
mod records;
