//! One binary that runs every service: the launcher, `serve`, and the tools.
