//! The functions that expressions may call beside CEL's own.

use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Value as Cel, extractors::Arguments, objects::KeyRef};
use kernel::Span;
use serde_json::Value;

use super::values::{from_json, to_json};
use crate::{Schemes, scheme::Lookup};

/// Ours, as `name(arguments)`:
/// - `matrix(scheme, a, b)`: the cell of a matrix scheme, null where there is none;
/// - `lookup(scheme, key, attribute)`: an attribute of an entry of a list scheme, or null;
/// - `known(scheme, key)`: whether a list scheme has the entry;
/// - `get(map, key)`: the value under a key, null where there is none;
/// - `span(text)`: an ISO 8601 duration, a day being 24 hours.
const OURS: [&str; 5] = ["matrix", "lookup", "known", "get", "span"];

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

pub(super) fn asks_scheme(function: &str) -> bool {
    matches!(function, "matrix" | "lookup" | "known")
}

/// The root of every scope: CEL's standard library and our functions over `schemes`.
pub(crate) fn context(schemes: &Arc<Schemes>) -> Context<'static, 'static> {
    let mut environment = Env::stdlib();
    // CEL's own string extension (`join`, `substring`) collides with nothing in the standard library.
    let extended = environment.add_extension(cel::extensions::strings);
    debug_assert!(extended.is_ok(), "CEL's string functions are taken");
    let mut root = Context::with_env(Arc::new(environment));
    for name in OURS {
        let schemes = Arc::clone(schemes);
        let function = move |Arguments(arguments): Arguments| call(name, &arguments, &schemes);
        // None of our names is one of CEL's overloads: `every_function_is_there` proves it.
        let added = root.add_function(name, function);
        debug_assert!(added.is_ok(), "{name} is taken");
    }
    root
}

fn call(name: &str, arguments: &[Cel], schemes: &Schemes) -> Result<Cel, ExecutionError> {
    let fault = |message: String| ExecutionError::function_error(name, message);
    match (name, arguments) {
        ("get", [Cel::Map(map), Cel::String(key)]) => {
            Ok(map.get(&KeyRef::String(key)).cloned().unwrap_or(Cel::Null))
        }
        ("get", [Cel::Null, _]) => Ok(Cel::Null),
        ("span", [Cel::String(text)]) => {
            let span: Span = text.parse().map_err(fault)?;
            let seconds = i64::from(span.days) * 86_400 + i64::from(span.seconds);
            Ok(Cel::Duration(chrono::TimeDelta::seconds(seconds)))
        }
        ("matrix", [Cel::String(scheme), inputs @ ..]) => {
            let inputs: Vec<String> = inputs.iter().map(word).collect();
            answer(schemes.cell(scheme, &inputs)).map_err(fault)
        }
        ("lookup", [Cel::String(scheme), key, Cel::String(attribute)]) => {
            answer(schemes.attribute(scheme, &word(key), attribute)).map_err(fault)
        }
        ("known", [Cel::String(scheme), key]) => match schemes.entry(scheme, &word(key)) {
            Lookup::Found(_) => Ok(Cel::Bool(true)),
            Lookup::Absent => Ok(Cel::Bool(false)),
            Lookup::NoSuchScheme => Err(fault(format!("there is no list `{scheme}`"))),
        },
        _ => Err(fault("it is called with arguments that it does not take".to_owned())),
    }
}

/// A key as text: `'high'` and `3` alike; null is a key that nothing has.
fn word(value: &Cel) -> String {
    match to_json(value) {
        Some(Value::String(text)) => text,
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
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
        let schemes = Schemes::parse_all(&[(
            "priority",
            "scheme: priority\nkind: matrix\ninputs: [impact, urgency]\ntable: { high: { low: 3 } }",
        )])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
        let root = context(&Arc::new(schemes));
        let now = "2026-03-14T22:05:00Z".parse().unwrap_or_else(|fault| panic!("{fault}"));
        let found = Expression::parse(source)
            .and_then(|expression| expression.value(&Scope::new(&root, now)))
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
        check("[1, 2, 3].exists(x, x == 2)", "true");
    }

    #[test]
    fn unknown_names_and_deep_comprehensions_are_refused() {
        check("recrod.state", "`recrod`, which is not in scope");
        check("now > rnd()", "calls `rnd`");
        check("[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))", "nests more than 2");
        check("1 +", "no CEL expression");
    }
}
