//! Relationships: customers, what they need and complain of, and suppliers (ISO/IEC 20000-1:2018, 8.2.2 and 8.3).

use chassis::Service;

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 8] = [
    ("supplier.v1.yaml", include_str!("../processes/supplier.v1.yaml")),
    ("contract.v1.yaml", include_str!("../processes/contract.v1.yaml")),
    ("dispute.v1.yaml", include_str!("../processes/dispute.v1.yaml")),
    ("customer.v1.yaml", include_str!("../processes/customer.v1.yaml")),
    ("service_review.v1.yaml", include_str!("../processes/service_review.v1.yaml")),
    ("need.v1.yaml", include_str!("../processes/need.v1.yaml")),
    ("complaint.v1.yaml", include_str!("../processes/complaint.v1.yaml")),
    ("survey.v1.yaml", include_str!("../processes/survey.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 2] = [
    ("need_rank.v1.yaml", include_str!("../schemes/need_rank.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    // A consumer's name never changes: a new one would hear all history again.
    Service::named("supplier")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .hears("change", "supplier-changes")
        .hears("governance", "supplier-governance")
        .hears("sla", "supplier-agreements")
}
