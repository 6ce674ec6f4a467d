//! W3C trace context: one trace from a request across database and bus to the last consumer.

use http::HeaderMap;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries it, on HTTP and on NATS.
pub const TRACEPARENT: &str = "traceparent";

/// The trace context of a request, if its header holds a sound one.
#[must_use]
pub fn from_headers(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    parse(text).map(|context| format(&context))
}

/// Makes `span` a child of `traceparent`; without one it begins a trace of its own.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(context) = traceparent.and_then(parse) {
        // Refused only when no trace is recorded at all.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }
}

/// The trace context to hand on from `span`: its own where traces are recorded, else what it came
/// with, so that a collector further on still sees one trace.
#[must_use]
pub fn of_span(span: &Span, came_with: Option<&str>) -> Option<String> {
    let context = span.context();
    let own = context.span().span_context().clone();
    if own.is_valid() { Some(format(&own)) } else { came_with.map(str::to_owned) }
}

/// Calls the current span by another name, where traces are recorded.
pub fn call_current(name: impl FnOnce() -> String) {
    let context = Span::current().context();
    let span = context.span();
    if span.span_context().is_valid() {
        span.update_name(name());
    }
}

/// The trace context of the current span, where traces are recorded.
#[must_use]
pub fn current() -> Option<String> {
    of_span(&Span::current(), None)
}

fn format(context: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        context.trace_flags().to_u8() & 1
    )
}

/// `00-{32 hex}-{16 hex}-{2 hex}`, lower case, ids not zero.
fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sound = version.len() == 2
        && version != "ff"
        && trace.len() == 32
        && span.len() == 16
        && flags.len() == 2
        && !(version == "00" && parts.next().is_some())
        && text.trim().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    if !sound {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_context_is_kept_and_others_are_none() {
        let sound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, sound.parse().unwrap());
        assert_eq!(from_headers(&headers).as_deref(), Some(sound));
        for broken in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn without_a_collector_the_context_is_handed_on() {
        let came_with = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let span = tracing::info_span!("delivery");
        follow(&span, Some(came_with));
        assert_eq!(of_span(&span, Some(came_with)).as_deref(), Some(came_with));
    }
}
