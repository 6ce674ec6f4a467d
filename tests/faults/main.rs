//! Faults: real processes, killed and cut off under load, and nothing acknowledged is lost.

mod kills;
mod load;
mod outage;
mod proof;
mod round;
