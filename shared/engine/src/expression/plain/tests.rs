//! Both ways of telling an expression agree.

use std::sync::Arc;

use chrono::DateTime;
use kernel::Actor;
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::{Expression, Record, Schemes, expression::context};

const EXPRESSIONS: [&str; 42] = [
    "record.a.x",
    "event.a",
    "event.labels.x",
    "event.changes.x",
    "event.changes.x == null || event.changes.y == event.a",
    "get(event.labels, 'x')",
    "get(event.a, 'x')",
    "get(event.missing, 'x')",
    "record.a",
    "record.state == 'open'",
    "record.a == record.b",
    "record.a != null && record.a == event.a",
    "record.a == 1 || event.b == true",
    "!(record.a == 'x')",
    "record.a in ['x', 'y', null]",
    "record.a in [1, 2]",
    "record.a == null ? event.b : record.a",
    "record.a == true ? record.b : 'no'",
    "record.a ? 1 : 2",
    "record.a && record.b",
    "record.a || record.b",
    "record.a < 2",
    "record.a <= record.b",
    "event.a > 0 && event.a >= event.b",
    "record.revision == 1",
    "record.revision < 0 || record.a == 'x'",
    "['x', record.a, null]",
    "record.a == true ? ['x', 'y'] : [event.b]",
    "record.a + 1",
    "record.a + record.b",
    "matrix('grid', record.a, event.b)",
    "matrix('nothing', record.a)",
    "lookup('list', record.a, 'n')",
    "known('list', record.a)",
    "known('grid', record.a)",
    "under('tree', record.a, 'x')",
    "under('list', record.a, 'x')",
    "key(record.a, event.b, 'z')",
    "actor.id.startsWith('person:') ? actor.id : record.a",
    "record.a.startsWith('x')",
    "string(now)",
    "event.a == string(now)",
];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        Just(json!(i64::MAX)),
        Just(json!(1.0)),
        Just(json!(u64::MAX)),
        prop_oneof!["x", "y", "1", "", "é{210}"].prop_map(Value::from),
        Just(json!({ "x": "y", "n": 1 })),
        Just(json!(["x", 1])),
    ]
}

proptest! {
    #[test]
    fn both_ways_agree(
        values in proptest::collection::vec(value(), 4),
        labels in value(),
        has_labels in any::<bool>(),
        has_changes in any::<bool>(),
        micros in prop_oneof![Just(0_i64), Just(120_000), Just(10), 0_i64..1_000_000],
    ) {
        let schemes = Schemes::parse_all(&[
            ("grid", "scheme: grid\nkind: matrix\ninputs: [a, b]\ntable: { x: { x: 3, 'true': { n: 1 } } }"),
            ("list", "scheme: list\nkind: list\nentries: { x: { n: 7 }, '1': { n: one } }"),
            ("tree", "scheme: tree\nkind: tree\nentries: { x: , y: { under: x } }"),
        ]);
        let schemes = Arc::new(schemes.unwrap_or_else(|faults| panic!("{faults:?}")));
        let root = context(&schemes, &Arc::default());
        let now = DateTime::from_timestamp_micros(1_773_526_200_000_000 + micros);
        let now = now.unwrap_or_default();
        let mut event = json!({ "a": values[0], "b": values[1] });
        if has_labels {
            event["labels"] = labels.clone();
        }
        if has_changes {
            event["changes"] = labels;
        }
        let mut data = Map::new();
        data.insert("a".into(), values[2].clone());
        data.insert("b".into(), values[3].clone());
        let record = Record {
            id: uuid::Uuid::nil(),
            process: "p".into(),
            number: "P1".into(),
            definition: 1,
            state: "open".into(),
            revision: 1,
            data,
            audience: Vec::new(),
            opened_at: now,
            updated_at: now,
            entered_at: now,
            closed_at: None,
            opened_by: "person:PER1".into(),
            links: crate::Links::default(),
        };
        let actor = Actor::system("test");
        let fields = ["a".to_owned(), "b".to_owned()];
        let scope = Scope::new(&root, &schemes, now)
            .event(&event)
            .actor(&actor)
            .record(&record, &fields);
        for source in EXPRESSIONS {
            let expression = Expression::parse(source).unwrap_or_else(|fault| panic!("{fault}"));
            let plain = expression.plain.as_ref().unwrap_or_else(|| panic!("{source} is plain"));
            if let Some(told) = plain.value(&scope) {
                prop_assert_eq!(Ok(told.into_owned()), expression.interpreted(&scope), "{}", source);
            }
        }
    }
}
