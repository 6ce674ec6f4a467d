//! Ids of new things, made from their cause.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// How many partitions a service's stream has; a record stays in one of them for life.
pub const PARTITIONS: u8 = 16;

/// The id of the `ordinal`-th thing that `cause` makes: the same each time it is asked.
///
/// Laid out as a UUID version 7 (RFC 9562), so that ids sort by the time of their making.
#[must_use]
pub fn derived_id(cause: Uuid, at: DateTime<Utc>, ordinal: u32) -> Uuid {
    let digest =
        Sha256::new().chain_update(cause.as_bytes()).chain_update(ordinal.to_be_bytes()).finalize();
    let mut random = [0_u8; 10];
    random.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The partition of a record, 0 to 15: FNV-1a over the bytes of its id.
#[must_use]
pub fn partition_of(record: Uuid) -> u8 {
    let hash = record
        .as_bytes()
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    // The remainder of a division by 16 fits in a byte.
    (hash % u32::from(PARTITIONS)) as u8
}
