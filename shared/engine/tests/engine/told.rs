//! What follows a step: what children do after their parent, and who is told in which words.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use engine::{
    Command, Definition, Fact, Following, Notice, Record, Ruleset, Schemes, Subject, apply, decide,
    following, telling,
};
use kernel::{Actor, Cause, Channel};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A fault that others are the same as, and of which its reporter is told.
pub const FAULT: &str = "
process: fault
collection: faults
number: FLT
roles: { agent: {} }
fields:
  required: [title]
  properties:
    title: { type: string }
    reporter: { type: string }
    watchers: { type: array, maxItems: 500, items: { type: string } }
    cure: { type: string, readOnly: true }
    grade: { type: integer }
links: { same_as: covers, cites: cited_by }
children:
  tied: covers
  comments: true
  follow: { cure: { take: follow, with: [cure] } }
notify:
  cured: { on: [cured], when: record.reporter != actor.id, to: [record.reporter, record.watchers], subject: '{record.number} is cured: {record.title}', text: 'It was {record.cure}, grade {record.grade}.' }
  said: { on: [opened, commented], to: [\"'role:agent'\", \"'webhook:chat'\"], subject: 'News of {record.number}' }
starts: open
states:
  open:
    cure: { to: cured, by: [agent], needs: [cure] }
    follow: { to: cured, by: [system], needs: [cure], says: cured }
    shut: { to: cured, by: [agent] }
  cured: {}
";

fn data(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn rules() -> Ruleset {
    let definition = Definition::parse(FAULT, 1).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default());
    rules.unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn agent() -> Actor {
    let roles = BTreeSet::from(["agent".to_owned()]);
    Actor { id: "person:ada".into(), name: "Ada".into(), roles, groups: BTreeSet::new() }
}

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn step(rules: &Ruleset, record: Option<&Record>, actor: Actor, command: &Command) -> Fact {
    let cause = Cause::new(Uuid::nil(), Arc::new(actor), NOW, Channel::Api);
    let subject = match record {
        Some(record) => Subject::Existing(record),
        None => Subject::New { process: "fault", id: Uuid::nil(), number: "FLT7".to_owned() },
    };
    let fact = decide(rules, subject, command, &cause);
    fact.unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
}

fn opened(rules: &Ruleset, fields: Value) -> Record {
    let command = Command::Open { data: data(fields) };
    apply(None, &step(rules, None, agent(), &command))
}

#[test]
fn children_say_and_do_what_their_parent_does() {
    let rules = rules();
    let parent = opened(&rules, json!({ "title": "Mail" }));
    let after = |command: Command| {
        let fact = step(&rules, Some(&parent), agent(), &command);
        following(&rules, &apply(Some(parent.clone()), &fact), &fact)
    };
    let take = |transition: &str, with: Value| Command::Take {
        transition: transition.to_owned(),
        with: data(with),
    };
    let tied = || "covers".to_owned();
    let cure = || json!({ "cure": "restarted" });
    let follow = Following { tied: tied(), command: take("follow", cure()) };
    assert_eq!(after(take("cure", cure())), Some(follow));
    assert_eq!(after(take("shut", json!({}))), None);
    let comment = Command::Comment { text: "We are at it.".to_owned() };
    assert_eq!(after(comment.clone()), Some(Following { tied: tied(), command: comment }));
    assert_eq!(after(Command::Amend { patch: data(json!({ "grade": 2 })) }), None);
}

#[test]
fn who_is_told_is_told_once_in_one_line() {
    let rules = rules();
    let watchers = json!(["person:eva", "group:GRP1", "person:eva", "PER9"]);
    let fields =
        json!({ "title": "Mail\r\nBcc: all", "reporter": "person:rob", "watchers": watchers });
    let record = opened(&rules, fields);
    let cure = data(json!({ "cure": "restarted" }));
    let command = Command::Take { transition: "cure".to_owned(), with: cure };
    let fact = step(&rules, Some(&record), agent(), &command);
    let after = apply(Some(record.clone()), &fact);
    let told = |record: &Record, fact: &Fact, actor: &Actor| {
        telling(&rules, record, fact, actor, NOW).unwrap_or_else(|fault| panic!("{fault}"))
    };
    let notices = told(&after, &fact, &agent());
    let to = ["group:GRP1", "person:PER9", "person:eva", "person:rob"].map(str::to_owned);
    let notice = Notice {
        rule: "cured".to_owned(),
        of: "cured".to_owned(),
        to: to.into(),
        subject: "FLT7 is cured: Mail  Bcc: all".to_owned(),
        text: "It was restarted, grade .".to_owned(),
    };
    assert_eq!(notices, [notice]);
    // Nobody is told of what they did themselves, nor of history that is brought in.
    let rob = Actor { id: "person:rob".to_owned(), ..agent() };
    assert_eq!(told(&after, &fact, &rob), []);
    let imported = Fact { channel: Channel::Import, ..fact.clone() };
    assert_eq!(told(&after, &imported, &agent()), []);
    // It is a fact of the record, which the system alone makes.
    let tell = Command::Tell { notices: notices.clone() };
    let fact = step(&rules, Some(&after), Actor::system("fault"), &tell);
    assert_eq!((fact.event.as_str(), &fact.notices), ("notified", &notices));
    let cause = Cause::new(Uuid::nil(), Arc::new(agent()), NOW, Channel::Api);
    assert!(decide(&rules, Subject::Existing(&after), &tell, &cause).is_err());
    let opening = Fact { event: "opened".to_owned(), ..fact };
    assert_eq!(told(&record, &opening, &agent())[0].to, ["role:agent", "webhook:chat"]);
}
