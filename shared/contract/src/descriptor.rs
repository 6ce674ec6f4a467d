//! How a service describes itself to the gateway.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kept under the service's name in the key-value bucket `steward-descriptors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    pub service: String,
    pub version: String,
    /// Where the gateway reaches it, `http://incident:8080`; empty when in the same process.
    #[serde(default)]
    pub url: String,
    pub processes: Vec<ProcessDescriptor>,
    /// The service's part of the OpenAPI document: `paths` and `components.schemas`.
    pub openapi: Value,
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
