//! Release and deployment, new and changed services, and what other parties do (ISO/IEC 20000-1:2018, 8.2.3,
//! 8.5.2 and 8.5.3).

mod policy;

use chassis::Service;

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 3] = [
    ("release.v1.yaml", include_str!("../processes/release.v1.yaml")),
    ("service_project.v1.yaml", include_str!("../processes/service_project.v1.yaml")),
    ("party_activity.v1.yaml", include_str!("../processes/party_activity.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 2] = [
    ("release_policy.v1.yaml", include_str!("../schemes/release_policy.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// What the definitions leave to this service's code.
pub const CALCULATIONS: [(&str, engine::Calculation); 1] = [("on_policy", policy::on_policy)];

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    // A consumer's name never changes: a new one would hear all history again.
    Service::named("release")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .calculates(CALCULATIONS)
        .hears("change", "release-changes")
        .hears("incident", "release-incidents")
}
