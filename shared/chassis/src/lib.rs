//! What every service stands on: configuration, telemetry, health, HTTP conventions, identity.
