//! What the functions of expressions take, give and cost.

use super::kind::Kind;

/// How one function is called; the target of a method counts as an argument.
pub(super) struct Signature {
    pub least: usize,
    pub most: usize,
    /// What the first argument may be.
    pub of: &'static [Kind],
    pub gives: Kind,
    /// What a call costs beside what it reads, in steps of the interpreter.
    pub steps: u64,
    /// For a person.
    pub told: &'static str,
}

/// What a call of the service's own code is reckoned at, in steps of the interpreter.
pub(super) const CALCULATION_STEPS: u64 = 1_000;
/// The like for a pattern, which is compiled each time.
const PATTERN_STEPS: u64 = 1_000;
/// More arguments than this take no function.
const MANY: usize = 12;

const ANY: &[Kind] = &[Kind::Any];
const TEXT: &[Kind] = &[Kind::TEXT];

/// `None` for operators, which [`super::typing`] knows by itself.
pub(super) fn signature(name: &str) -> Option<Signature> {
    let call =
        |(least, most), of, gives, told| Signature { least, most, of, gives, steps: 0, told };
    Some(match name {
        "matrix" => call((2, MANY), TEXT, Kind::Any, "matrix('scheme', input, …)"),
        "lookup" => call((3, 3), TEXT, Kind::Any, "lookup('scheme', key, 'attribute')"),
        "known" => call((2, 2), TEXT, Kind::Bool, "known('scheme', key)"),
        "under" => call((3, 3), TEXT, Kind::Bool, "under('scheme', key, 'top')"),
        "get" => call((2, 2), ANY, Kind::Any, "get(map, 'key')"),
        "key" => call((1, MANY), ANY, Kind::TEXT, "key(part, …)"),
        "span" => call((1, 1), TEXT, Kind::Duration, "span('P5D')"),
        "within" => call((2, 2), &[Kind::Instant], Kind::Bool, "within(instant, window)"),
        "calculate" => Signature {
            steps: CALCULATION_STEPS,
            ..call((1, MANY), TEXT, Kind::Any, "calculate('name', …)")
        },
        "size" => call((1, 1), ANY, Kind::Integer, "size(list)"),
        "contains" => call((2, 2), TEXT, Kind::Bool, "text.contains('part')"),
        "startsWith" => call((2, 2), TEXT, Kind::Bool, "text.startsWith('part')"),
        "endsWith" => call((2, 2), TEXT, Kind::Bool, "text.endsWith('part')"),
        "matches" => Signature {
            steps: PATTERN_STEPS,
            ..call((2, 2), TEXT, Kind::Bool, "text.matches('pattern')")
        },
        "string" => call((1, 1), ANY, Kind::TEXT, "string(value)"),
        "int" => call((1, 1), ANY, Kind::Integer, "int(value)"),
        "uint" => call((1, 1), ANY, Kind::Integer, "uint(value)"),
        "double" => call((1, 1), ANY, Kind::Number, "double(value)"),
        "duration" => {
            call((1, 1), &[Kind::TEXT, Kind::Duration], Kind::Duration, "duration('90s')")
        }
        "timestamp" => call(
            (1, 1),
            &[Kind::TEXT, Kind::Instant, Kind::Integer],
            Kind::Instant,
            "timestamp('2026-03-14T22:05:00Z')",
        ),
        "min" | "max" => call((1, MANY), ANY, Kind::Any, "min(value, …), max(value, …)"),
        "join" => call((1, 2), ANY, Kind::TEXT, "list.join(', ')"),
        "substring" => call((2, 3), TEXT, Kind::TEXT, "text.substring(0, 9)"),
        "replace" => call((3, 4), TEXT, Kind::TEXT, "text.replace('old', 'new')"),
        "trim" => call((1, 1), TEXT, Kind::TEXT, "text.trim()"),
        "lowerAscii" => call((1, 1), TEXT, Kind::TEXT, "text.lowerAscii()"),
        "getFullYear" => call((1, 2), &[Kind::Instant], Kind::Integer, "instant.getFullYear()"),
        "getHours" => {
            call((1, 2), &[Kind::Instant, Kind::Duration], Kind::Integer, "instant.getHours()")
        }
        "getDayOfWeek" => call((1, 2), &[Kind::Instant], Kind::Integer, "instant.getDayOfWeek()"),
        _ => return None,
    })
}
