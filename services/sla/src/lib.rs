//! Service delivery: what was agreed, and clocks that say how it is kept (ISO/IEC 20000-1:2018, 8.3.3).

pub mod case;
pub mod explain;
pub mod measure;
pub mod reading;
pub mod terms;
