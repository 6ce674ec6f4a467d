//! From what is written to what can be decided by, every fault noted on the way.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{
    Audience, Definition, May, Opens, Relation, Role, Start, State, Transition,
    check::{self, RESERVED},
    children::Children,
    duty::{self, Control},
    edit::Edit,
    fields::{Fitting, compile, object_schema},
    known::{Known, names},
    label::{self, Labels, Named},
    late::Late,
    notify::{self, Notify},
    obligation::Obligation,
    tasks::Tasks,
    transition::{Line, span},
};
use crate::{
    expression::Kind,
    flaw::Flaws,
    ledger,
    react::EVENT_NAMES,
    reading::{Entries, Word, condition, entries, expression, items, word, words},
    record::OWN_NAMES,
    yaml::{self, Entry, Mark, Node, Tree},
};

/// Reads a definition; what comes back is sound when no flaw was found.
pub(super) fn build(text: &str, version: u32, flaws: &mut Flaws) -> Option<Definition> {
    let root = yaml::read(text, flaws)?;
    let mut root = Entries::of(&root, "a definition", flaws)?;
    let process = name(&mut root, "process", flaws);
    let collection = name(&mut root, "collection", flaws);
    let number = root.need("number", flaws);
    let prefix = number.and_then(|node| word(node, "number", flaws)).map(|word| word.text);
    let clauses = root.words("clauses", flaws).into_iter().map(|word| word.text).collect();
    let retain = root.get("retain").and_then(|node| span(node, "retain", flaws));
    let mut known = Known::read(&mut root, flaws);
    let labels = root.get("labels").map(|node| Labels::read(node, &known, flaws));
    known.name_all(labels.unwrap_or_default(), flaws);
    let title = root.get("title");
    let title = label::read(title, process.as_deref().unwrap_or_default(), flaws);
    own_names(&mut root, process.as_deref(), flaws);
    let roles = roles(root.get("roles"), &known, flaws);
    let late = root.get("late").and_then(|node| Late::read(node, &known, flaws));
    let may = may(root.get("may"), &known, flaws);
    let required = required(&mut root, &known, flaws);
    let derive = known.fills(root.get("derive"), &known.over_record(), flaws);
    let audience = audience(root.get("audience"), &known, flaws);
    let relations = relations(root.get("links"), &known.labels, flaws);
    let starts = root.need("starts", flaws);
    let starts = starts.map(|node| self::starts(node, &known, flaws)).unwrap_or_default();
    let edits = root.get("edit");
    let edits = edits.map(|node| Edit::read_all(node, &known, flaws)).unwrap_or_default();
    let tasks = root.get("tasks").and_then(|node| Tasks::read(node, &known, flaws));
    let children = root.get("children").and_then(|node| Children::read(node, &known, flaws));
    let notify = root.get("notify");
    let notify = notify.map(|node| Notify::read_all(node, &known, flaws)).unwrap_or_default();
    let obligations = root.get("obligations");
    let obligations =
        obligations.map(|node| Obligation::read_all(node, &known, flaws)).unwrap_or_default();
    let controls = root.get("controls");
    let controls = controls.map(|node| Control::read_all(node, &known, flaws)).unwrap_or_default();
    let opens = root.get("opens").map(|node| opens(node, &known, flaws)).unwrap_or_default();
    let states = root.need("states", flaws).map(|node| states(node, &known, flaws));
    root.done(flaws);
    let states = states?;
    check::states(&starts, &states, flaws);
    check::events(&opens, &states, flaws);
    check::duties(&roles, &controls, &states, &known, flaws);
    check::obligations(&obligations, &states, flaws);
    let all = states.iter().flat_map(|state| &state.transitions);
    notify::check(&notify, all.map(|transition| transition.says.as_str()), flaws);
    check::follow(children.as_ref(), &states, flaws);

    // Each field is sound by itself; together they may still name one thing twice.
    if let Err(fault) = compile(&object_schema(known.fields.iter(), &[], false)) {
        flaws.add(Mark::START, "schema", fault);
    }
    let process = process?;
    let has_duties = known.keeps_duties();
    let has_next_duty = known.field_names.iter().any(|name| name == ledger::NEXT_DUTY);
    Some(Definition {
        title,
        retain,
        late,
        process,
        collection: collection?,
        prefix: prefix?,
        version,
        digest: hex::encode(Sha256::digest(text)),
        clauses,
        faults: Vec::new(),
        roles,
        field_names: known.field_names,
        required,
        derive,
        audience,
        may,
        relations,
        starts,
        opens,
        noted: duty::noted(&controls),
        has_duties,
        edits,
        tasks,
        notify,
        children,
        obligations,
        has_next_duty,
        controls,
        states,
        opening: Fitting::default(),
        amending: Fitting::default(),
        fields: known.fields,
    })
}

/// A name that stands in URLs and subjects.
fn name(root: &mut Entries<'_>, key: &'static str, flaws: &mut Flaws) -> Option<String> {
    let Word { text, at } = word(root.need(key, flaws)?, key, flaws)?;
    if RESERVED.contains(&text.as_str()) || text.is_empty() || !text.chars().all(is_plain) {
        let message = format!("`{text}` is reserved or not made of a-z, 0-9, _ and -");
        flaws.add(at, "name", message);
    }
    Some(text)
}

fn is_plain(symbol: char) -> bool {
    symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || "_-".contains(symbol)
}

/// What every record or event has is no name of a field.
fn own_names(root: &mut Entries<'_>, process: Option<&str>, flaws: &mut Flaws) {
    let Some(Node { tree: Tree::Map(fields), .. }) = root.get("fields") else { return };
    let properties = fields.iter().find(|entry| entry.key == "properties");
    let Some(Node { tree: Tree::Map(properties), .. }) = properties.map(|entry| &entry.value)
    else {
        return;
    };
    for Entry { key, at, .. } in properties {
        if is_own(key) {
            flaws.add(*at, "name", format!("`{key}` is a name of the record's own"));
        } else if EVENT_NAMES.contains(&key.as_str()) || Some(key.as_str()) == process {
            let message = format!("events say `{key}` of themselves, and would hide the field");
            flaws.add(*at, "name", message);
        }
    }
}

fn is_own(name: &str) -> bool {
    OWN_NAMES.contains(&name) || ledger::NAMES.contains(&name) || name == OCCURRED_AT
}

fn required(root: &mut Entries<'_>, known: &Known, flaws: &mut Flaws) -> Vec<String> {
    let Some(node) = root.get("fields") else { return Vec::new() };
    let Some(mut fields) = Entries::of(node, "`fields`", flaws) else { return Vec::new() };
    let required = fields.words("required", flaws);
    for word in &required {
        known.field(word, flaws);
    }
    fields.get("properties");
    fields.done(flaws);
    required.into_iter().map(|word| word.text).collect()
}

/// What a command says beside the fields that it gives.
const OCCURRED_AT: &str = "occurred_at";

/// More states than this are no process that anybody understands.
const STATE_LIMIT: usize = 1_000;
/// The like for transitions, each counted in every state that offers it.
const TRANSITION_LIMIT: usize = 5_000;

fn is_too_large(node: &Node, known: &Known, flaws: &mut Flaws) -> bool {
    let shared = |entry: &Entry| match &entry.value.tree {
        Tree::Map(transitions) => transitions.len().saturating_mul(names(&entry.key).count()),
        _ => 0,
    };
    let transitions: usize = match &node.tree {
        Tree::Map(entries) => entries.iter().map(shared).sum(),
        _ => 0,
    };
    let counts = [
        ("states", known.states.len(), STATE_LIMIT),
        ("transitions", transitions, TRANSITION_LIMIT),
    ];
    for (what, count, limit) in counts {
        if count > limit {
            let message = format!("a process has at most {limit} {what}, and these are {count}");
            flaws.add(node.at, "too_large", message);
            return true;
        }
    }
    false
}

/// States in the order of their first mention; `new, assigned:` gives its transitions to each.
fn states(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    if is_too_large(node, known, flaws) {
        return states;
    }
    for entry in entries(node, "`states`", flaws).unwrap_or_default() {
        for name in names(&entry.key) {
            if !states.iter().any(|state| state.name == name) {
                let label = known.labels.of(Named::State, name, None, flaws);
                let (name, transitions) = (name.to_owned(), Vec::new());
                states.push(State { name, label, transitions, place: entry.at });
            }
        }
        for transition in entries(&entry.value, "a state", flaws).unwrap_or_default() {
            let Some(line) = Line::read(transition, known, flaws) else { continue };
            let line = Arc::new(line);
            for name in names(&entry.key) {
                let Some(state) = states.iter_mut().find(|state| state.name == name) else {
                    continue;
                };
                if state.transitions.iter().any(|known| known.name == line.name) {
                    let message = format!("`{}` stands twice in the state `{name}`", line.name);
                    flaws.add(transition.at, "duplicate", message);
                }
                state.transitions.push(Transition::of(&line, name));
            }
        }
    }
    states.iter_mut().for_each(|state| state.transitions.shrink_to_fit());
    states
}

fn starts(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Start> {
    let Tree::Map(first) = &node.tree else {
        let Some(state) = word(node, "starts", flaws) else { return Vec::new() };
        known.state(&state, flaws);
        return vec![Start { state: state.text, when: None }];
    };
    let read = first.iter().filter_map(|entry| {
        known.state(&Word { text: entry.key.clone(), at: entry.at }, flaws);
        let when = Some(condition(Some(&entry.value), &known.over_record(), flaws)?);
        Some(Start { state: entry.key.clone(), when })
    });
    read.collect()
}

fn roles(node: Option<&Node>, known: &Known, flaws: &mut Flaws) -> Vec<Role> {
    let Some(node) = node else { return Vec::new() };
    let mut roles = Vec::new();
    for entry in entries(node, "`roles`", flaws).unwrap_or_default() {
        let name = entry.key.clone();
        let label = known.labels.of(Named::Role, &name, None, flaws);
        if entry.value.is_null() {
            roles.push(Role { name, label, accountable: false, is: None });
            continue;
        }
        let Some(mut source) = Entries::of(&entry.value, "a role", flaws) else { continue };
        let accountable = source.flag("accountable", flaws);
        let is = source.get("is");
        let is = is.and_then(|is| expression(is, &known.over_record(), &Kind::Any, flaws));
        source.done(flaws);
        roles.push(Role { name, label, accountable, is });
    }
    roles
}

/// Which roles may do what is no transition; by default every role of the definition.
fn may(node: Option<&Node>, known: &Known, flaws: &mut Flaws) -> May {
    let all = || known.roles.clone();
    let Some(mut source) = node.and_then(|node| Entries::of(node, "`may`", flaws)) else {
        return May { open: all(), amend: all(), comment: all(), link: all() };
    };
    let mut roles = |key| match source.get(key) {
        None => all(),
        Some(node) => {
            let words = words(node, key, flaws);
            words.iter().for_each(|role| known.role(role, flaws));
            words.into_iter().map(|role| role.text).collect()
        }
    };
    let (open, amend) = (roles("open"), roles("amend"));
    let (comment, link) = (roles("comment"), roles("link"));
    source.done(flaws);
    May { open, amend, comment, link }
}

/// `role:agent`, or `{ group: record.group }`: the token `group:` with the value, if there is one.
fn audience(node: Option<&Node>, known: &Known, flaws: &mut Flaws) -> Vec<Audience> {
    let mut audience = Vec::new();
    for item in node.map_or(&[][..], items) {
        match &item.tree {
            Tree::Map(kinds) => {
                let over_record = known.over_record();
                for kind in kinds {
                    let value = expression(&kind.value, &over_record, &Kind::Any, flaws);
                    let kind = kind.key.clone();
                    audience
                        .extend(value.map(|value| Audience::Of { kind, value: Box::new(value) }));
                }
            }
            _ => {
                let token = word(item, "audience", flaws);
                audience.extend(token.map(|token| Audience::Token(token.text)));
            }
        }
    }
    audience
}

/// Each link with the name that it has at its other end: by either name one knows which it is.
fn relations(node: Option<&Node>, labels: &Labels, flaws: &mut Flaws) -> Vec<Relation> {
    let Some(node) = node else { return Vec::new() };
    let mut relations: Vec<Relation> = Vec::new();
    for entry in entries(node, "`links`", flaws).unwrap_or_default() {
        let Some(inverse) = word(&entry.value, &entry.key, flaws) else { continue };
        for (name, at) in [(&entry.key, entry.at), (&inverse.text, inverse.at)] {
            if name.is_empty() || !name.chars().all(is_plain) {
                let message =
                    format!("`{name}` is no name of a link: it is made of a-z, 0-9, _ and -");
                flaws.add(at, "name", message);
            }
            let known = relations.iter().find(|one| one.name == *name || one.inverse == *name);
            if let Some(known) = known {
                let message = format!(
                    "`{name}` is an end of `{}` already: nobody could tell the two apart",
                    known.name
                );
                flaws.add(at, "duplicate", message);
            }
        }
        relations.push(Relation {
            label: labels.of_link(&entry.key),
            inverse_label: labels.of_link(&inverse.text),
            name: entry.key.clone(),
            inverse: inverse.text,
        });
    }
    relations
}

fn opens(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Opens> {
    let (over_event, over_both) = (known.over_event(), known.over_both());
    let read = items(node).iter().filter_map(|item| {
        let mut source = Entries::of(item, "`opens`", flaws)?;
        let on = source.need("on", flaws);
        let on = on.and_then(|node| word(node, "on", flaws));
        let key = source.need("key", flaws);
        let key = key.and_then(|node| expression(node, &over_event, &Kind::Any, flaws));
        let set = known.fills(source.get("set"), &over_event, flaws);
        let when = condition(source.get("when"), &over_event, flaws);
        let holds_while = condition(source.get("while"), &over_both, flaws);
        let (link, succeeds) = (source.word("link", flaws), source.word("succeeds", flaws));
        link.iter().chain(&succeeds).for_each(|link| known.relation(link, flaws));
        let place = source.at;
        source.done(flaws);
        let (link, succeeds) = (link.map(|link| link.text), succeeds.map(|link| link.text));
        Some(Opens { on: on?.text, key: key?, set, when, link, holds_while, succeeds, place })
    });
    read.collect()
}
