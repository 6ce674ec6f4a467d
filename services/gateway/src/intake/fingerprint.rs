//! What makes two alerts the same one: the hash of their labels, and keys short enough to travel.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// A key becomes part of a subject, where each byte may take three; longer ones are hashed.
const KEY_BYTES: usize = 255;
/// Between names and values, as Prometheus does; it occurs in no UTF-8 text.
const SEPARATOR: u8 = 0xFF;

/// Sixteen hexadecimal digits: FNV-1a-64 over the sorted labels, the fingerprint that Prometheus
/// and Alertmanager give to the same labels.
pub fn of_labels(labels: &BTreeMap<String, String>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (name, value) in labels {
        name.bytes().chain([SEPARATOR]).chain(value.bytes()).chain([SEPARATOR]).for_each(&mut add);
    }
    format!("{hash:016x}")
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The key itself, or `sha256:…` in its place when it is too long for a subject.
pub fn bounded_key(key: String) -> String {
    if key.len() <= KEY_BYTES { key } else { format!("sha256:{}", sha256(key.as_bytes())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[(&str, &str)], expected: u64) {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(of_labels(&labels), format!("{expected:016x}"));
    }

    #[test]
    fn fingerprints_are_those_of_prometheus() {
        // The examples of prometheus/common, model/signature_test.go.
        check(&[], 14_695_981_039_346_656_037);
        check(
            &[("name", "garland, briggs"), ("fear", "love is not enough")],
            5_799_056_148_416_392_346,
        );
    }

    #[test]
    fn a_long_key_is_hashed_and_a_short_one_kept() {
        assert_eq!(bounded_key("a".repeat(255)), "a".repeat(255));
        assert!(bounded_key("a".repeat(256)).starts_with("sha256:"));
        assert_ne!(bounded_key("a".repeat(256)), bounded_key("a".repeat(257)));
    }
}
