//! The functions that expressions may call beside CEL's own.

use std::sync::Arc;

use cel::{
    Context, Env, ExecutionError, FunctionContext, Value as Cel, extractors::Arguments,
    objects::KeyRef,
};
use chrono::{DateTime, SecondsFormat, Utc};
use kernel::Span;
use serde_json::Value;

use super::values::{from_json, to_json};
use crate::{Calculations, Schemes, scheme::Lookup};

/// Ours, as `name(arguments)`:
/// - `matrix(scheme, a, b)`: the cell of a matrix scheme, null where there is none;
/// - `lookup(scheme, key, attribute)`: an attribute of an entry of a list scheme, or null;
/// - `known(scheme, key)`: whether a list scheme has the entry;
/// - `under(scheme, key, top)`: whether an entry of a tree is another one or below it;
/// - `get(map, key)`: the value under a key, null where there is none;
/// - `key(a, b, …)`: one text of several, for correlation: joined by slashes, each cut to 200
///   characters, a dash for null;
/// - `span(text)`: an ISO 8601 duration, a day being 24 hours;
/// - `within(instant, window)`: whether an instant lies in a `steward:window`; in none, never;
/// - `calculate(name, …)`: what the service's own code works out, see [`crate::Calculation`].
///
/// Schemes are asked as they count at `now`.
///
/// Code that a definition declares under `functions:` is called by its name.
const OURS: [&str; 9] =
    ["matrix", "lookup", "known", "under", "get", "key", "span", "within", CALCULATE];
/// The function that calls the service's own code.
pub(super) const CALCULATE: &str = "calculate";
/// The variable that tells functions of ours when they are asked.
pub(super) const ASKED_AT: &str = "@now";
/// What one part of a key keeps, in characters.
const PART_LIMIT: usize = 200;

/// CEL's own functions and operators that definitions may use.
const CELS: [&str; 47] = [
    "_?_:_",
    "_&&_",
    "_||_",
    "!_",
    "_-_",
    "_+_",
    "_*_",
    "_/_",
    "_%_",
    "_==_",
    "_!=_",
    "_>=_",
    "_<=_",
    "_>_",
    "_<_",
    "-_",
    "_[_]",
    "@in",
    "@not_strictly_false",
    "has",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "duration",
    "timestamp",
    "type",
    "min",
    "max",
    "join",
    "substring",
    "replace",
    "trim",
    "lowerAscii",
    "getFullYear",
    "getHours",
    "getDayOfWeek",
];

pub(super) fn is_known(function: &str) -> bool {
    OURS.contains(&function) || CELS.contains(&function)
}

/// Every function that is called by a word, for a near name.
pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
    let is_word = |name: &&str| name.starts_with(|first: char| first.is_ascii_lowercase());
    OURS.into_iter().chain(CELS.into_iter().filter(is_word))
}

pub(super) fn asks_scheme(function: &str) -> bool {
    matches!(function, "matrix" | "lookup" | "known" | "under")
}

/// The root of every scope: CEL's standard library and our functions over `schemes` and
/// `calculations`.
pub(crate) fn context(
    schemes: &Arc<Schemes>,
    calculations: &Arc<Calculations>,
) -> Context<'static, 'static> {
    let mut environment = Env::stdlib();
    // CEL's own string extension (`join`, `substring`) collides with nothing in the standard library.
    let extended = environment.add_extension(cel::extensions::strings);
    debug_assert!(extended.is_ok(), "CEL's string functions are taken");
    let mut root = Context::with_env(Arc::new(environment));
    for &name in calculations.keys().filter(|name| !is_known(name)) {
        let (schemes, calculations) = (Arc::clone(schemes), Arc::clone(calculations));
        let function =
            move |Arguments(given): Arguments| calculated(name, &given, &calculations, &schemes);
        // What has the name of one of CEL's own is reached by `calculate` alone.
        let added = root.add_function(name, function);
        debug_assert!(added.is_ok(), "{name} is taken");
    }
    for name in OURS {
        let (schemes, calculations) = (Arc::clone(schemes), Arc::clone(calculations));
        let function = move |asked: &FunctionContext, Arguments(arguments): Arguments| match name {
            CALCULATE => calculate(&arguments, &calculations, &schemes),
            _ => call(name, &arguments, &schemes, asked_at(asked)),
        };
        // None of our names is one of CEL's overloads: `every_function_is_there` proves it.
        let added = root.add_function(name, function);
        debug_assert!(added.is_ok(), "{name} is taken");
    }
    root
}

/// When the expression is asked; every scope says it.
fn asked_at(asked: &FunctionContext) -> DateTime<Utc> {
    let said = asked.ptx.get_variable(ASKED_AT).and_then(|at| Cel::try_from(at.as_ref()).ok());
    match said {
        Some(Cel::Timestamp(at)) => at.with_timezone(&Utc),
        _ => DateTime::default(),
    }
}

/// The service's own code, by its name.
fn calculate(
    arguments: &[Cel],
    calculations: &Calculations,
    schemes: &Schemes,
) -> Result<Cel, ExecutionError> {
    let fault = |message: String| ExecutionError::function_error(CALCULATE, message);
    let [Cel::String(name), given @ ..] = arguments else {
        return Err(fault("it is called with the name of a calculation first".to_owned()));
    };
    calculated(name, given, calculations, schemes)
}

fn calculated(
    name: &str,
    given: &[Cel],
    calculations: &Calculations,
    schemes: &Schemes,
) -> Result<Cel, ExecutionError> {
    let fault = |message: String| ExecutionError::function_error(CALCULATE, message);
    let calculation = calculations.get(name);
    let calculation =
        calculation.ok_or_else(|| fault(format!("there is no calculation `{name}`")))?;
    let given: Option<Vec<Value>> = given.iter().map(to_json).collect();
    let given = given.ok_or_else(|| fault("it is given what JSON has no word for".to_owned()))?;
    calculation(&given.iter().collect::<Vec<_>>(), schemes)
        .map(|value| from_json(&value))
        .map_err(fault)
}

fn call(
    name: &str,
    arguments: &[Cel],
    schemes: &Schemes,
    at: DateTime<Utc>,
) -> Result<Cel, ExecutionError> {
    let fault = |message: String| ExecutionError::function_error(name, message);
    match (name, arguments) {
        ("get", [Cel::Map(map), Cel::String(key)]) => {
            Ok(map.get(&KeyRef::String(key)).cloned().unwrap_or(Cel::Null))
        }
        ("get", [Cel::Null, _]) => Ok(Cel::Null),
        ("key", parts) => {
            let parts: Vec<Value> =
                parts.iter().map(|part| to_json(part).unwrap_or_default()).collect();
            Ok(from_json(&key(parts.iter()).into()))
        }
        ("span", [Cel::String(text)]) => {
            let span: Span = text.parse().map_err(fault)?;
            let seconds = i64::from(span.days) * 86_400 + i64::from(span.seconds);
            Ok(Cel::Duration(chrono::TimeDelta::seconds(seconds)))
        }
        ("within", [Cel::Timestamp(at), Cel::Map(window)]) => {
            let end = |name: &str| match window.get(&KeyRef::String(name)) {
                Some(Cel::String(text)) => DateTime::parse_from_rfc3339(text).ok(),
                _ => None,
            };
            let (Some(from), Some(to)) = (end("from"), end("to")) else {
                return Err(fault("a window has `from` and `to`".to_owned()));
            };
            Ok(Cel::Bool(from <= *at && *at < to))
        }
        ("within", [_, Cel::Null]) => Ok(Cel::Bool(false)),
        ("matrix", [Cel::String(scheme), inputs @ ..]) => {
            let inputs: Vec<String> = inputs.iter().map(word_of).collect();
            answer(schemes.cell(scheme, &inputs, at)).map_err(fault)
        }
        ("lookup", [Cel::String(scheme), key, Cel::String(attribute)]) => {
            answer(schemes.attribute(scheme, &word_of(key), attribute, at)).map_err(fault)
        }
        ("known", [Cel::String(scheme), key]) => match schemes.entry(scheme, &word_of(key), at) {
            Lookup::Found(_) => Ok(Cel::Bool(true)),
            Lookup::Absent => Ok(Cel::Bool(false)),
            Lookup::NoSuchScheme => Err(fault(format!("there is no list `{scheme}`"))),
        },
        ("under", [Cel::String(scheme), key, top]) => {
            let listed = schemes.list(scheme, at);
            let found = listed.and_then(|tree| tree.is_under(&word_of(key), &word_of(top), at));
            found.map(Cel::Bool).ok_or_else(|| fault(format!("there is no tree `{scheme}`")))
        }
        _ => Err(fault("it is called with arguments that it does not take".to_owned())),
    }
}

fn word_of(value: &Cel) -> String {
    word(&to_json(value).unwrap_or_default())
}

/// A key as text: `'high'` and `3` alike; null is a key that nothing has.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// One text of several.
pub(super) fn key<'a>(parts: impl Iterator<Item = &'a Value>) -> String {
    let mut key = String::new();
    for (position, part) in parts.enumerate() {
        if position > 0 {
            key.push('/');
        }
        match part {
            Value::Null => key.push('-'),
            part => key.extend(word(part).chars().take(PART_LIMIT)),
        }
    }
    key
}

/// An instant as `string(now)` tells it: UTC, with as much of a fraction as there is.
pub(super) fn text_of(at: DateTime<Utc>) -> String {
    let text = at.to_rfc3339_opts(SecondsFormat::Nanos, false);
    let whole = text.trim_end_matches("+00:00").trim_end_matches('0').trim_end_matches('.');
    format!("{whole}Z")
}

fn answer(found: Lookup<'_>) -> Result<Cel, String> {
    match found {
        Lookup::Found(value) => Ok(from_json(value)),
        Lookup::Absent => Ok(Cel::Null),
        Lookup::NoSuchScheme => Err("there is no such scheme".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Expression, Scope};

    fn check(source: &str, expected: &str) {
        let schemes = Schemes::parse_all(&[
            (
                "priority",
                "scheme: priority\nkind: matrix\ninputs: [impact, urgency]\ntable: { high: { low: 3 } }",
            ),
            (
                "kinds",
                "scheme: kinds\nkind: tree\nentries:\n  disk: { under: server, valid_to: 2026-03-15 }\n  \
                 tape: { under: server, valid_to: 2026-03-14 }\n  server: { under: hardware }\n  hardware:",
            ),
        ])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
        let calculations = Calculations::from([(
            "twice",
            (|given, _| match given {
                [Value::Number(number)] => Ok(number.as_i64().map(|number| number * 2).into()),
                _ => Err("it doubles one number".to_owned()),
            }) as crate::Calculation,
        )]);
        let schemes = Arc::new(schemes);
        let root = context(&schemes, &Arc::new(calculations));
        let now = "2026-03-14T22:05:00Z".parse().unwrap_or_else(|fault| panic!("{fault}"));
        let found = Expression::parse(source)
            .and_then(|expression| expression.value(&Scope::new(&root, &schemes, now)))
            .map_or_else(|fault| fault, |value| value.to_string());
        assert!(found.contains(expected), "{source}: {found}");
    }

    #[test]
    fn every_function_is_there() {
        check("matrix('priority', 'high', 'low')", "3");
        check("matrix('priority', 'high', 'none')", "null");
        check("matrix('nothing', 'high')", "no such scheme");
        check("get({'a': 1}, 'a')", "1");
        check("get({'a': 1}, 'b') == null", "true");
        check("now + span('P1DT1H') == timestamp('2026-03-15T23:05:00Z')", "true");
        check("known('nothing', 'x')", "no list");
        check("under('kinds', 'disk', 'hardware') && under('kinds', 'disk', 'disk')", "true");
        check("under('kinds', 'hardware', 'disk') || under('kinds', null, 'disk')", "false");
        check("[1].all(x, under('kinds', 'tape', 'server'))", "false");
        check("[1].all(x, known('kinds', 'tape') || !known('kinds', 'disk'))", "false");
        check("under('priority', 'high', 'low')", "no tree");
        check("key('a', null, 3)", "a/-/3");
        check(
            "within(now, {'from': '2026-03-14T22:00:00Z', 'to': '2026-03-14T23:00:00Z'})",
            "true",
        );
        check(
            "within(now, {'from': '2026-03-14T21:00:00Z', 'to': '2026-03-14T22:05:00Z'})",
            "false",
        );
        check("within(now, null)", "false");
        check("calculate('twice', 21)", "42");
        check("calculate('twice')", "doubles one number");
        check("calculate('halve', 21)", "no calculation `halve`");
        check("[1, 2, 3].exists(x, x == 2)", "true");
    }

    #[test]
    fn unknown_names_and_deep_comprehensions_are_refused() {
        check("recrod.state", "`recrod` is no variable; did you mean `record`?");
        check("now > rnd()", "`rnd` is no function");
        check("[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))", "nests more than 2");
        check("1 +", "it is no CEL");
    }
}
