//! A change from open to closed: votes, debts, voided approvals, and what must never happen.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{
    Ballot, Calculation, Calculations, Command, Definition, Fact, Languages, Record, Ruleset,
    Schemes, Subject, TaskWish, apply, offers, step,
};
use kernel::{Actor, Cause, Channel};
use serde_json::{Value, json};
use uuid::Uuid;

pub const CHANGE: &str = include_str!("change.v1.yaml");
const WORKING: &str = "scheme: working\nkind: calendar\ncalendar: { zone: UTC, week: { mon: ['08:00-18:00'], tue: ['08:00-18:00'], wed: ['08:00-18:00'], thu: ['08:00-18:00'], fri: ['08:00-18:00'] } }\n";

/// A change, and the clock of those who work on it.
struct Case {
    rules: Ruleset,
    now: DateTime<Utc>,
    record: Option<Record>,
    history: Vec<Fact>,
}

fn actor(id: &str, roles: &[&str]) -> Arc<Actor> {
    let roles: BTreeSet<_> = roles.iter().map(|role| (*role).to_owned()).collect();
    Arc::new(Actor { id: id.to_owned(), name: id.to_owned(), roles, groups: BTreeSet::new() })
}

fn manager() -> Arc<Actor> {
    actor("person:mona", &["change_manager"])
}

fn board(name: &str) -> Arc<Actor> {
    actor(&format!("person:{name}"), &["cab_member"])
}

/// Ines carries it out: the record says so.
fn ines() -> Arc<Actor> {
    actor("person:ines", &[])
}

fn take(transition: &str, with: Value) -> Command {
    Command::Take {
        transition: transition.to_owned(),
        with: with.as_object().cloned().unwrap_or_default(),
    }
}

fn vote(transition: &str, ballot: Ballot) -> Command {
    Command::Vote { transition: transition.to_owned(), ballot, comment: None }
}

fn amend(patch: Value) -> Command {
    Command::Amend { patch: patch.as_object().cloned().unwrap_or_default() }
}

impl Case {
    /// A change that Rita asks for, with this data laid over a normal one.
    fn open(data: Value) -> Self {
        let definition = Definition::parse(CHANGE, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
        let rules = rules_of(definition);
        let now = "2026-03-16T09:00:00Z".parse().unwrap_or_else(|fault| panic!("{fault}"));
        let mut case = Self { rules, now, record: None, history: Vec::new() };
        let mut all = json!({
            "title": "New firewall", "service": "SVC-PAY", "type": "normal",
            "requester": "person:rita", "implementer": "person:ines",
        });
        for (name, value) in data.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let data = all.as_object().cloned().unwrap_or_default();
        case.does(&actor("person:rita", &[]), Command::Open { data });
        case
    }

    fn ask(&self, who: &Arc<Actor>, command: &Command) -> Result<Fact, kernel::Refusal> {
        self.ask_late(who, command, None)
    }

    fn ask_late(
        &self,
        who: &Arc<Actor>,
        command: &Command,
        occurred: Option<&str>,
    ) -> Result<Fact, kernel::Refusal> {
        let channel = if who.is_system() { Channel::Timer } else { Channel::Api };
        let mut cause = Cause::new(Uuid::nil(), Arc::clone(who), self.now, channel);
        cause.occurred_at = occurred.and_then(|at| at.parse().ok());
        let id = Uuid::from_u128(1);
        let subject = match &self.record {
            Some(record) => Subject::Existing(record),
            None => Subject::New { process: "change", id, number: "CHG0000001".to_owned() },
        };
        let (fact, made) = step(&self.rules, subject, command, &cause)?;
        assert_eq!(made, apply(self.record.clone(), &fact), "{command:?}");
        Ok(fact)
    }

    fn does(&mut self, who: &Arc<Actor>, command: Command) -> Fact {
        let fact = self
            .ask(who, &command)
            .unwrap_or_else(|refusal| panic!("{}: {command:?}: {refusal}", who.id));
        self.record = Some(apply(self.record.take(), &fact));
        self.history.push(fact.clone());
        fact
    }

    /// The code of the refusal.
    fn refuses(&self, who: &Arc<Actor>, command: Command, expected: &str) -> String {
        match self.ask(who, &command) {
            Ok(fact) => panic!("{}: {command:?} was granted: {fact:?}", who.id),
            Err(refusal) => {
                let codes: Vec<_> = refusal.faults.iter().map(|fault| &*fault.code).collect();
                assert_eq!(codes, [expected], "{refusal}");
                refusal.to_string()
            }
        }
    }

    fn state(&self) -> &str {
        &self.record().state
    }

    fn record(&self) -> &Record {
        self.record.as_ref().unwrap_or_else(|| panic!("nothing is open"))
    }

    fn at(&mut self, instant: &str) {
        self.now = instant.parse().unwrap_or_else(|fault| panic!("{fault}"));
    }

    fn settles_tasks(&mut self) {
        self.does(&manager(), Command::Task { wish: TaskWish::Done { id: 1 } });
        self.does(&manager(), Command::Task { wish: TaskWish::Drop { id: 2 } });
    }

    fn comes_to_approval(&mut self) {
        let evidence = json!({ "plan": "swap it", "backout": "swap it back" });
        self.does(&actor("person:rita", &[]), take("submit", evidence));
        self.settles_tasks();
        self.does(&manager(), take("assess", json!({})));
        assert_eq!(self.state(), "approval");
    }

    fn replays(&self) {
        let replayed = self.history.iter().fold(None, |record, fact| Some(apply(record, fact)));
        assert_eq!(replayed, self.record);
    }
}

fn rules_of(definition: Definition) -> Ruleset {
    let calculations = Calculations::from([
        ("risk_class", risk_class as Calculation),
        ("conflicts", (|_, _| Ok(json!(false))) as Calculation),
    ]);
    let schemes = Schemes::parse_all(&[("working", WORKING)]);
    let schemes = schemes.unwrap_or_else(|faults| panic!("{faults:#?}"));
    Ruleset::calculating(vec![definition], schemes, calculations)
        .unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Risk 4 when it touches more than one item.
fn risk_class(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let items = given.first().and_then(|record| record["items"].as_array()).map_or(0, Vec::len);
    Ok(json!(if items > 1 { 4 } else { 1 }))
}

const WINDOW: (&str, &str) = ("2026-03-18T20:00:00Z", "2026-03-18T22:00:00Z");

fn window() -> Value {
    json!({ "from": WINDOW.0, "to": WINDOW.1 })
}

#[test]
fn a_change_is_voted_on_made_and_closed() {
    let mut case = Case::open(json!({ "items": ["app-pay-01", "app-pay-02"], "window": window() }));
    case.comes_to_approval();
    let told = case.refuses(&manager(), take("authorise", json!({})), "vote");
    assert!(told.contains("the vote that decides takes it"), "{told}");
    let first = case.does(&board("anna"), vote("authorise", Ballot::Approve));
    assert_eq!((first.event.as_str(), first.to), ("voted", None));
    case.does(&board("bert"), vote("authorise", Ballot::Approve));
    let offered =
        offers(&case.rules, case.record(), &board("cleo"), &Languages::default(), case.now);
    let authorise = offered.iter().find(|offer| offer.name == "authorise");
    let tally = authorise.and_then(|offer| offer.vote).map(|tally| (tally.quorum, tally.missing));
    assert_eq!(tally, Some((3, 1)), "{offered:#?}");
    let last = case.does(&board("cleo"), vote("authorise", Ballot::Approve));
    assert_eq!(
        (last.event.as_str(), last.transition.as_deref()),
        ("authorised", Some("authorise"))
    );
    assert_eq!(case.state(), "scheduled");
    case.refuses(&ines(), take("implement", json!({})), "guard");
    case.at(WINDOW.0);
    case.does(&ines(), take("implement", json!({})));
    case.does(&ines(), take("complete", json!({ "outcome": "success" })));
    case.does(&manager(), take("close", json!({ "review": "as planned" })));
    assert_eq!(case.state(), "closed");
    case.replays();
}

#[test]
fn who_asked_or_carries_out_has_no_vote() {
    let mut case = Case::open(json!({}));
    case.comes_to_approval();
    let rita = actor("person:rita", &["cab_member"]);
    case.refuses(&rita, vote("authorise", Ballot::Approve), "excluded");
    case.refuses(
        &actor("person:ines", &["cab_member"]),
        vote("authorise", Ballot::Approve),
        "excluded",
    );
    case.refuses(&manager(), vote("authorise", Ballot::Approve), "role");
    let offered = offers(&case.rules, case.record(), &rita, &Languages::accepted("de"), case.now);
    let because = offered.iter().find(|offer| offer.name == "authorise");
    let because = because.and_then(|offer| offer.refused_because.clone()).unwrap_or_default();
    assert!(because.contains("may not vote here, being `record.requester`"), "{because}");
    // Mona submits for somebody who is gone: then she does not approve it either.
    let mut case = Case::open(json!({}));
    case.does(&manager(), take("submit", json!({ "plan": "a", "backout": "b" })));
    case.settles_tasks();
    case.does(&manager(), take("assess", json!({})));
    let mona = actor("person:mona", &["change_manager", "cab_member"]);
    let told = case.refuses(&mona, vote("authorise", Ballot::Approve), "control");
    assert!(told.contains("CHG-5: nobody approves what they asked for"), "{told}");
}

#[test]
fn who_approved_does_not_carry_it_out() {
    let mut case = Case::open(json!({ "window": window() }));
    case.comes_to_approval();
    let both = actor("person:anna", &["cab_member", "change_manager"]);
    case.does(&both, vote("authorise", Ballot::Approve));
    case.at(WINDOW.0);
    let told = case.refuses(&both, take("implement", json!({})), "control");
    assert!(told.contains("you took `authorise`: CHG-5"), "{told}");
    case.does(&ines(), take("implement", json!({})));
}

#[test]
fn a_vote_is_changed_handed_over_and_not_cast_twice() {
    let mut case = Case::open(json!({ "items": ["app-pay-01", "app-pay-02"] }));
    case.comes_to_approval();
    case.does(&board("anna"), vote("authorise", Ballot::Reject));
    case.does(&board("anna"), vote("authorise", Ballot::Approve));
    case.refuses(&board("anna"), vote("authorise", Ballot::Approve), "voted");
    let dora = actor("person:dora", &[]);
    case.refuses(&dora, vote("authorise", Ballot::Approve), "role");
    let to = |person: &str| vote("authorise", Ballot::Delegate(person.to_owned()));
    case.refuses(&board("bert"), to("person:bert"), "delegate");
    case.refuses(&board("bert"), to("person:anna"), "delegate");
    case.refuses(&board("bert"), to("person:rita"), "excluded");
    case.does(&board("bert"), to("person:dora"));
    case.refuses(&board("bert"), vote("authorise", Ballot::Approve), "delegated");
    case.refuses(&dora, to("person:emil"), "delegate");
    case.does(&dora, vote("authorise", Ballot::Approve));
    let votes = case.record().data["votes"].as_array().cloned().unwrap_or_default();
    assert_eq!(votes.last().map(|cast| cast["for"].clone()), Some(json!("person:bert")));
    case.does(&board("cleo"), vote("authorise", Ballot::Approve));
    assert_eq!(case.state(), "scheduled");
    case.replays();
}

#[test]
fn what_was_approved_does_not_change_unseen() {
    let mut case = Case::open(json!({ "items": ["app-pay-01", "app-pay-02"], "window": window() }));
    case.comes_to_approval();
    case.does(&board("anna"), vote("authorise", Ballot::Approve));
    let before = case.does(&manager(), amend(json!({ "title": "A new firewall" })));
    assert!(!before.changes.contains_key("votes"));
    // A vote that is not decided yet is void, and the record stays.
    let amended = case.does(&manager(), amend(json!({ "plan": "swap both" })));
    assert_eq!((amended.event.as_str(), case.state()), ("amended", "approval"));
    assert!(!case.record().data.contains_key("votes"));
    for name in ["anna", "bert", "cleo"] {
        case.does(&board(name), vote("authorise", Ballot::Approve));
    }
    assert_eq!(case.state(), "scheduled");
    // One that is decided sends the record back, to be voted on again.
    let voided = case.does(&manager(), amend(json!({ "plan": "swap all three" })));
    assert_eq!((voided.event.as_str(), case.state()), ("voided", "approval"));
    assert!(voided.timers.is_some_and(|timers| timers[0].transition == "remind"));
    for name in ["anna", "bert", "cleo"] {
        case.does(&board(name), vote("authorise", Ballot::Approve));
    }
    case.at(WINDOW.0);
    case.does(&ines(), take("implement", json!({})));
    // And once it is being carried out, it does not change at all.
    let told = case.refuses(&manager(), amend(json!({ "plan": "something else" })), "voted");
    assert!(told.contains("changes no more while CHG0000001 is implementing"), "{told}");
    case.replays();
}

#[test]
fn tasks_have_an_order_and_somebody_who_does_them() {
    let mut case = Case::open(json!({}));
    case.does(&actor("person:rita", &[]), take("submit", json!({ "plan": "a", "backout": "b" })));
    let task = |wish| Command::Task { wish };
    case.refuses(&manager(), take("assess", json!({})), "guard");
    case.refuses(&ines(), task(TaskWish::Done { id: 1 }), "role");
    let told = case.refuses(&manager(), task(TaskWish::Done { id: 2 }), "task_order");
    assert!(told.contains("task 2 comes after task 1 (Ask those who depend on it)"), "{told}");
    let add = |title: &str, after: Vec<u32>| {
        task(TaskWish::Add { title: title.to_owned(), assignee: None, after })
    };
    case.refuses(&manager(), add(" ", vec![]), "length");
    case.refuses(&manager(), add("Tell the desk", vec![9]), "unknown_task");
    case.refuses(&ines(), add("Tell the desk", vec![]), "role");
    case.does(&manager(), add("Tell the desk", vec![2]));
    let hand = TaskWish::Assign { id: 1, assignee: "person:ines".to_owned() };
    case.does(&manager(), task(hand));
    let done = case.does(&ines(), task(TaskWish::Done { id: 1 }));
    assert_eq!((done.event.as_str(), done.role.as_deref()), ("task_done", Some("assignee")));
    case.refuses(&ines(), task(TaskWish::Done { id: 1 }), "task_settled");
    case.does(&manager(), task(TaskWish::Drop { id: 2 }));
    case.does(&manager(), task(TaskWish::Done { id: 3 }));
    case.does(&manager(), take("assess", json!({})));
    case.replays();
}

#[test]
fn a_field_changes_where_and_by_whom_its_rule_says() {
    let mut case = Case::open(json!({}));
    let rita = actor("person:rita", &[]);
    case.refuses(&rita, amend(json!({ "customer": "Arbor Retail" })), "role");
    case.does(&rita, amend(json!({ "plan": "a", "backout": "b" })));
    case.does(&manager(), amend(json!({ "customer": "Arbor Retail", "title": "A firewall" })));
    case.comes_to_approval();
    let told = case.refuses(&manager(), amend(json!({ "customer": "Meridian" })), "not_editable");
    assert!(told.contains("changes while CHG0000001 is draft or assessment"), "{told}");
    case.replays();
}

#[test]
fn an_emergency_owes_its_approval() {
    let mut case = Case::open(json!({ "type": "emergency" }));
    let system = Arc::new(Actor::system("change"));
    let taken =
        case.does(&manager(), take("break_glass", json!({ "authorised_by": "person:otto" })));
    let timer = taken.timers.and_then(|timers| timers.into_iter().next());
    let due: DateTime<Utc> = "2026-03-18T09:00:00Z".parse().unwrap_or_default();
    assert_eq!(
        timer.map(|timer| (timer.transition, timer.due)),
        Some(("owes:ratify".to_owned(), due))
    );
    assert_eq!(case.record().data["debts"][0]["owed_for"], "break_glass");
    case.does(&ines(), take("complete", json!({ "outcome": "success" })));
    let told = case.refuses(&manager(), take("close", json!({ "review": "ok" })), "owes");
    assert!(told.contains("still owes `ratify`"), "{told}");
    case.at("2026-03-18T09:00:00Z");
    let late = Command::Fire { transition: "owes:ratify".to_owned() };
    let overdue = case.does(&system, late.clone());
    assert_eq!(overdue.event, "overdue");
    assert_eq!(case.record().data["debts"][0]["overdue"], true);
    case.refuses(&system, late, "paid");
    case.does(&board("anna"), vote("ratify", Ballot::Approve));
    case.does(&board("bert"), vote("ratify", Ballot::Approve));
    assert!(!case.record().data.contains_key("debts"));
    case.does(&manager(), take("close", json!({ "review": "ok" })));
    assert_eq!(case.state(), "closed");
    case.replays();
}

#[test]
fn nothing_is_carried_out_without_approval() {
    // A definition that would let it through is stopped by its own control.
    let open = CHANGE.replace(
        "    assess:      {",
        "    hurry:       { to: implementing, by: [change_manager] }\n    assess:      {",
    );
    let mut case = Case::open(json!({}));
    let definition = Definition::parse(&open, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    case.rules = rules_of(definition);
    case.does(&actor("person:rita", &[]), take("submit", json!({ "plan": "a", "backout": "b" })));
    let told = case.refuses(&manager(), take("hurry", json!({})), "control");
    assert!(told.contains("CHG-4: no change is implemented without approval"), "{told}");
}

#[test]
fn what_was_said_at_night_is_recorded_in_the_morning() {
    let mut case = Case::open(json!({}));
    case.comes_to_approval();
    let entered = case.record().entered_at;
    let mona = manager();
    case.at("2026-03-17T04:00:00Z");
    case.does(&mona, amend(json!({ "title": "A firewall" })));
    case.at("2026-03-17T08:30:00Z");
    let (night, rejects) = ("2026-03-17T02:10:00Z", take("reject", json!({ "reason": "no" })));
    let refused = |case: &Case, who: &Arc<Actor>, command: &Command, at: &str, expected: &str| {
        let refusal = case.ask_late(who, command, Some(at)).err();
        let codes: Vec<_> =
            refusal.iter().flat_map(|no| &no.faults).map(|fault| &*fault.code).collect();
        assert_eq!(codes, [expected], "{at}");
    };
    // A vote is for the record as it is, so it comes after what was changed at four.
    let votes = vote("authorise", Ballot::Approve);
    refused(&case, &board("anna"), &votes, night, "out_of_order");
    refused(&case, &board("anna"), &rejects, "2026-03-16T08:59:59Z", "out_of_order");
    refused(&case, &board("anna"), &rejects, "2026-03-17T08:30:01Z", "future");
    refused(&case, &actor("person:rita", &[]), &rejects, night, "role");
    refused(&case, &mona, &amend(json!({ "title": "x" })), night, "out_of_order");
    let fact = case.ask_late(&board("anna"), &rejects, Some(night));
    let fact = fact.unwrap_or_else(|refusal| panic!("{refusal}"));
    let rejected = apply(case.record.clone(), &fact);
    assert_eq!(
        (rejected.state.as_str(), rejected.revision),
        ("rejected", case.record().revision + 1)
    );
    assert_eq!(
        rejected.closed_at.map(|at| at.to_rfc3339()),
        Some("2026-03-17T02:10:00+00:00".to_owned())
    );
    assert!(entered < fact.at && rejected.updated_at == case.record().updated_at);
    case.at("2026-03-20T08:30:00Z");
    refused(&case, &board("anna"), &rejects, night, "too_late");
    // A process that does not say how late is told when it happens.
    let text = CHANGE.replace("late: {", "x-late: {");
    assert!(Definition::parse(&text, 1).is_err());
    let text: String =
        CHANGE.lines().filter(|line| !line.starts_with("late:")).collect::<Vec<_>>().join("\n");
    let definition = Definition::parse(&text, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    case.rules = rules_of(definition);
    refused(&case, &board("anna"), &rejects, night, "not_late");
}
