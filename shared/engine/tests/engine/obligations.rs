//! What must be done again and again: remembered, overdue once, discharged, and never forgotten.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{Command, Definition, Fact, Record, Ruleset, Schemes, Subject, Timer, apply, decide};
use kernel::{Actor, Cause, Channel, Refusal};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An agreement that is looked at each quarter, and tried each year from its signature on.
pub const PACT: &str = "
process: pact
collection: pacts
number: PCT
roles: { manager: {} }
fields:
  required: [title]
  properties:
    title: { type: string }
    owner: { $ref: 'steward:ref/person' }
    signed: { type: string, format: date }
    rhythm: { type: string, default: P1Y }
    finding: { type: string, readOnly: true }
obligations:
  look: { label: { de: Durchsicht }, every: P3M, done_by: look, in: [active], owner: record.owner, remind: [P1D, P14D], calendar: working }
  try: { every: record.rhythm, from: record.signed, done_by: [try_out], in: [active] }
starts: draft
states:
  draft: { sign: { to: active, by: [manager], needs: [signed] } }
  active:
    look: { by: [manager], needs: [finding] }
    try_out: { by: [manager], says: tried }
    end: { to: ended, by: [manager] }
    warn: { after: P100D, says: warned }
  ended: {}
";
const WORKING: &str = "scheme: working\nkind: calendar\ncalendar: { zone: UTC, week: { mon: ['08:00-18:00'], tue: ['08:00-18:00'], wed: ['08:00-18:00'], thu: ['08:00-18:00'], fri: ['08:00-18:00'] } }\n";

/// A record with its history and the timers that a store would keep.
struct Case {
    rules: Ruleset,
    now: DateTime<Utc>,
    record: Option<Record>,
    timers: Vec<Timer>,
    history: Vec<Fact>,
}

fn data(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn take(transition: &str, with: Value) -> Command {
    Command::Take { transition: transition.to_owned(), with: data(with) }
}

impl Case {
    fn signed() -> Self {
        let definition = Definition::parse(PACT, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
        let schemes = Schemes::parse_all(&[("working", WORKING)]).unwrap_or_default();
        let rules = Ruleset::new(vec![definition], schemes);
        let rules = rules.unwrap_or_else(|faults| panic!("{faults:#?}"));
        let now = "2026-01-31T10:00:00Z".parse().unwrap_or_default();
        let mut case = Self { rules, now, record: None, timers: vec![], history: vec![] };
        case.does(Command::Open { data: data(json!({ "title": "Mail", "owner": "person:ida" })) });
        assert!(case.timers.is_empty() && case.owed("look").is_null());
        case.does(take("sign", json!({ "signed": "2024-02-29" })));
        case
    }

    fn ask(&self, command: &Command, is_timer: bool) -> Result<Fact, Refusal> {
        let roles = BTreeSet::from(["manager".to_owned()]);
        let id = "person:max".to_owned();
        let max = Actor { name: id.clone(), id, roles, groups: BTreeSet::new() };
        let (actor, channel) = match is_timer {
            true => (Actor::system("pact"), Channel::Timer),
            false => (max, Channel::Api),
        };
        let cause = Cause::new(Uuid::nil(), Arc::new(actor), self.now, channel);
        let subject = match &self.record {
            Some(record) => Subject::Existing(record),
            None => Subject::New { process: "pact", id: Uuid::nil(), number: "PCT1".to_owned() },
        };
        decide(&self.rules, subject, command, &cause)
    }

    fn keep(&mut self, fact: Fact, fired: Option<&Timer>) -> Fact {
        self.record = Some(apply(self.record.take(), &fact));
        self.timers.retain(|timer| Some(timer) != fired);
        if let Some(all) = &fact.timers {
            self.timers.clone_from(all);
        }
        for timer in &fact.more_timers {
            self.timers.retain(|known| known.transition != timer.transition);
            self.timers.push(timer.clone());
        }
        self.history.push(fact.clone());
        fact
    }

    fn does(&mut self, command: Command) -> Fact {
        let fact = self.ask(&command, false);
        let fact = fact.unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
        self.keep(fact, None)
    }

    /// Moves on, whatever is due on the way being done then, and tells what it was.
    fn until(&mut self, instant: &str) -> Vec<String> {
        let end: DateTime<Utc> = instant.parse().unwrap_or_else(|fault| panic!("{fault}"));
        let mut told = Vec::new();
        loop {
            let next =
                self.timers.iter().filter(|timer| timer.due <= end).min_by_key(|one| one.due);
            let Some(timer) = next.cloned() else { break };
            self.now = self.now.max(timer.due);
            let fire = Command::Fire { transition: timer.transition.clone() };
            let fact = self.ask(&fire, true).unwrap_or_else(|no| panic!("{timer:?}: {no}"));
            let fact = self.keep(fact, Some(&timer));
            let day = self.now.format("%m-%d");
            told.push(format!("{day} {} {}", fact.event, timer.transition));
        }
        self.now = end;
        told
    }

    /// The same after a pause, in which nothing happened.
    fn after_a_pause(&mut self, instant: &str) -> Vec<String> {
        self.now = instant.parse().unwrap_or_else(|fault| panic!("{fault}"));
        self.until(instant)
    }

    fn owed(&self, name: &str) -> Value {
        let record = self.record.as_ref().unwrap_or_else(|| panic!("nothing is open"));
        let all = record.data.get("obligations").and_then(Value::as_array);
        let mut all = all.into_iter().flatten();
        all.find(|owed| owed["name"] == name).cloned().unwrap_or_default()
    }

    fn next_duty(&self) -> Value {
        let record = self.record.as_ref();
        record.and_then(|record| record.data.get("next_duty")).cloned().unwrap_or_default()
    }
}

#[test]
fn a_duty_is_remembered_overdue_and_due_again_from_its_plan() {
    let mut case = Case::signed();
    let look = case.owed("look");
    assert_eq!(
        (&look["due_at"], &look["owner"]),
        (&json!("2026-04-30T10:00:00Z"), &json!("person:ida"))
    );
    // Counted from the 29th of February, it is due at the end of the 28th in most years.
    assert_eq!(case.owed("try")["due_at"], "2026-03-01T00:00:00Z");
    assert_eq!(case.next_duty(), "2026-03-01T00:00:00.000000Z");
    let told = case.until("2026-05-20T00:00:00Z");
    let expected = [
        "03-01 obligation_overdue duty:try",
        "04-16 obligation_reminded duty:look",
        "04-29 obligation_reminded duty:look",
        "04-30 obligation_overdue duty:look",
        "05-11 warned warn",
    ];
    assert_eq!(told, expected);
    case.does(take("look", json!({ "finding": "fine" })));
    let look = case.owed("look");
    assert_eq!(
        (&look["done"], &look["late"], &look["overdue"]),
        (&json!(1), &json!(1), &json!(false))
    );
    // The last day of July is a Friday, on which people work.
    assert_eq!(look["due_at"], "2026-07-31T10:00:00Z");
    // What is done early is done for its turn.
    case.until("2026-07-28T00:00:00Z");
    case.does(take("look", json!({ "finding": "fine again" })));
    let look = case.owed("look");
    // The 31st of October is a Saturday.
    assert_eq!((&look["late"], &look["due_at"]), (&json!(1), &json!("2026-11-02T10:00:00Z")));
    assert_eq!(look["done_by"], "person:max");
    // Timers of the state are left as they are by all that.
    assert!(case.timers.iter().all(|timer| timer.transition != "warn"), "{:?}", case.timers);
    case.does(take("end", json!({})));
    assert_eq!((case.next_duty(), case.timers.len()), (Value::Null, 0));
    let replayed = case.history.iter().fold(None, |record, fact| Some(apply(record, fact)));
    assert_eq!(replayed, case.record);
}

#[test]
fn after_a_pause_of_years_it_is_overdue_once() {
    let mut case = Case::signed();
    let told = case.after_a_pause("2031-05-20T00:00:00Z");
    assert_eq!(
        told,
        [
            "05-20 obligation_overdue duty:try",
            "05-20 obligation_overdue duty:look",
            "05-20 warned warn"
        ]
    );
    case.does(take("look", json!({ "finding": "late" })));
    assert_eq!(case.owed("look")["due_at"], "2031-07-31T10:00:00Z");
    assert_eq!(case.until("2031-05-21T00:00:00Z"), Vec::<String>::new());
}

#[test]
fn another_plan_counts_from_now_on_and_pays_for_nothing() {
    let mut case = Case::signed();
    let amend = |patch: Value| Command::Amend { patch: data(patch) };
    let amended = case.does(amend(json!({ "rhythm": "P6M" })));
    assert_eq!(amended.more_timers, []);
    assert_eq!(case.owed("try")["due_at"], "2026-03-01T00:00:00Z");
    let amended = case.does(amend(json!({ "rhythm": "P5Y" })));
    assert_eq!(amended.more_timers.len(), 1);
    assert_eq!(case.owed("try")["due_at"], "2029-03-01T00:00:00Z");
    case.does(amend(json!({ "rhythm": "P1M" })));
    case.until("2026-03-10T00:00:00Z");
    assert_eq!(case.owed("try")["overdue"], true);
    case.does(amend(json!({ "rhythm": "P1Y" })));
    assert_eq!(case.owed("try")["overdue"], true);
    // A date that nobody knows is no plan; one that cannot be read is told.
    case.does(amend(json!({ "signed": null })));
    assert!(case.owed("try").is_null());
    let refused = case.ask(&amend(json!({ "rhythm": "soon", "signed": "2026-01-01" })), false);
    assert!(refused.is_err_and(|no| no.to_string().contains("`soon` is no interval")));
    let early = Command::Fire { transition: "duty:look".to_owned() };
    let codes = case.ask(&early, true).err().map(|no| no.faults[0].code.clone());
    assert_eq!(codes.as_deref(), Some("not_due"));
}
