//! What a service has said on the bus so far.

use std::{collections::BTreeMap, time::Duration};

use bus::{Bus, Tailed};
use futures::StreamExt;

/// All events of a service's stream so far, in the stream's order.
///
/// # Panics
/// When the stream cannot be read, or stalls.
pub async fn events(bus: &Bus, service: &str) -> Vec<Tailed> {
    let stream = contract::subject::stream(service);
    let last = bus.totals(&stream).await.expect("the stream is there").last_sequence;
    let from_the_first = BTreeMap::from([(stream.clone(), 0)]);
    let mut tail = bus.tail(std::slice::from_ref(&stream), &from_the_first);
    let mut events: Vec<Tailed> = Vec::new();
    while events.last().map_or(0, |event| event.sequence) < last {
        let next = tokio::time::timeout(Duration::from_secs(30), tail.next()).await;
        events.push(next.expect("the stream goes on").expect("the tail does not end"));
    }
    events
}
