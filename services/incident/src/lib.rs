//! Resolution and fulfilment: alerts, incidents, requests, problems and what is known of them (ISO/IEC
//! 20000-1:2018, 7.6 and 8.6).

mod brought;
mod signals;
mod totals;

pub use brought::errors_of_a_release;
use chassis::{Heard, Parts, Service};
pub use signals::{fate, happening_of};

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 8] = [
    ("alert.v1.yaml", include_str!("../processes/alert.v1.yaml")),
    ("incident.v1.yaml", include_str!("../processes/incident.v1.yaml")),
    ("major_incident.v1.yaml", include_str!("../processes/major_incident.v1.yaml")),
    ("request.v1.yaml", include_str!("../processes/request.v1.yaml")),
    ("problem.v1.yaml", include_str!("../processes/problem.v1.yaml")),
    ("known_error.v1.yaml", include_str!("../processes/known_error.v1.yaml")),
    ("recurrence.v1.yaml", include_str!("../processes/recurrence.v1.yaml")),
    ("article.v1.yaml", include_str!("../processes/article.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 8] = [
    ("alerts.v1.yaml", include_str!("../schemes/alerts.v1.yaml")),
    ("category.v1.yaml", include_str!("../schemes/category.v1.yaml")),
    ("configuration_item.v1.yaml", include_str!("../schemes/configuration_item.v1.yaml")),
    ("priority.v1.yaml", include_str!("../schemes/priority.v1.yaml")),
    ("service.v1.yaml", include_str!("../schemes/service.v1.yaml")),
    ("severity.v1.yaml", include_str!("../schemes/severity.v1.yaml")),
    ("update_every.v1.yaml", include_str!("../schemes/update_every.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// The consumer of ALERTS; a new name would hear all history again.
pub(crate) const CONSUMER: &str = "incident-alerts";

/// The consumer of SLA, for the clocks of our records.
const CLOCKS: &str = "incident-clocks";

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    Service::named("incident")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .hears("sla", CLOCKS)
        .hears("change", "incident-changes")
        .interprets("release", "incident-releases", Parts(errors_of_a_release))
        .hears_alerts(CONSUMER, |office, payload| {
            let happening = happening_of(&office.rules(), payload, office.clock.now());
            Ok(Heard { happening, outcome: fate })
        })
        .routes(&["intake/totals"], totals::document(), totals::router)
}
