//! Schemes over time: what counts when, what a record was judged by, and what a file of one must say.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{Command, Definition, Fact, Record, Ruleset, Scheme, Schemes, Subject, apply, decide};
use kernel::{Actor, Cause, Channel, Refusal};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const CASE: &str = "
process: case
collection: cases
number: CAS
roles: { agent: {} }
late: { within: P9D, by: [agent] }
fields:
  properties:
    impact: { enum: [high, low] }
    kind: { $ref: 'steward:ref/kind' }
    note: { type: string }
    grade: { type: integer, readOnly: true }
    is_hardware: { type: boolean, readOnly: true }
derive:
  grade: matrix('grade', record.impact)
  is_hardware: under('kind', record.kind, 'hardware')
starts: open
states:
  open: { look: { by: [agent] }, shut: { to: shut, by: [agent] } }
  shut: {}
";

const GRADE: &str = "scheme: grade\nkind: matrix\ninputs: [impact]\ntable: { high: 1, low: 5 }\n";

/// Devices, of which one is gone by March and one comes in April.
const KIND: &str = "
scheme: kind
kind: tree
entries:
  hardware:
  disk: { under: hardware }
  tape: { under: disk, valid_to: 2026-03-01 }
  chip: { under: hardware, valid_from: '2026-04-01T06:00:00Z' }
  software:
";

fn scheme(text: &str, version: u32) -> Scheme {
    Scheme::parse(text, version).unwrap_or_else(|flaws| panic!("{flaws:?}"))
}

/// The second version of the matrix begins in April, and is published before.
fn rules() -> Ruleset {
    let later = GRADE.replace("high: 1, low: 5", "high: 2, low: 4") + "valid_from: 2026-04-01\n";
    let schemes = Schemes::new(vec![scheme(&later, 2), scheme(KIND, 1)]);
    let schemes = schemes.with_former(vec![scheme(GRADE, 1)]);
    let case = Definition::parse(CASE, 1).unwrap_or_else(|flaws| panic!("{flaws:?}"));
    Ruleset::new(vec![case], schemes).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn at(day: &str) -> DateTime<Utc> {
    format!("2026-{day}T12:00:00Z").parse().unwrap_or_else(|fault| panic!("{fault}"))
}

fn act(
    rules: &Ruleset,
    record: Option<&Record>,
    command: &Command,
    (recorded, occurred): (&str, Option<&str>),
) -> Result<Fact, Refusal> {
    let roles = BTreeSet::from(["agent".to_owned()]);
    let actor =
        Actor { id: "person:ada".into(), name: "Ada".into(), roles, groups: BTreeSet::new() };
    let mut cause = Cause::new(Uuid::nil(), Arc::new(actor), at(recorded), Channel::Api);
    cause.occurred_at = occurred.map(at);
    let subject = match record {
        Some(record) => Subject::Existing(record),
        None => Subject::New { process: "case", id: Uuid::nil(), number: "CAS1".to_owned() },
    };
    decide(rules, subject, command, &cause)
}

fn data(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn open(rules: &Ruleset, fields: Value, when: (&str, Option<&str>)) -> Result<Fact, Refusal> {
    act(rules, None, &Command::Open { data: data(fields) }, when)
}

/// A field, and the version of the matrix that the step asked.
fn judged(fact: &Fact, record: &Record) -> (Value, Value) {
    let asked = fact.computed.get("schemes").map(|schemes| schemes["grade"].clone());
    (record.data["grade"].clone(), asked.unwrap_or_default())
}

#[test]
fn a_version_counts_from_its_date_and_a_record_keeps_what_it_was_judged_by() {
    let rules = rules();
    let step = |record: Option<Record>, command: Command, when: (&str, Option<&str>)| {
        let fact = act(&rules, record.as_ref(), &command, when);
        let fact = fact.unwrap_or_else(|refusal| panic!("{refusal}"));
        let record = apply(record, &fact);
        (judged(&fact, &record), record)
    };
    let opening = || Command::Open { data: data(json!({ "impact": "high" })) };
    let amend = |fields: Value| Command::Amend { patch: data(fields) };
    let (told, record) = step(None, opening(), ("03-20", None));
    assert_eq!(told, (json!(1), json!(1)));
    // What is judged stays the same, and so does its judgement.
    let (told, record) = step(Some(record), amend(json!({ "note": "n" })), ("04-02", None));
    assert_eq!(told, (json!(1), Value::Null));
    let (told, _) = step(Some(record), amend(json!({ "impact": "low" })), ("04-02", None));
    assert_eq!(told, (json!(4), json!(2)));
    // What is recorded late is judged by what counted when it happened.
    assert_eq!(step(None, opening(), ("04-02", None)).0, (json!(2), json!(2)));
    assert_eq!(step(None, opening(), ("04-02", Some("03-30"))).0, (json!(1), json!(1)));
}

#[test]
fn an_entry_counts_while_it_does_and_is_under_what_it_hangs_on() {
    let rules = rules();
    let told = |kind: &str, day: &str| match open(&rules, json!({ "kind": kind }), (day, None)) {
        Ok(fact) => apply(None, &fact).data["is_hardware"].to_string(),
        Err(refusal) => refusal.faults[0].message.clone(),
    };
    assert_eq!(told("disk", "03-20"), "true");
    assert_eq!(told("hardware", "03-20"), "true");
    assert_eq!(told("software", "03-20"), "false");
    assert_eq!(told("tape", "02-20"), "true");
    assert_eq!(told("tape", "03-20"), "the kind `tape` counted until 2026-03-01 00:00:00 UTC");
    assert_eq!(told("chip", "03-20"), "the kind `chip` counts from 2026-04-01 06:00:00 UTC");
    assert_eq!(told("chip", "04-20"), "true");
    let listed = "there is no kind `drum`; there is chip, disk, hardware, software";
    assert_eq!(told("drum", "04-20"), listed);
    let tree = rules.schemes().list("kind", at("03-20")).map(|tree| tree.counting(at("03-20")));
    let names: Vec<&str> = tree.into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(names, ["disk", "hardware", "software"]);
}

#[test]
fn what_is_wrong_with_a_scheme_is_told_with_its_place() {
    let cases = [
        ("a branch of nothing", KIND, ("under: disk", "under: dsik")),
        ("a ring", KIND, ("  hardware:", "  hardware: { under: tape }")),
        ("a date that is none", KIND, ("valid_to: 2026-03-01", "valid_to: soon")),
        ("what never counts", KIND, ("valid_to:", "valid_from: 2026-03-02, valid_to:")),
        ("no kind", KIND, ("kind: tree", "kind: tre")),
        ("no inputs", GRADE, ("inputs: [impact]\n", "")),
        ("a key that means nothing", GRADE, ("inputs:", "valid_until: 2026-03-01\ninputs:")),
        (
            "a calendar with a date",
            "scheme: days\nkind: calendar\ncalendar: { zone: Europe/Berlin, week: { mon: ['08:00-18:00'] } }\n",
            ("kind: calendar", "kind: calendar\nvalid_from: 2026-07-01"),
        ),
    ];
    let mut page = String::new();
    for (title, whole, (right, wrong)) in cases {
        let text = whole.replacen(right, wrong, 1);
        assert_ne!(text, whole, "{title}");
        let flaws = Scheme::parse(&text, 1).err().unwrap_or_default();
        assert!(!flaws.is_empty(), "{title}");
        let _ = writeln!(page, "# {title}");
        for flaw in flaws {
            let _ = writeln!(page, "{flaw} [{}]", flaw.code);
        }
        page.push('\n');
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("flaws_schemes", page);
    });
}
