//! Stories: the whole platform, driven over HTTP as its users drive it.

mod servicenow;
