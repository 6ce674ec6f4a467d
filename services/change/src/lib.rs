//! Control: changes, their templates, and the configuration that they change (ISO/IEC 20000-1:2018,
//! 8.2.5, 8.2.6 and 8.5.1).

mod contents;
mod freeze;
mod kinds;

use chassis::{Parts, Service};
pub use contents::{items_of_a_change, parts_of_a_release};

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 7] = [
    ("change.v1.yaml", include_str!("../processes/change.v1.yaml")),
    ("change_template.v1.yaml", include_str!("../processes/change_template.v1.yaml")),
    ("configuration_item.v1.yaml", include_str!("../processes/configuration_item.v1.yaml")),
    ("baseline.v1.yaml", include_str!("../processes/baseline.v1.yaml")),
    ("difference.v1.yaml", include_str!("../processes/difference.v1.yaml")),
    ("asset.v1.yaml", include_str!("../processes/asset.v1.yaml")),
    ("verification.v1.yaml", include_str!("../processes/verification.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 5] = [
    ("change_policy.v1.yaml", include_str!("../schemes/change_policy.v1.yaml")),
    ("change_risk.v1.yaml", include_str!("../schemes/change_risk.v1.yaml")),
    ("ci_kind.v1.yaml", include_str!("../schemes/ci_kind.v1.yaml")),
    ("freeze.v1.yaml", include_str!("../schemes/freeze.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// What the definitions leave to this service's code.
pub const CALCULATIONS: [(&str, engine::Calculation); 2] =
    [("frozen", freeze::frozen), ("kind_faults", kinds::kind_faults)];

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    // A consumer's name never changes: a new one would hear all history again.
    Service::named("change")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .calculates(CALCULATIONS)
        .hears("incident", "change-incidents")
        .hears("sla", "change-agreements")
        .hears("supplier", "change-suppliers")
        .hears("governance", "change-governance")
        .interprets("release", "change-releases", Parts(parts_of_a_release))
        .interprets("change", "change-items", Parts(items_of_a_change))
}
