//! What is written to hang a service is refused with a reason, and soon.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, thread};

use chrono::DateTime;
use engine::{Command, Definition, Ruleset, Scheme, Schemes, Subject, apply, decide};
use kernel::{Actor, Cause, Channel};
use serde_json::Map;
use uuid::Uuid;

const HEAD: &str = "process: bomb\ncollection: bombs\nnumber: BMB\nroles: { agent: {} }\n";

/// What is told first of a definition.
fn told(body: &str, expected: &str) {
    let flaws = Definition::parse(&format!("{HEAD}{body}"), 1).err().unwrap_or_default();
    let told: Vec<_> = flaws.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|flaw| flaw.contains(expected)), "{expected}: {:?}", told.first());
    assert!(told.len() <= 201, "{} are told", told.len());
}

/// So many states in a ring, each with so many ways out.
fn ring(states: usize, ways: usize) -> String {
    let mut text =
        String::from("fields: { properties: { title: { type: string } } }\nstarts: s0\nstates:\n");
    for state in 0..states {
        let _ = writeln!(text, "  s{state}:");
        for way in 0..ways {
            let to = (state * (way + 1) + 1) % states;
            let _ = writeln!(
                text,
                "    t{way}: {{ to: s{to}, by: [agent], when: record.title != 'x' }}"
            );
        }
    }
    text
}

#[test]
fn a_large_process_loads_and_one_too_large_does_not() {
    let large = format!("{HEAD}{}", ring(500, 4));
    assert!(Definition::parse(&large, 1).is_ok_and(|found| found.states().count() == 500));
    told(&ring(1_001, 1), "at most 1000 states, and these are 1001");
    let names: Vec<_> = (0..1_000).map(|state| format!("s{state}")).collect();
    let shared: String = (0..1_000).map(|way| format!("    t{way}: {{ by: [agent] }}\n")).collect();
    let body = format!(
        "fields: {{ properties: {{}} }}\nstarts: s0\nstates:\n  ? '{}'\n  :\n{shared}",
        names.join(", ")
    );
    told(&body, "at most 5000 transitions, and these are 1000000");
}

#[test]
fn names_without_end_are_told_in_part() {
    let keys: String = (0..40_000).map(|key| format!("key{key}: 1\n")).collect();
    told(&keys, "more faults than are shown");
    let twice: String = (0..40_000).map(|_| "again: 1\n".to_owned()).collect();
    told(&twice, "`again` stands twice");
}

#[test]
fn expressions_that_grow_are_refused() {
    let with = |expression: &str, expected: &str| {
        let fields = "fields: { properties: { a: { type: array }, t: { type: string }, n: { type: array, maxItems: 900 } } }";
        let states = "starts: open\nstates: { open: { go: { to: gone, by: [agent], when: \"WHEN\" } }, gone: {} }";
        told(&format!("{fields}\n{}", states.replace("WHEN", expression)), expected);
    };
    with("record.a.all(x, record.a.all(y, x == y))", "steps, and 4000000 are allowed");
    with("record.a.map(x, record.t).size() > 1", "steps, and 4000000 are allowed");
    // What is made of little may be more than any memory holds.
    with("record.n.map(x, record.t).join('') != ''", "steps, and 4000000 are allowed");
    with("record.t.replace('a', record.t) != ''", "steps, and 4000000 are allowed");
    let doubled = format!("[record.t]{}.size() > 0", ".map(x, x + x + x + x)".repeat(9));
    with(&doubled, "steps, and 4000000 are allowed");
    with("record.a.all(x, record.t.contains('a'))", "steps, and 4000000 are allowed");
    with(
        "record.n.all(x, record.n.all(y, record.t.matches('(a+)+b')))",
        "steps, and 4000000 are allowed",
    );
    with(&"(".repeat(500), "deeper than 12");
    with(&format!("{}true", "!".repeat(1_900)), "deeper than 12");
    with(&format!("1{}", "+1".repeat(900)), "80 are allowed");
    with(&format!("record{}", ".a".repeat(900)), "80 are allowed");
    with(&format!("{}1", "true ? 1 : ".repeat(150)), "deeper than 12");
    with(&vec!["record.t"; 300].join(" + "), "exceeds 2000");
}

#[test]
fn schemas_that_refer_to_themselves_or_backtrack_are_refused() {
    let with = |field: &str, expected: &str| {
        let body = format!(
            "fields: {{ properties: {{ f: {field} }} }}\nstarts: open\nstates: {{ open: {{}} }}"
        );
        told(&body, expected);
    };
    with("{ anyOf: [{ items: { $ref: '#/properties/f' } }] }", "nowhere within");
    with("{ type: array, items: { items: { $ref: '#' } } }", "nowhere within");
    with("{ type: string, pattern: '(?=a)b' }", "it is no JSON Schema");
    with("{ type: string, pattern: '((a{1,999}){1,999}){1,999}' }", "it is no JSON Schema");
}

#[test]
fn schemes_are_read_within_the_same_bounds() {
    let mut bomb = String::from("scheme: bomb\nkind: list\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        let _ = writeln!(bomb, "a{level}: &a{level} [{below}]");
    }
    let flaws = Scheme::parse(&bomb, 1).err().unwrap_or_default();
    assert!(flaws.iter().any(|flaw| flaw.message.contains("more than 100000 values")), "{flaws:?}");
}

/// Walks a definition whose one transition asks `when`, from its text to the end.
fn walk(when: &str) {
    let text = format!(
        "{HEAD}fields: {{ properties: {{}} }}\nstarts: open\nstates: {{ open: {{ go: {{ to: gone, \
         by: [agent], when: \"{when}\" }} }}, gone: {{}} }}"
    );
    let definition = Definition::parse(&text, 1).unwrap_or_else(|flaws| panic!("{flaws:?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default());
    let rules = rules.unwrap_or_else(|faults| panic!("{faults:?}"));
    let roles = BTreeSet::from(["agent".to_owned()]);
    let actor = Arc::new(Actor { roles, ..Actor::system("test") });
    let cause = Cause::new(Uuid::nil(), actor, DateTime::UNIX_EPOCH, Channel::Api);
    let new = Subject::New { process: "bomb", id: Uuid::nil(), number: "BMB1".to_owned() };
    let opened = decide(&rules, new, &Command::Open { data: Map::new() }, &cause);
    let record = apply(None, &opened.unwrap_or_else(|refusal| panic!("{refusal}")));
    let go = Command::Take { transition: "go".to_owned(), with: Map::new() };
    let gone = decide(&rules, Subject::Existing(&record), &go, &cause);
    assert_eq!(gone.map(|fact| fact.to), Ok(Some("gone".to_owned())), "{when}");
}

/// With the stack that the binary gives its threads, in a build without optimisation.
#[test]
fn what_is_just_within_the_bounds_is_walked_to_its_end() {
    let walks = || {
        walk(&format!("1{} > 0", "+1".repeat(79)));
        walk(&format!("{}true", "!".repeat(12)));
        walk(&format!("{}true{}", "(".repeat(12), ")".repeat(12)));
        walk(&format!("{}true", "false ? false : ".repeat(12)));
    };
    let thread = thread::Builder::new().stack_size(8 * 1024 * 1024).spawn(walks);
    thread.expect("a thread").join().expect("all are walked");
}
