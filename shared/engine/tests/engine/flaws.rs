//! What a person reads of each kind of fault: where it is, what it is, what was perhaps meant.

use std::fmt::Write as _;

use engine::{Definition, Ruleset, Schemes};

use crate::{TICKET, change::CHANGE, obligations::PACT, told::FAULT};

/// Seven texts beside two that are indexed already.
const INDEXED: &str = "    t1: { type: string, index: text }
    t2: { type: string, index: text }
    t3: { type: string, index: text }
    t4: { type: string, index: text }
    t5: { type: string, index: text }
    t6: { type: string, index: text }
    t7: { type: string, index: text }
    notes: ";

fn page(cases: &[(&str, (&str, &str))]) -> String {
    let mut page = String::new();
    for (title, change) in cases {
        let told = told_of(TICKET, *change);
        let _ = writeln!(page, "# {title}\n{told}\n");
    }
    page
}

/// Compares with the file in `snapshots`; `INSTA_UPDATE=always` writes it anew.
fn show(name: &str, page: String) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("flaws_{name}"), page);
    });
}

#[test]
fn names_that_nobody_knows() {
    show(
        "names",
        page(&[
            ("a state", ("to: working, by: [agent]", "to: wroking, by: [agent]")),
            ("a role", ("to: working, by: [agent]", "to: working, by: [agnet]")),
            ("a role in may", ("starts: waiting", "may: { open: [clerk] }\nstarts: waiting")),
            ("a field that is needed", ("needs: [reason], set", "needs: [raeson], set")),
            ("a field that is required", ("required: [title]", "required: [titel]")),
            ("a field that is set", ("set: { turns:", "set: { trun:")),
            ("a field that is derived", ("derive:\n  heavy:", "derive:\n  heavvy:")),
            ("a field of an expression", ("record.turns + 1", "record.trun + 1")),
            ("a variable", ("record.turns + 1", "recrod.turns + 1")),
            ("a variable that is not there", ("record.turns + 1", "event.turns + 1")),
            ("a field of the actor", ("record.turns + 1", "size(actor.role)")),
            ("a function", ("record.turns + 1", "sise(record.title)")),
            (
                "a function of the service",
                (
                    "derive:",
                    "functions: { rsik: { type: boolean } }\nderive:\n  overdue: rsik(record)",
                ),
            ),
            ("a calculation", ("record.weight > 5", "calculate('heavy', record.weight)")),
            ("a scheme", ("record.weight > 5", "matrix('weights', record.title) == true")),
            ("a calendar", ("after: P30D", "after: P30D, calendar: working")),
            ("a state to start in", ("starts: waiting", "starts: wating")),
            (
                "a link",
                ("after: P30D }", "on: { event: door.shut.v1, key: event.id, link: block } }"),
            ),
            ("a key of the format", ("starts: waiting", "starts: waiting\nstate: {}")),
            ("a key of a transition", ("to: dropped, after", "too: dropped, after")),
            ("a reference", ("steward:ref/person", "steward:reference/person")),
            ("a value that a field never has", ("record.weight > 5", "record.state == 'wating'")),
        ]),
    );
}

#[test]
fn states_events_and_timers() {
    show(
        "states",
        page(&[
            ("a state that nothing leads to", ("{ to: done, by", "{ to: closed, by")),
            (
                "a state that nothing leaves",
                ("  closed: {}", "  closed: { knock: { by: [agent] } }"),
            ),
            (
                "a timer in a state that nothing leaves",
                ("  closed: {}", "  closed: { knock: { after: P1D } }"),
            ),
            ("a transition that nobody takes", ("{ to: working, by: [agent] }", "{ to: working }")),
            (
                "an event that two transitions would take",
                (
                    "    start:  {",
                    "    wake: { to: working, on: { event: bell.rung.v1, key: event.of } }\n    ring: { to: dropped, on: { event: bell.rung.v1, key: event.of, when: event.loud } }\n    start:  {",
                ),
            ),
            (
                "an event that two openings would take",
                (
                    "starts: waiting",
                    "starts: waiting\nopens:\n  - { on: bell.rung.v1, key: event.of, set: { title: event.by } }\n  - { on: bell.rung.v1, key: event.to, set: { title: event.to } }",
                ),
            ),
            ("a timer that is no duration", ("P30D", "P1M")),
            ("a timer of two kinds", ("after: P30D", "after: P30D, at: record.due")),
            (
                "a calendar without a timer",
                ("to: working, by: [agent] }", "to: working, by: [agent], calendar: working }"),
            ),
        ]),
    );
}

/// What is told of another definition when a part of it is written differently.
fn told_of(whole: &str, change: (&str, &str)) -> String {
    let text = whole.replace(change.0, change.1);
    assert_ne!(text, whole, "the change {change:?} changes nothing");
    let flaws = match Definition::parse(&text, 1) {
        Err(flaws) => flaws,
        Ok(definition) => {
            let rules = Ruleset::new(Vec::new(), Schemes::default());
            rules.map(|rules| rules.unmet(&definition)).unwrap_or_default()
        }
    };
    let lines = flaws.iter().map(|flaw| format!("{flaw} [{}]", flaw.code));
    let told = lines.collect::<Vec<_>>().join("\n");
    assert!(!told.is_empty(), "{change:?}: nothing is told");
    told
}

#[test]
fn what_is_done_again_and_again() {
    let cases = [
        ("an interval of hours", ("every: P3M", "every: PT8H")),
        ("an interval that is no text", ("every: record.rhythm", "every: size(record.title)")),
        ("no interval", ("every: P3M, done_by", "done_by")),
        ("nothing that discharges it", ("done_by: look, in", "in")),
        ("a transition that is none", ("done_by: look,", "done_by: lock,")),
        ("what is never discharged", ("in: [active], owner", "in: [draft], owner")),
        ("a state that is none", ("in: [active] }", "in: [actve] }")),
        ("a reminder before the last turn", ("remind: [P1D, P14D]", "remind: [P90D]")),
        ("an owner that is none", ("owner: record.owner", "owner: record.ower")),
        ("a calendar that is none", ("calendar: working }", "calendar: holidays }")),
        ("a key that means nothing", ("every: P3M,", "every: P3M, within: P1D,")),
        ("a field that the engine keeps", ("finding: {", "next_duty: {")),
    ];
    let mut page = String::new();
    for (title, change) in cases {
        let _ = writeln!(page, "# {title}\n{}\n", told_of(PACT, change));
    }
    show("obligations", page);
}

#[test]
fn who_follows_and_who_is_told() {
    let cases = [
        ("children of no link", ("tied: covers", "tied: cover")),
        ("a step that is none", ("follow: { cure: {", "follow: { curing: {")),
        ("a child's step that is none", ("take: follow,", "take: folow,")),
        ("a child's step for people alone", ("take: follow,", "take: shut,")),
        ("a field that is none", ("with: [cure]", "with: [cures]")),
        ("two links with one name", ("cites: cited_by", "cites: covers")),
        ("a link's name that no URL likes", ("cites: cited_by", "cites: Cited by")),
        ("an event that is none", ("on: [cured]", "on: [curred]")),
        ("a rule of no event", ("on: [cured], when", "when")),
        ("a rule that tells nobody", ("to: [record.reporter, record.watchers], ", "")),
        ("a rule without words", (", subject: 'News of {record.number}' }", " }")),
        ("an expression within a text", ("{record.grade}", "{record.grad}")),
        ("a brace that nothing closes", ("{record.number} is cured", "{record.number is cured")),
        ("a key that means nothing", ("comments: true", "comment: true")),
        ("a condition that is none", ("when: record.reporter != actor.id", "when: record.title")),
    ];
    let mut page = String::new();
    for (title, change) in cases {
        let _ = writeln!(page, "# {title}\n{}\n", told_of(FAULT, change));
    }
    show("told", page);
}

#[test]
fn votes_debts_and_controls() {
    let cases = [
        ("a role that votes", ("of: [cab_member]\n", "of: [cab_menber]\n")),
        ("a quorum that is no number", ("\"record.risk >= 3 ? 3 : 1\"", "record.title")),
        ("a field that makes votes void", ("[items, window, plan]", "[items, widow, plan]")),
        (
            "an exclusion of nobody known",
            ("except: [record.requester, record.implementer]", "except: [record.requestor]"),
        ),
        ("a vote of too few", ("of: [cab_member]\n", "of: [requester, implementer]\n")),
        (
            "a quorum beyond all voters",
            (
                "vote: { of: [cab_member], quorum: \"2\", except: [record.implementer] }",
                "vote: { of: [requester], quorum: \"2\" }",
            ),
        ),
        ("a debt of nothing", ("owes: { transition: ratify", "owes: { transition: ratifi")),
        ("a debt that is never paid", ("owes: { transition: ratify", "owes: { transition: submit")),
        (
            "a debt of a transition that stays",
            ("break_glass: { to: implementing", "break_glass: { to: draft"),
        ),
        (
            "a control of no state",
            ("never: { reach: implementing", "never: { reach: implementation"),
        ),
        ("a control of no transition", ("without: authorise", "without: authorize")),
        ("a control that says both", ("by_actor_of: [open, submit, implement]", "reach: closed")),
        (
            "duties that only one person may do",
            (
                "by_actor_of: [open, submit, implement] }",
                "by_actor_of: [submit] }\n  CHG-6:\n    claim: who makes it does not judge it\n    never: { transition: complete, by_actor_of: [fail] }",
            ),
        ),
        ("an edit of no field", ("  customer: { by:", "  custmer: { by:")),
        ("an edit of what nobody edits", ("  customer: { by:", "  risk: { by:")),
        ("two rules for one field", ("edit: ", "edit:\n  plan, customer: { in: [draft] }\n  #")),
        ("an edit in no state", ("in: [draft, assessment]", "in: [draft, assesment]")),
        ("tasks that nobody leads", ("  by: [change_manager]\n  first:", "  first:")),
        ("a task after itself", ("after: [1]", "after: [2]")),
        ("tasks where there are none", ("tasks: ", "x-tasks: ")),
        (
            "a language that is none",
            ("{ en: Change, de: Änderung }", "{ English: Change, de-: X }"),
        ),
        ("labels of nothing", ("states: { draft: Entwurf,", "states: { darft: Entwurf,")),
        ("labels of a value that is none", ("{ standard: Standard,", "{ standart: Standard,")),
        ("labels of values of no field", ("values: { type:", "values: { tpye:")),
        ("labels of a field without values", ("values: { type:", "values: { title:")),
        ("a label of no end", ("fixed_by: Behoben", "fixd_by: Behoben")),
        ("a label of no part", ("fields: { risk: Risiko }", "fields: { risk.level: Stufe }")),
        ("labels of no kind", ("    roles: { change_manager:", "    people: { change_manager:")),
        ("years that are kept", ("retain: P2555D", "retain: P7Y")),
        ("a mark that is none", ("personal: true", "personal: very")),
        (
            "late steps of nobody",
            ("late: { within: P2D, by: [change_manager, cab_member]", "late: { within: P2D"),
        ),
        (
            "late steps of no role",
            ("by: [change_manager, cab_member] }   #", "by: [manager], until: P1D }   #"),
        ),
        (
            "a field that says when",
            ("reason:        { type: string }", "occurred_at:   { type: string }"),
        ),
        (
            "a field that the engine keeps",
            ("reason:        { type: string }", "votes:         { type: string }"),
        ),
        ("what the engine keeps is set", ("derive:  ", "derive:\n  votes: '[]'\n ")),
    ];
    let mut page = String::new();
    for (title, change) in cases {
        let _ = writeln!(page, "# {title}\n{}\n", told_of(CHANGE, change));
    }
    show("duties", page);
}

#[test]
fn expressions() {
    show(
        "expressions",
        page(&[
            ("no CEL", ("record.turns + 1", "record.turns +")),
            ("a number and a text", ("record.weight > 5", "record.weight > 'five'")),
            ("an instant and a text", ("record.weight > 5", "record.due < now")),
            ("a text that is added to a number", ("record.turns + 1", "record.turns + '1'")),
            ("a field of the wrong kind", ("record.turns + 1", "record.title")),
            (
                "a condition that is none",
                ("when: '!record.heavy || record.notes != null'", "when: record.title"),
            ),
            ("a part of a condition that is none", ("!record.heavy ||", "record.weight ||")),
            ("no list to walk", ("record.turns + 1", "'record.title.filter(x, x != null).size()'")),
            (
                "arguments that a function does not take",
                ("record.turns + 1", "'size(record.title, 2)'"),
            ),
            ("a function of the wrong thing", ("record.turns + 1", "record.turns.startsWith('a')")),
            (
                "a pattern that is worked out",
                ("record.weight > 5", "record.title.matches(record.notes)"),
            ),
            (
                "comprehensions within each other",
                ("record.weight > 5", "[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))"),
            ),
            (
                "what walks too much",
                ("record.weight > 5", "get(actor, 'x').all(a, get(actor, 'y').all(b, a == b))"),
            ),
            (
                "what is too long",
                (
                    "record.weight > 5",
                    &format!("record.weight > 5 && '{}' != ''", "x".repeat(2000)),
                ),
            ),
        ]),
    );
}

#[test]
fn what_is_no_definition() {
    show(
        "files",
        page(&[
            ("no YAML", ("roles:", "roles: [")),
            (
                "a text and more",
                ("audience: ['role:agent',", "audience: ['customer:' + record.asker,"),
            ),
            ("a key that stands twice", ("  closed: {}\n", "  closed: {}\n  closed: {}\n")),
            (
                "a transition that stands twice",
                (
                    "  done:\n",
                    "  working, waiting:\n    start: { to: done, by: [agent] }\n  done:\n",
                ),
            ),
            ("what is missing", ("number: TCK\n", "")),
            ("a list where one text stands", ("process: ticket", "process: [ticket]")),
            ("a reserved name", ("collection: tickets", "collection: batch")),
            ("a name that no URL likes", ("collection: tickets", "collection: Open tickets")),
            ("a field of the record's own", ("reason: {", "state: {")),
            ("a field that events would hide", ("notes:  {", "changes: {")),
            ("a field called like the process", ("notes:  {", "ticket: {")),
            ("no JSON Schema", ("weight: { type: integer", "weight: { type: whole")),
            ("no kind of index", ("index: number", "index: money")),
            ("more indexes than there is room for", ("    notes: ", INDEXED)),
            ("a tag", ("starts: waiting", "starts: !state waiting")),
            ("several at once", ("derive:", "drive:\n  heavy: recrod.weight\nderives:")),
        ]),
    );
}
