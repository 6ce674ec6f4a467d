//! What is counted: requests, acts, batches, what waits, what failed, how late timers fire.

use std::time::Duration;

use ::bus::{Bus, Counters};
use axum::response::{IntoResponse, Response};
use http::header;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};
use prometheus::{Encoder, TextEncoder};
use tokio::sync::watch;

/// Seconds, from what SQLite needs for one commit to what nobody waits for.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The instruments of one service; each series carries the service's name.
#[derive(Clone, Debug)]
pub struct Metrics {
    service: KeyValue,
    requests: Counter<u64>,
    request_seconds: Histogram<f64>,
    acts: Counter<u64>,
    deliveries: Counter<u64>,
    unsent: Gauge<u64>,
    parked: Gauge<u64>,
    dead: Gauge<u64>,
    timers: Counter<u64>,
    timer_late_seconds: Histogram<f64>,
}

impl Metrics {
    #[must_use]
    pub fn of(service: &str) -> Self {
        let meter = global::meter("steward");
        let seconds = |name: &'static str, what: &'static str| {
            meter
                .f64_histogram(name)
                .with_description(what)
                .with_unit("s")
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        let counter = |name: &'static str, what: &'static str| {
            meter.u64_counter(name).with_description(what).build()
        };
        let gauge = |name: &'static str, what: &'static str| {
            meter.u64_gauge(name).with_description(what).build()
        };
        Self {
            service: KeyValue::new("service", service.to_owned()),
            requests: counter("steward.requests", "Requests answered, by route and status."),
            request_seconds: seconds("steward.request", "How long a request took."),
            acts: counter("steward.acts", "Commands decided, by outcome."),
            deliveries: counter("steward.deliveries", "Events that arrived, by fate."),
            unsent: gauge(
                "steward.outbox.unsent",
                "Journal rows that the bus has not acknowledged.",
            ),
            parked: gauge("steward.inbox.parked", "Events that wait for another try."),
            dead: gauge(
                "steward.inbox.dead",
                "Events that were given up, until they are re-driven.",
            ),
            timers: counter("steward.timers", "Timers fired, by outcome."),
            timer_late_seconds: seconds("steward.timer.late", "How late a timer fired."),
        }
    }

    /// Counts commits from now on: acts by commits is how many go into one transaction.
    pub fn watch_commits(&self, commits: watch::Receiver<u64>) {
        let service = self.service.clone();
        global::meter("steward")
            .u64_observable_counter("steward.commits")
            .with_description("Transactions committed; several acts may share one.")
            .with_callback(move |counter| {
                counter.observe(*commits.borrow(), std::slice::from_ref(&service));
            })
            .build();
    }

    /// One request was answered; `route` is the pattern, never the path.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = [
            self.service.clone(),
            KeyValue::new("method", method.to_owned()),
            KeyValue::new("route", route.to_owned()),
            KeyValue::new("status", i64::from(status)),
        ];
        self.requests.add(1, &labels);
        self.request_seconds.record(took.as_secs_f64(), &labels[..3]);
    }

    /// A command was decided: `done`, `refused`, `replayed`, `failed`.
    pub fn act(&self, outcome: &'static str) {
        self.acts.add(1, &[self.service.clone(), KeyValue::new("outcome", outcome)]);
    }

    /// An event arrived at `consumer` and met its fate.
    pub fn delivery(&self, consumer: &str, fate: &str) {
        let labels = [
            self.service.clone(),
            KeyValue::new("consumer", consumer.to_owned()),
            KeyValue::new("fate", fate.to_owned()),
        ];
        self.deliveries.add(1, &labels);
    }

    /// A timer fired `late` after its moment.
    pub fn timer(&self, outcome: &'static str, late: Duration) {
        self.timers.add(1, &[self.service.clone(), KeyValue::new("outcome", outcome)]);
        self.timer_late_seconds.record(late.as_secs_f64(), std::slice::from_ref(&self.service));
    }

    /// How much waits: unsent journal rows, parked events, dead letters.
    pub fn waiting(&self, unsent: u64, parked: u64, dead: u64) {
        let service = std::slice::from_ref(&self.service);
        self.unsent.record(unsent, service);
        self.parked.record(parked, service);
        self.dead.record(dead, service);
    }
}

/// Counts what goes over a connection to the bus from now on.
pub fn watch_bus(bus: &Bus) {
    type Read = fn(&Counters) -> u64;
    let counted: [(&'static str, &'static str, Read); 5] = [
        ("steward.bus.published", "Messages that the bus acknowledged.", |all| all.published),
        ("steward.bus.batches", "Atomic batches among them.", |all| all.batches),
        ("steward.bus.not_durable", "Publishes that were not acknowledged.", |all| all.not_durable),
        ("steward.bus.delivered", "Deliveries, repeats included.", |all| all.delivered),
        ("steward.bus.disconnects", "Connections lost.", |all| all.disconnects),
    ];
    for (name, description, read) in counted {
        let bus = bus.clone();
        global::meter("steward")
            .u64_observable_counter(name)
            .with_description(description)
            .with_callback(move |counter| counter.observe(read(&bus.counters()), &[]))
            .build();
    }
}

/// The answer of `/metrics`: all that this process counts, in Prometheus' text format.
pub async fn page() -> Response {
    let families = super::REGISTRY.get().map(prometheus::Registry::gather).unwrap_or_default();
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics cannot be written as text");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
