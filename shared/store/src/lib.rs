//! Records, journal, timers, inbox and outbox in one relational database, behind a batching writer.
