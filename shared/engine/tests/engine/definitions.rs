//! A definition in hand is sound: what is not is told with every fault at once.

use engine::Definition;

use crate::TICKET;

fn check(change: (&str, &str), expected: &[&str]) {
    let text = TICKET.replace(change.0, change.1);
    assert_ne!(text, TICKET, "the change {change:?} changes nothing");
    let faults = Definition::parse(&text, 1).err().unwrap_or_default();
    assert_eq!(faults.len(), expected.len(), "{change:?}: {faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.contains(expected), "{change:?}: {fault}");
    }
}

#[test]
fn unknown_names_are_told_with_their_place() {
    check(
        ("to: working, by: [agent]", "to: wroking, by: [agnet]"),
        &[
            "`agnet` may do something, but `roles` does not name it",
            "states.waiting.start: `wroking` is no state",
        ],
    );
    check(
        ("needs: [reason], set", "needs: [raeson], set"),
        &["states.working.pause: `raeson` is no field"],
    );
    check(("record.turns + 1", "record.trun + 1"), &["names `record.trun`, which is no field"]);
    check(
        ("record.turns + 1", "recrod.turns + 1"),
        &["states.working.pause: `turns`: `recrod.turns + 1` names `recrod`"],
    );
}

#[test]
fn what_the_format_does_not_know_is_refused_with_its_line() {
    check(("starts: waiting", "starts: waiting\nbegins: waiting"), &["unknown field `begins`"]);
    check(("  closed: {}\n", "  closed: {}\n  closed: {}\n"), &["duplicate"]);
    check(("P30D", "P1M"), &["states.waiting.expire: `P1M` counts years or months"]);
    check(
        ("weight: { type: integer", "weight: { type: whole"),
        &["field `weight`: it is no JSON Schema"],
    );
    check(("index: number", "index: money"), &["`index` is one of text, number, time"]);
}

#[test]
fn a_state_that_nothing_leads_to_is_told() {
    check(("{ to: done, by", "{ to: closed, by"), &["nothing leads to `done`"]);
}

#[test]
fn aliases_cannot_blow_a_definition_up() {
    let mut bomb = String::from("process: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("k{level}: &a{level} [{below}]\n"));
    }
    assert!(Definition::parse(&bomb, 1).is_err());
}
