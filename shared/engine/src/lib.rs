//! The process engine: definitions, decide, apply, offers, expressions. Pure.
