//! JetStream: streams, the relay, deliveries, dead letters, and a nats-server to run them on.
