//! How a service describes itself to the gateway.

use serde::{Deserialize, Serialize};

/// Kept under the service's name in the key-value bucket `steward-descriptors`. It is what routing
/// needs and no more: the service itself tells its part of the OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    pub service: String,
    pub version: String,
    /// Where the gateway reaches it, `http://incident:8080`; empty when in the same process.
    #[serde(default)]
    pub url: String,
    pub processes: Vec<ProcessDescriptor>,
    /// Further path prefixes under `/api/v1` that the service answers, `intake/totals`.
    #[serde(default)]
    pub paths: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessDescriptor {
    pub process: String,
    pub collection: String,
    /// `INC`
    pub prefix: String,
    /// The roles that the definition names.
    pub roles: Vec<String>,
}
