//! What tests stand on: a real nats-server, real databases, a clock that moves.
