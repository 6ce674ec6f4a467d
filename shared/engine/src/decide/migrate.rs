//! A record that goes over to another version of its definition, as it stands.

use kernel::{ADMINISTRATOR, Cause, Fault, Refusal, Rule};
use serde_json::Map;

use super::{Made, change::Draft, duties, invalid, unknown_references};
use crate::{
    Definition, Fact, Migration, Record, Ruleset, Timer,
    fact::Migrated,
    ledger::{self, Cast, DEBTS, Debt, VOTES},
};

/// Administrators and whoever answers for the process migrate. State and fields are mapped where they
/// are called otherwise; what then does not fit is refused, all faults at once.
pub(super) fn migrate(
    rules: &Ruleset,
    record: &Record,
    migration: &Migration,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let refuse =
        |rule, path, code: &'static str, message| Err(Refusal::one(rule, path, code, message));
    let Some(target) = rules.version(&record.process, migration.to) else {
        let message = format!("version {} of `{}` is not at hand", migration.to, record.process);
        return refuse(Rule::Invalid, "/to", "unknown_version", message);
    };
    if let Some(why) = rules.hindrance(&record.process, Some(target.version)) {
        return refuse(Rule::State, "/to", "definition", why);
    }
    let roles = [Some(ADMINISTRATOR), target.accountable_role()];
    let Some(role) = roles.into_iter().flatten().find(|role| cause.actor.has_role(role)) else {
        let message = format!("this needs the role {ADMINISTRATOR}");
        return refuse(Rule::Role, "", "role", message);
    };
    if record.definition == target.version {
        let message = format!("{} stands on version {} already", record.number, target.version);
        return refuse(Rule::State, "", "migrated", message);
    }
    if record.closed_at.is_some() {
        let message = format!("{} is closed: it keeps its version", record.number);
        return refuse(Rule::State, "", "final", message);
    }
    let next = mapped(rules, record, target, migration, cause)?;
    let moves = next.state != record.state;
    let mut fact = Fact::blank("migrated", cause);
    fact.role = Some(role.to_owned());
    fact.migration = Some(Migrated { from: record.definition, to: target.version });
    if moves || target.is_final(&next.state) {
        fact.from = Some(record.state.clone());
        fact.to = Some(next.state.clone());
    }
    let mut draft = Draft { rules, definition: target, cause, before: Some(record), record: next };
    draft.derive(&mut fact)?;
    if moves {
        duties::reached(rules, target, Some(record), &draft.record, cause)?;
    }
    let mut made = draft.finish(fact, true)?;
    let fired = fired(rules, record, cause)?;
    if let Some(timers) = &mut made.fact.timers {
        timers.retain(|timer| !fired.contains(&timer.transition));
    }
    Ok(made)
}

/// The record as the other version knows it.
fn mapped(
    rules: &Ruleset,
    record: &Record,
    target: &Definition,
    migration: &Migration,
    cause: &Cause,
) -> Result<Record, Refusal> {
    let version = target.version;
    let mut faults = Vec::new();
    let state = migration.states.get(&record.state).unwrap_or(&record.state);
    if target.states().all(|known| known != state) {
        let message =
            format!("version {version} has no state `{state}`: map it to one that it has");
        faults.push(Fault::new(format!("/states/{}", record.state), "unknown_state", message));
    }
    let mut data = Map::new();
    for (name, value) in &record.data {
        let is_kept = ledger::NAMES.contains(&name.as_str());
        let Some(new) = migration.fields.get(name).cloned().unwrap_or(Some(name.clone())) else {
            continue;
        };
        if target.field(&new).is_some() {
            data.insert(new, value.clone());
        } else if !is_kept {
            let message =
                format!("version {version} has no field `{new}`: map it to another, or to null");
            faults.push(Fault::new(format!("/fields/{name}"), "unknown_field", message));
        }
    }
    let knows =
        |transition: &str| target.all_transitions().any(|(_, known)| known.name == transition);
    let mut casts: Vec<Cast> = ledger::read(&data, VOTES);
    casts.retain(|cast| knows(&cast.transition));
    ledger::write(&mut data, VOTES, &casts);
    let debts: Vec<Debt> = ledger::read(&record.data, DEBTS);
    for debt in debts.iter().filter(|debt| !knows(&debt.transition)) {
        let message =
            format!("it owes `{}`, which version {version} does not know", debt.transition);
        faults.push(Fault::new("/debts", "owes", message));
    }
    faults.extend(target.data_faults(&mut data));
    faults.extend(unknown_references(rules, target, &data, cause));
    invalid(faults)?;
    Ok(Record { definition: version, state: state.clone(), data, ..record.clone() })
}

/// The timers that were due by now and leave the record where it is: they have fired, and are not set
/// again. One that moves the record would have moved it.
fn fired(rules: &Ruleset, record: &Record, cause: &Cause) -> Result<Vec<String>, Refusal> {
    let Some(definition) = rules.version(&record.process, record.definition) else {
        return Ok(Vec::new());
    };
    let before = Some(record);
    let draft = Draft { rules, definition, cause, before, record: record.clone() };
    let stays = |timer: &Timer| {
        let mut offered = definition.transitions(&record.state).iter();
        offered.any(|known| known.name == timer.transition && known.to == record.state)
    };
    let due = draft.timers()?.into_iter().filter(|timer| timer.due <= cause.at && stays(timer));
    Ok(due.map(|Timer { transition, .. }| transition).collect())
}
