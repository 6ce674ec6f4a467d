//! Names on the bus: streams and subjects.

use uuid::Uuid;

/// All subjects that alerts arrive on, before the stream's own transform adds the partition.
pub const ALERTS_IN: &str = "steward.alerts.*.*";
/// The stream of what the intake took or others published.
pub const ALERTS_STREAM: &str = "ALERTS";
/// The stream of dead letters' copies; the table in the service's database is the truth.
pub const DEAD_STREAM: &str = "DEAD";
/// The key-value bucket in which services describe themselves.
pub const DESCRIPTORS_BUCKET: &str = "steward-descriptors";

/// The stream of a service's own events: `incident` publishes to `INCIDENT`.
#[must_use]
pub fn stream(service: &str) -> String {
    service.to_uppercase()
}

/// All subjects of a service's events.
#[must_use]
pub fn all_of(service: &str) -> String {
    format!("steward.{service}.>")
}

/// Where one event is published: `steward.incident.incident.opened.v1.07.{record}`.
#[must_use]
pub fn of_event(service: &str, event_type: &str, record: Uuid) -> String {
    let partition = kernel::partition_of(record);
    format!("steward.{service}.{event_type}.{partition:02}.{record}")
}

/// All events of one partition of a service.
#[must_use]
pub fn of_partition(service: &str, partition: u8) -> String {
    format!("steward.{service}.*.*.*.{partition:02}.*")
}

/// Where an alert is published; the stream adds the partition. `source` and `key` are single
/// subject tokens, see [`crate::signal_key`].
#[must_use]
pub fn of_alert(source: &str, key: &str) -> String {
    format!("steward.alerts.{source}.{key}")
}

/// Alerts of one partition, as the stream stores them.
#[must_use]
pub fn alerts_of_partition(partition: u8) -> String {
    format!("steward.alerts.{partition}.*.*")
}

/// The partition of an event or a stored alert.
#[must_use]
pub fn partition_of(subject: &str) -> Option<u8> {
    let mut words = subject.strip_prefix("steward.")?.split('.');
    let partition = match words.next()? {
        "alerts" => words.next(),
        _ => words.nth(3),
    };
    partition?.parse().ok()
}

/// Where a dead letter's copy is published.
#[must_use]
pub fn of_dead_letter(service: &str, consumer: &str) -> String {
    format!("steward.dead.{service}.{consumer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_says_its_partition() {
        let record = Uuid::from_u128(7);
        let event = of_event("incident", "incident.opened.v1", record);
        assert_eq!(partition_of(&event), Some(kernel::partition_of(record)));
        assert_eq!(partition_of("steward.alerts.3.alertmanager.KEY0000001-abc"), Some(3));
        assert_eq!(partition_of("steward.incident.opened"), None);
        assert_eq!(partition_of("another.incident.incident.opened.v1.03.x"), None);
    }
}
