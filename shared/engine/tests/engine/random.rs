//! Whatever a definition says and whatever people do: the state is in the definition, the revision
//! rises by one, what was decided can be applied, the history is the record, what is offered is
//! granted, and no control is broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    Ballot, Command, Definition, Fact, Languages, Record, Ruleset, Schemes, Subject, TaskWish,
    apply, following, offers, step, telling,
};
use kernel::{Actor, Cause, Channel, Refusal};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// How one transition is written.
#[derive(Clone, Debug)]
struct Way {
    from: usize,
    to: usize,
    kind: usize,
    guard: usize,
    more: usize,
}

/// A process of so many states, in a row that is always passable, with more ways across.
#[derive(Clone, Debug)]
struct Plan {
    states: usize,
    ways: Vec<Way>,
    apart: (usize, usize),
    before: (usize, usize),
    has_tasks: bool,
    has_obligation: bool,
    has_notify: bool,
    has_children: bool,
}

fn plans() -> impl Strategy<Value = Plan> {
    let way = (0_usize..7, 0_usize..7, 0_usize..6, 0_usize..4, 0_usize..4);
    let way = way.prop_map(|(from, to, kind, guard, more)| Way { from, to, kind, guard, more });
    let pair = || (0_usize..12, 0_usize..12);
    (2_usize..7, proptest::collection::vec(way, 0..12), pair(), pair(), any::<[bool; 4]>())
        .prop_map(|(states, ways, apart, before, has)| Plan {
            states,
            ways,
            apart,
            before,
            has_tasks: has[0],
            has_obligation: has[1],
            has_notify: has[2],
            has_children: has[3],
        })
}

impl Plan {
    /// The names of its transitions that are not voted on.
    fn taken(&self) -> Vec<String> {
        let row = (1..self.states).map(|state| format!("next{state}"));
        let ways = self.ways.iter().enumerate().filter(|(_, way)| way.kind != 3);
        row.chain(ways.map(|(place, _)| format!("way{place}"))).collect()
    }

    fn kept_apart(&self) -> (String, String) {
        let names = self.taken();
        let name = |place: usize| names[place % names.len()].clone();
        (name(self.apart.0), name(self.apart.1))
    }

    fn kept_before(&self) -> (String, String) {
        let names = self.taken();
        (format!("s{}", self.before.0 % self.states), names[self.before.1 % names.len()].clone())
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "process: plan\ncollection: plans\nnumber: PLN\n\
             roles: { ann: {}, bob: {}, own: { is: record.owner } }\n\
             fields:\n  properties:\n    owner: { type: string }\n    note: { type: string, maxLength: 20 }\n    count: { type: integer, default: 0 }\n    due: { type: string, format: date-time }\n\
             derive: { note: \"record.count > 3 ? 'many' : record.note\" }\n\
             edit: { owner: { by: [ann], in: [s0] } }\nstarts: s0\n",
        );
        if self.has_tasks {
            text.push_str(
                "tasks: { by: [ann], first: [{ title: One }, { title: Two, after: [1] }] }\n",
            );
        }
        if self.has_obligation {
            text.push_str(
                "obligations: { again: { every: P2D, done_by: next1, remind: [PT20H, PT4H] } }\n",
            );
        }
        if self.has_notify {
            text.push_str(
                "notify: { told: { on: [opened, amended, voted, overdue, commented], when: record.count < 4, to: [record.owner, \"'role:ann'\"], subject: '{record.number}: {record.note}', text: '{record.count} by {actor.id}' } }\n",
            );
        }
        if self.has_children {
            text.push_str(
                "links: { parent_of: child_of }\nchildren: { tied: parent_of, comments: true, when: record.count < 4, follow: { next1: { take: next1 } } }\n",
            );
        }
        let (one, other) = self.kept_apart();
        let (state, without) = self.kept_before();
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "controls:\n  APART: {{ claim: apart, never: {{ transition: {one}, by_actor_of: [{other}] }} }}"
        );
        let _ = writeln!(
            text,
            "  BEFORE: {{ claim: before, never: {{ reach: {state}, without: {without}, unless: \"record.count > 2\" }} }}"
        );
        text.push_str("states:\n");
        for state in 0..self.states {
            let is_last = state + 1 == self.states;
            let _ = writeln!(text, "  s{state}:{}", if is_last { " {}" } else { "" });
            if is_last {
                break;
            }
            let system = if self.has_children { ", system" } else { "" };
            let _ = writeln!(
                text,
                "    next{0}: {{ to: s{0}, by: [ann, bob, own{system}] }}",
                state + 1
            );
            for (place, way) in self.ways.iter().enumerate() {
                if way.from % (self.states - 1) == state {
                    let _ = writeln!(text, "    way{place}: {{ {} }}", self.line(way));
                }
            }
        }
        text
    }

    fn line(&self, way: &Way) -> String {
        let from = way.from % (self.states - 1);
        // What comes at an instant stays: two that lead to each other would never come to rest.
        let to = if way.kind == 5 { from } else { way.to % self.states };
        let mut line = format!("to: s{to}");
        line.push_str(match way.kind {
            0 => ", by: [ann]",
            1 => ", by: [bob, own], needs: [note]",
            2 => ", after: P1D",
            3 => ", vote: { of: [ann, bob], quorum: 'record.count > 1 ? 2 : 1', except: [record.owner], void_on: [count] }",
            4 => ", by: [ann, bob], set: { count: record.count + 1 }",
            _ => ", by: [system], at: record.due",
        });
        line.push_str(match way.guard {
            0 => ", when: record.count < 5",
            1 if self.has_tasks => ", when: 'tasks.all(t, t.done)'",
            _ => "",
        });
        if way.more == 0 && to != from {
            let _ = write!(line, ", owes: {{ transition: next{}, within: PT5H }}", self.states - 1);
        }
        line
    }
}

#[derive(Clone, Debug)]
struct Step {
    command: Command,
    who: usize,
    seconds: i64,
}

fn steps() -> impl Strategy<Value = Step> {
    let name = || {
        prop_oneof![
            (1_usize..7).prop_map(|state| format!("next{state}")),
            (0_usize..12).prop_map(|place| format!("way{place}")),
            (1_usize..7).prop_map(|state| format!("owes:next{state}")),
            Just("duty:again".to_owned()),
        ]
    };
    let data = prop_oneof![
        Just(json!({})),
        Just(json!({ "note": "n" })),
        (0_i64..6).prop_map(|count| json!({ "count": count })),
        Just(json!({ "owner": "person:1" })),
        Just(json!({ "note": null, "votes": [] })),
        (1_u32..29).prop_map(|day| json!({ "due": format!("2024-10-{day:02}T00:00:00Z") })),
    ];
    let data = || data.clone().prop_map(|data| data.as_object().cloned().unwrap_or_default());
    let ballot = prop_oneof![
        4 => Just(Ballot::Approve),
        1 => Just(Ballot::Reject),
        1 => Just(Ballot::Delegate("person:2".to_owned())),
    ];
    let task = prop_oneof![
        (1_u32..4).prop_map(|id| TaskWish::Done { id }),
        (1_u32..4).prop_map(|id| TaskWish::Drop { id }),
        (1_u32..4).prop_map(|id| TaskWish::Assign { id, assignee: "person:2".to_owned() }),
        Just(TaskWish::Add { title: "More".to_owned(), assignee: None, after: vec![1] }),
    ];
    let command = prop_oneof![
        8 => (name(), data()).prop_map(|(transition, with)| Command::Take { transition, with }),
        3 => name().prop_map(|transition| Command::Fire { transition }),
        4 => (name(), ballot).prop_map(|(transition, ballot)| Command::Vote { transition, ballot, comment: None }),
        3 => task.prop_map(|wish| Command::Task { wish }),
        4 => data().prop_map(|patch| Command::Amend { patch }),
        1 => Just(Command::Comment { text: "So.".to_owned() }),
    ];
    (command, 0_usize..4, 0_i64..40_000).prop_map(|(command, who, seconds)| Step {
        command,
        who,
        seconds,
    })
}

fn actor(who: usize) -> Actor {
    let roles: &[&str] = match who {
        0 => &["ann"],
        1 => &["bob"],
        2 => &[],
        _ => return Actor::system("plan"),
    };
    let roles: BTreeSet<_> = roles.iter().map(|role| (*role).to_owned()).collect();
    let id = format!("person:{who}");
    Actor { id: id.clone(), name: id, roles, groups: BTreeSet::new() }
}

fn ask(
    rules: &Ruleset,
    record: Option<&Record>,
    command: &Command,
    who: usize,
    now: DateTime<Utc>,
) -> Result<(Fact, Record), Refusal> {
    let channel = if who == 3 { Channel::Timer } else { Channel::Api };
    let cause = Cause::new(Uuid::nil(), Arc::new(actor(who)), now, channel);
    let subject = match record {
        Some(record) => Subject::Existing(record),
        None => Subject::New { process: "plan", id: Uuid::nil(), number: "PLN0000001".to_owned() },
    };
    step(rules, subject, command, &cause)
}

/// Who took what until now, and whether each state was entered as it may be.
#[derive(Default)]
struct Watch {
    taken: Vec<(String, usize)>,
}

impl Watch {
    fn see(&mut self, plan: &Plan, before: Option<&str>, fact: &Fact, after: &Record, who: usize) {
        if let Some(transition) = &fact.transition {
            self.taken.push((transition.clone(), who));
        }
        let took = |name: &str| -> BTreeSet<usize> {
            let taken = self.taken.iter().filter(|(known, _)| known == name);
            taken.map(|(_, who)| *who).filter(|who| *who != 3).collect()
        };
        let (one, other) = plan.kept_apart();
        if one != other {
            assert!(took(&one).is_disjoint(&took(&other)), "{one} and {other}: {:?}", self.taken);
        }
        let (state, without) = plan.kept_before();
        if after.state == state && before != Some(&state) {
            let is_excused = after.data["count"].as_i64() > Some(2);
            let was_taken = self.taken.iter().any(|(known, _)| *known == without);
            assert!(is_excused || was_taken, "{state} without {without}: {:?}", self.taken);
        }
    }
}

/// An obligation holds until the end, waits for something to come or is overdue, and lists know when.
fn duties(record: &Record, was_open: bool, definition: &Definition, fact: &Fact) {
    let owed = record.data.get("obligations").map(|owed| owed[0].clone());
    assert_eq!(owed.is_none(), definition.is_final(&record.state), "{owed:?}");
    let due =
        |value: &Value| value["due_at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let debts = record.data.get("debts").and_then(Value::as_array).into_iter().flatten();
    let first = owed.iter().chain(debts).filter_map(due).min();
    let told = record.data.get("next_duty").and_then(Value::as_str);
    assert_eq!(first, told.and_then(|at| at.parse().ok()));
    let Some(owed) = owed else { return };
    let timers = fact.timers.iter().flatten().chain(&fact.more_timers);
    for timer in timers.filter(|timer| timer.transition == "duty:again") {
        assert!(owed["overdue"] == false && Some(timer.due) <= due(&owed), "{owed:?} {timer:?}");
    }
    assert!(was_open || fact.timers.iter().flatten().any(|timer| timer.transition == "duty:again"));
}

/// One record on its way, with all that must hold of it.
struct Case<'a> {
    plan: &'a Plan,
    rules: &'a Ruleset,
    definition: &'a Definition,
    record: Option<Record>,
    history: Vec<Fact>,
    watch: Watch,
    /// Transitions that will come by themselves, as the store keeps them.
    timers: BTreeMap<String, DateTime<Utc>>,
}

impl<'a> Case<'a> {
    fn of(plan: &'a Plan, rules: &'a Ruleset) -> Self {
        let definition = rules.process("plan").unwrap_or_else(|| panic!("the plan is not there"));
        let (history, watch, timers) = (Vec::new(), Watch::default(), BTreeMap::new());
        Self { plan, rules, definition, record: None, history, watch, timers }
    }

    /// What somebody asks at a moment; gives what became of it, where it is granted.
    fn take(
        &mut self,
        command: &Command,
        who: usize,
        now: DateTime<Utc>,
    ) -> Option<(Record, Fact)> {
        if let Command::Fire { transition } = command {
            self.timers.remove(transition);
        }
        let (fact, made) = ask(self.rules, self.record.as_ref(), command, who, now).ok()?;
        let before = self.record.as_ref().map(|record| (record.state.clone(), record.revision));
        let next = apply(self.record.take(), &fact);
        assert_eq!(made, next, "what was decided is what the fact makes");
        assert_eq!(next.revision, before.as_ref().map_or(1, |(_, revision)| revision + 1));
        assert!(self.definition.states().any(|state| state == next.state), "{}", next.state);
        assert_eq!(next.closed_at.is_some(), self.definition.is_final(&next.state));
        assert!(!self.definition.is_final(&next.state) || !next.data.contains_key("debts"));
        if self.plan.has_obligation {
            duties(&next, before.is_some(), self.definition, &fact);
        }
        let state = before.as_ref().map(|(state, _)| state.as_str());
        self.watch.see(self.plan, state, &fact, &next, who);
        let kept = serde_json::to_vec(&fact).and_then(|kept| serde_json::from_slice(&kept));
        assert_eq!(kept.ok().as_ref(), Some(&fact), "what is kept is what was decided");
        if let Some(timers) = &fact.timers {
            self.timers.clear();
            self.timers.extend(timers.iter().map(|timer| (timer.transition.clone(), timer.due)));
        }
        self.timers.retain(|transition, _| !fact.fewer_timers.contains(transition));
        let more = fact.more_timers.iter().map(|timer| (timer.transition.clone(), timer.due));
        self.timers.extend(more);
        self.history.push(fact.clone());
        self.record = Some(next.clone());
        Some((next, fact))
    }

    /// Who is to be told of a fact is told in one line, by the system, and that is a fact, too.
    fn tell(&mut self, record: &Record, fact: &Fact, who: usize, now: DateTime<Utc>) {
        let notices = telling(self.rules, record, fact, &actor(who), now);
        let notices = notices.unwrap_or_else(|fault| panic!("{fault}"));
        assert!(notices.is_empty() || self.plan.has_notify);
        for notice in &notices {
            assert!(notice.to.is_sorted() && notice.to.contains(&"role:ann".to_owned()));
            assert!(!notice.subject.contains(char::is_control), "{notice:?}");
            assert!(record.data["count"].as_i64() < Some(4), "{notice:?}");
        }
        if !notices.is_empty() {
            let (after, _) = self.take(&Command::Tell { notices }, 3, now).expect("it is told");
            assert_eq!((&after.state, &after.data), (&record.state, &record.data));
        }
    }

    /// Lets all come that is due; what has come does not come again by itself.
    fn settle(&mut self, now: DateTime<Utc>) {
        for fired in 0.. {
            let due = self.timers.iter().filter(|(_, due)| **due <= now);
            let Some((transition, _)) = due.min_by_key(|(_, due)| **due) else { return };
            assert!(fired < 200, "{:?} never rests", self.record);
            let command = Command::Fire { transition: transition.clone() };
            self.take(&command, 3, now);
        }
    }

    /// What is refused in advance is refused, and what is offered is granted: but for evidence that is
    /// not given, a vote that was cast, and controls and debts, which are asked of the step itself.
    fn offers_as_it_decides(&self, now: DateTime<Utc>) {
        const ASKED_LATER: [&str; 4] = ["required", "voted", "control", "owes"];
        let Some(record) = &self.record else { return };
        for who in 0..3 {
            for offer in offers(self.rules, record, &actor(who), &Languages::default(), now) {
                let transition = offer.name.clone();
                let command = match offer.vote {
                    None => Command::Take { transition, with: Map::new() },
                    Some(_) => Command::Vote { transition, ballot: Ballot::Approve, comment: None },
                };
                let answer = ask(self.rules, Some(record), &command, who, now);
                let Err(refusal) = answer else {
                    assert_eq!(offer.refused_because, None, "{offer:?} is granted to {who}");
                    continue;
                };
                let is_asked_later =
                    refusal.faults.iter().any(|fault| ASKED_LATER.contains(&&*fault.code));
                assert!(
                    offer.refused_because.is_some() || is_asked_later,
                    "{offer:?} is refused to {who}: {refusal}"
                );
            }
        }
    }

    fn replays(&self) {
        let replayed = self.history.iter().fold(None, |record, fact| Some(apply(record, fact)));
        assert_eq!(replayed, self.record);
    }
}

fn run(plan: &Plan, definition: Definition, steps: &[Step]) {
    let rules = Ruleset::new(vec![definition], Schemes::default());
    let rules = rules.unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let (mut parent, mut child) = (Case::of(plan, &rules), Case::of(plan, &rules));
    let owner = Map::from_iter([("owner".to_owned(), Value::from("person:0"))]);
    let open = Step { command: Command::Open { data: owner }, who: 1, seconds: 0 };
    child.take(&open.command, open.who, now);
    for step in std::iter::once(&open).chain(steps) {
        now += TimeDelta::seconds(step.seconds);
        if let Some((record, fact)) = parent.take(&step.command, step.who, now) {
            parent.tell(&record, &fact, step.who, now);
            if let Some(follow) = following(&rules, &record, &fact) {
                assert!(plan.has_children && record.data["count"].as_i64() < Some(4));
                // A child that is elsewhere by then stays where it is.
                child.take(&follow.command, 3, now);
            }
        }
        parent.settle(now);
        child.settle(now);
        parent.offers_as_it_decides(now);
    }
    parent.replays();
    child.replays();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_any_definition_says_holds(plan in plans(), steps in proptest::collection::vec(steps(), 1..60)) {
        // A plan may be unsound; then it says where, and nothing is run.
        match Definition::parse(&plan.text(), 1) {
            Ok(definition) => run(&plan, definition, &steps),
            Err(flaws) => prop_assert!(flaws.iter().all(|flaw| flaw.line > 1 && flaw.column > 0)),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        text in "[a-z:{}\\[\\],'\"&*!|> \\n-]{0,200}",
        cut in 0_usize..3_000,
    ) {
        let _ = Definition::parse(&text, 1);
        let broken: String = crate::change::CHANGE.chars().take(cut).chain(text.chars()).collect();
        let _ = Definition::parse(&broken, 1);
    }
}
