//! The management system itself: what is planned, documented, checked and made better (ISO/IEC 20000-1:2018,
//! 4 to 7, 8.7.3, 9 and 10).

mod named;
mod required;

use chassis::{Parts, Service};
pub use named::{readers_of_a_document, trainees_of_a_release};

/// The definitions of this service: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 17] = [
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
    ("audit_programme.v1.yaml", include_str!("../processes/audit_programme.v1.yaml")),
    ("document_register.v1.yaml", include_str!("../processes/document_register.v1.yaml")),
    ("communication.v1.yaml", include_str!("../processes/communication.v1.yaml")),
    ("analysis.v1.yaml", include_str!("../processes/analysis.v1.yaml")),
    ("unintended_change.v1.yaml", include_str!("../processes/unintended_change.v1.yaml")),
];

/// The schemes that ship with this service.
pub const SCHEMES: [(&str, &str); 8] = [
    ("audited_clauses.v1.yaml", include_str!("../schemes/audited_clauses.v1.yaml")),
    ("improvement_rank.v1.yaml", include_str!("../schemes/improvement_rank.v1.yaml")),
    ("required_documents.v1.yaml", include_str!("../schemes/required_documents.v1.yaml")),
    ("required_figures.v1.yaml", include_str!("../schemes/required_figures.v1.yaml")),
    ("required_sections.v1.yaml", include_str!("../schemes/required_sections.v1.yaml")),
    ("risk.v1.yaml", include_str!("../schemes/risk.v1.yaml")),
    ("role_profile.v1.yaml", include_str!("../schemes/role_profile.v1.yaml")),
    ("working.v1.yaml", include_str!("../schemes/working.v1.yaml")),
];

/// What the definitions leave to this service's code.
pub const CALCULATIONS: [(&str, engine::Calculation); 6] = [
    ("expired_documents", required::expired_documents),
    ("missing_clauses", required::missing_clauses),
    ("missing_competences", required::missing_competences),
    ("missing_documents", required::missing_documents),
    ("missing_figures", required::missing_figures),
    ("missing_sections", required::missing_sections),
];

/// The table of contents of the service.
#[must_use]
pub fn service() -> Service {
    // A consumer's name never changes: a new one would hear all history again.
    Service::named("governance")
        .processes(DEFINITIONS)
        .schemes(SCHEMES)
        .calculates(CALCULATIONS)
        .hears("incident", "governance-incidents")
        .hears("sla", "governance-agreements")
        .hears("change", "governance-changes")
        .hears("supplier", "governance-suppliers")
        .interprets("release", "governance-releases", Parts(trainees_of_a_release))
        .interprets("governance", "governance-readers", Parts(readers_of_a_document))
}
