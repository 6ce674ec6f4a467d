//! Service delivery: what was agreed, and clocks that say how it is kept (ISO/IEC 20000-1:2018, 8.3.3).
//!
//! The clock itself is [`measure::measure`], a pure function. Everything else brings it what it needs:
//! [`listening`] turns the events of other services into moments, the definition `clock` keeps them
//! and says what became of it, [`http`] shows it.

mod agreed;
mod agreements;
pub mod case;
mod downtime;
pub mod explain;
pub mod figures;
mod http;
mod listening;
mod matrix;
pub mod measure;
mod memory;
pub mod reading;
pub mod support;
pub mod terms;
pub mod totals;
mod workload;

use chassis::Service;
use engine::Schemes;
use serde_json::{Value, json};

pub use agreements::{Agreement, Agreements};
pub use listening::{Neighbour, heard};

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 14] = [
    ("service.v1.yaml", include_str!("../processes/service.v1.yaml")),
    ("agreement.v1.yaml", include_str!("../processes/agreement.v1.yaml")),
    ("clock.v1.yaml", include_str!("../processes/clock.v1.yaml")),
    ("breach.v1.yaml", include_str!("../processes/breach.v1.yaml")),
    ("notice.v1.yaml", include_str!("../processes/notice.v1.yaml")),
    ("period.v1.yaml", include_str!("../processes/period.v1.yaml")),
    ("result.v1.yaml", include_str!("../processes/result.v1.yaml")),
    ("report.v1.yaml", include_str!("../processes/report.v1.yaml")),
    ("outage.v1.yaml", include_str!("../processes/outage.v1.yaml")),
    ("capacity_item.v1.yaml", include_str!("../processes/capacity_item.v1.yaml")),
    ("forecast.v1.yaml", include_str!("../processes/forecast.v1.yaml")),
    ("continuity_plan.v1.yaml", include_str!("../processes/continuity_plan.v1.yaml")),
    ("budget_period.v1.yaml", include_str!("../processes/budget_period.v1.yaml")),
    ("activity_pattern.v1.yaml", include_str!("../processes/activity_pattern.v1.yaml")),
];

/// The calendars and lists that ship with this service.
pub const SCHEMES: [(&str, &str); 4] = [
    ("cost_type.v1.yaml", include_str!("../schemes/cost_type.v1.yaml")),
    ("service_hours.v1.yaml", include_str!("../schemes/service_hours.v1.yaml")),
    ("spending_limit.v1.yaml", include_str!("../schemes/spending_limit.v1.yaml")),
    ("split_shift.v1.yaml", include_str!("../schemes/split_shift.v1.yaml")),
];

/// What the definitions leave to this service's code.
pub const CALCULATIONS: [(&str, engine::Calculation); 10] = [
    ("clock", reading::clock),
    ("target_faults", target_faults),
    ("gaps", support::gaps),
    ("agreed", agreed::agreed),
    ("next_hours", agreed::next_hours),
    ("is_new", memory::is_new),
    ("with", memory::with),
    ("latest", memory::latest),
    ("minutes_within", downtime::minutes_within),
    ("still_allowed", downtime::still_allowed),
];

/// The consumer of INCIDENT; a new name would hear all history again.
const INCIDENTS: &str = "sla-incidents";

/// The consumer of INCIDENT for what is not measured: outages begin and end with incidents.
const OUTAGES: &str = "sla-outages";

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    Service::named("sla")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .calculates(CALCULATIONS)
        .interprets("incident", INCIDENTS, listening::Listening::default())
        .hears("incident", OUTAGES)
        .hears("change", "sla-changes")
        .hears("governance", "sla-governance")
        .shows("clock", reading::show)
        .counts("clock", totals::COUNTING)
        .opens_itself("period")
        .routes(&["catalogue"], http::document(), http::router)
}

/// The calculation `target_faults(targets)`: what keeps targets from being measured.
fn target_faults(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [targets] = given else { return Err("it takes the targets".to_owned()) };
    Ok(json!(terms::faults(targets, schemes)))
}
