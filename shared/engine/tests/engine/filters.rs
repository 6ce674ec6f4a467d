//! Which questions a list answers, and what it says to the others.

use engine::{Definition, Field, Filter, IndexKind, Op};
use serde_json::json;

use crate::{TICKET, rules, ticket};

fn parsed(source: &str) -> Filter {
    Filter::parse(&ticket(), source).unwrap_or_else(|refusal| panic!("{source}: {refusal}"))
}

fn refused(source: &str, part: &str) {
    let told = Filter::parse(&ticket(), source).err().map(|refusal| refusal.to_string());
    assert!(told.as_ref().is_some_and(|told| told.contains(part)), "{source}: {told:?}");
}

#[test]
fn comparisons_and_their_combinations_are_translated() {
    let weight = Field::Indexed { name: "weight".to_owned(), kind: IndexKind::Number };
    assert_eq!(
        parsed("record.state == 'waiting' && record.weight <= 2"),
        Filter::All(vec![
            Filter::Compare { field: Field::State, op: Op::Equal, value: json!("waiting") },
            Filter::Compare { field: weight.clone(), op: Op::LessOrEqual, value: json!(2) },
        ])
    );
    assert_eq!(
        parsed("!(5 < record.weight) || record.state in ['done', 'closed']"),
        Filter::Any(vec![
            Filter::Not(Box::new(Filter::Compare {
                field: weight,
                op: Op::Greater,
                value: json!(5)
            })),
            Filter::In { field: Field::State, values: vec![json!("done"), json!("closed")] },
        ])
    );
    assert!(matches!(
        parsed("record.due < timestamp('2026-03-14T22:05:00Z')"),
        Filter::Compare { op: Op::Less, .. }
    ));
    assert!(matches!(parsed("record.asker == null"), Filter::Compare { op: Op::Equal, .. }));
}

#[test]
fn what_no_index_answers_is_refused_with_what_does() {
    refused("record.notes == 'x'", "`record.notes` has no index");
    refused("record.title.startsWith('a')", "`startsWith` cannot be asked");
    refused("record.weight == 'heavy'", "holds a number");
    refused("record.weight < null", "null is neither");
    refused("actor.id == 'x'", "one side of a comparison");
    refused("record.weight + 1 == 2", "one side of a comparison");
    refused("record.due == 'yesterday'", "holds a time");
    refused("record.state ==", "it is no CEL");
}

#[test]
fn what_is_asked_again_is_what_was_read_once() {
    let rules = rules();
    let known = rules.process("ticket").unwrap();
    let source = "record.weight <= 2 && record.state != 'closed'";
    for _ in 0..2 {
        assert_eq!(rules.filter(known, source), Ok(parsed(source)));
        assert!(rules.filter(known, "record.nobody == 1").is_err());
    }
    // The same words on another version may mean something else.
    let text = TICKET.replace(", index: number", "");
    let other = Definition::parse(&text, 2).unwrap();
    assert!(rules.filter(&other, source).is_err());
    // However many are asked for.
    for weight in 0..1_000 {
        let source = format!("record.weight == {weight}");
        assert_eq!(rules.filter(known, &source), Ok(parsed(&source)));
    }
}
