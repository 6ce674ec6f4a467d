//! What crosses services, proven over the public API.
