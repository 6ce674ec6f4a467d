//! How a record begins: with what is given, what is derived from it, and where it starts.

use kernel::{Cause, Fault, Refusal, Rule};
use serde_json::{Map, Value};

use super::{
    Made, change, change::Draft, checks::permitted, duties, invalid, is_automatic, late, task,
    unknown_references,
};
use crate::{Definition, Fact, Links, Opened, Record, Ruleset};

pub(super) fn open(
    rules: &Ruleset,
    definition: &Definition,
    opened: Opened,
    data: &Map<String, Value>,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let mut data = data.clone();
    data.retain(|_, value| !value.is_null());
    let automatic = is_automatic(cause);
    if automatic {
        let writable = |name: &String| definition.field(name).is_some_and(|field| !field.read_only);
        let mut given = data.clone();
        given.retain(|name, _| writable(name));
        let mut faults = definition.open_faults(&mut given);
        faults.extend(unfilled(definition, &data));
        invalid(faults)?;
    } else {
        let mut faults = definition.open_faults(&mut data);
        faults.extend(unknown_references(rules, definition, &data, cause));
        faults.extend(unfilled(definition, &data));
        invalid(faults)?;
    }
    for field in definition.fields() {
        if let Some(default) = &field.default {
            data.entry(field.name.clone()).or_insert_with(|| default.clone());
        }
    }
    let at = cause.when();
    let mut fact = Fact::blank("opened", cause);
    let record = Record {
        id: opened.id,
        process: opened.process.clone(),
        number: opened.number.clone(),
        definition: definition.version,
        state: String::new(),
        revision: 0,
        data,
        audience: Vec::new(),
        opened_at: at,
        updated_at: at,
        entered_at: at,
        closed_at: None,
        opened_by: opened.by.clone(),
        links: Links::known(Vec::new()),
    };
    let opens = &definition.may.open;
    let mut draft = Draft { rules, definition, cause, before: None, record };
    task::first(definition, &mut draft.record);
    late::bounded(rules, definition, &draft.record, cause)?;
    // What is derived may decide where it starts.
    draft.derive(&mut fact)?;
    draft.record.state = start(rules, definition, &draft.record, cause)?;
    fact.to = Some(draft.record.state.clone());
    // Who may open is asked of the record to be, because the record itself may grant the role.
    fact.role = permitted(rules, definition, &draft.record, opens, automatic, cause)?;
    fact.opened = Some(opened);
    duties::opened(definition, &mut draft.record, cause);
    duties::reached(rules, definition, None, &draft.record, cause)?;
    draft.finish(fact, true)
}

/// Required fields that people may not give, and that neither the opening event nor a derivation
/// fills: such a record opens by its events alone.
fn unfilled<'a>(
    definition: &'a Definition,
    data: &'a Map<String, Value>,
) -> impl Iterator<Item = Fault> + 'a {
    let derived = |name: &str| definition.derive.iter().any(|(field, _)| field == name);
    let filled_by_us = |name: &str| definition.field(name).is_some_and(|field| field.read_only);
    definition
        .required
        .iter()
        .filter(move |name| filled_by_us(name) && !derived(name) && !data.contains_key(*name))
        .map(|name| {
            let message = format!(
                "`{name}` is required, and only what opens a {} by itself fills it",
                definition.process
            );
            Fault::new(format!("/{name}"), "required", message)
        })
}

/// The state in which a record starts: the first whose condition holds.
fn start(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    cause: &Cause,
) -> Result<String, Refusal> {
    for start in &definition.starts {
        let scope =
            rules.scope(cause.when()).actor(&cause.actor).record(record, &definition.field_names);
        if start
            .when
            .as_ref()
            .map_or(Ok(true), |when| when.holds(&scope))
            .map_err(change::broken)?
        {
            return Ok(start.state.clone());
        }
    }
    Err(Refusal::one(Rule::Guard, "", "definition", "no state to start in fits the record"))
}
