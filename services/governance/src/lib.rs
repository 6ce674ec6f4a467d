//! The management system itself: what is planned, documented, checked and made better (ISO/IEC 20000-1:2018,
//! 4 to 7, 8.7.3, 9 and 10).

use chassis::Service;

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 12] = [
    ("document.v1.yaml", include_str!("../processes/document.v1.yaml")),
    ("objective.v1.yaml", include_str!("../processes/objective.v1.yaml")),
    ("appointment.v1.yaml", include_str!("../processes/appointment.v1.yaml")),
    ("training_need.v1.yaml", include_str!("../processes/training_need.v1.yaml")),
    ("audit.v1.yaml", include_str!("../processes/audit.v1.yaml")),
    ("finding.v1.yaml", include_str!("../processes/finding.v1.yaml")),
    ("nonconformity.v1.yaml", include_str!("../processes/nonconformity.v1.yaml")),
    ("improvement.v1.yaml", include_str!("../processes/improvement.v1.yaml")),
    ("risk.v1.yaml", include_str!("../processes/risk.v1.yaml")),
    ("control.v1.yaml", include_str!("../processes/control.v1.yaml")),
    ("management_review.v1.yaml", include_str!("../processes/management_review.v1.yaml")),
    ("obligation.v1.yaml", include_str!("../processes/obligation.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 3] = [
    ("improvement_rank.v1.yaml", include_str!("../schemes/improvement_rank.v1.yaml")),
    ("risk.v1.yaml", include_str!("../schemes/risk.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    // A consumer's name never changes: a new one would hear all history again.
    Service::named("governance")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .hears("incident", "governance-incidents")
        .hears("sla", "governance-agreements")
        .hears("change", "governance-changes")
        .hears("release", "governance-releases")
        .hears("supplier", "governance-suppliers")
}
