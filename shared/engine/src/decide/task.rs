//! Tasks of a record: added, handed to somebody, done in their order, or dropped.

use kernel::{Cause, Fault, Refusal, Rule};

use super::{
    Made, changed,
    checks::{missing_role, names, permission},
};
use crate::{
    Definition, Fact, Record, Ruleset, TaskWish,
    definition::Tasks,
    ledger::{self, TASKS, Task, TaskState},
};

/// A record has at most so many tasks.
const TASK_LIMIT: usize = 200;
/// A task's title has at most so many bytes.
const TITLE_LIMIT: usize = 400;

pub(super) fn task(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    wish: &TaskWish,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let Some(allowed) = &definition.tasks else {
        let message = format!("a {} has no tasks", definition.title.english().to_lowercase());
        return Err(Refusal::one(Rule::State, "", "no_tasks", message));
    };
    if definition.is_final(&record.state) {
        let message = format!("{} is {}, which is final", record.number, record.state);
        return Err(Refusal::one(Rule::State, "", "final", message));
    }
    let mut tasks: Vec<Task> = ledger::read(&record.data, TASKS);
    let by = (rules, definition, record);
    let (event, role) = match wish {
        TaskWish::Add { title, assignee, after } => {
            let role = leader(by, allowed, cause)?;
            add(&mut tasks, title, assignee.as_deref(), after)?;
            ("task_added", role)
        }
        TaskWish::Assign { id, assignee } => {
            let role = leader(by, allowed, cause)?;
            open_task(&mut tasks, *id)?.assignee = Some(assignee.clone());
            ("task_assigned", role)
        }
        TaskWish::Drop { id } => {
            let role = leader(by, allowed, cause)?;
            settle(open_task(&mut tasks, *id)?, TaskState::Dropped, cause);
            ("task_dropped", role)
        }
        TaskWish::Done { id } => {
            let role = doer(by, allowed, &tasks, *id, cause)?;
            in_order(&tasks, *id)?;
            settle(open_task(&mut tasks, *id)?, TaskState::Done, cause);
            ("task_done", role)
        }
    };
    let mut next = record.clone();
    ledger::write(&mut next.data, TASKS, &tasks);
    let mut fact = Fact::blank(event, cause);
    fact.role = Some(role);
    changed(rules, definition, record, next, fact, cause)
}

/// Those that every record of the process begins with.
pub(super) fn first(definition: &Definition, record: &mut Record) {
    let Some(tasks) = &definition.tasks else { return };
    let first = tasks.first.iter().zip(1..).map(|(first, id)| Task {
        id,
        title: first.title.clone(),
        assignee: None,
        after: first.after.clone(),
        state: TaskState::Open,
        done: false,
        by: None,
        at: None,
    });
    ledger::write(&mut record.data, TASKS, &first.collect::<Vec<_>>());
}

type Place<'a> = (&'a Ruleset, &'a Definition, &'a Record);

fn leader(of: Place<'_>, allowed: &Tasks, cause: &Cause) -> Result<String, Refusal> {
    let (rules, definition, record) = of;
    permission(rules, definition, record, &allowed.by, &cause.actor, cause.when())
        .ok_or_else(|| Refusal::one(Rule::Role, "", "role", missing_role(&allowed.by)))
}

/// Who has the task does it, and so may those who lead.
fn doer(
    of: Place<'_>,
    allowed: &Tasks,
    tasks: &[Task],
    id: u32,
    cause: &Cause,
) -> Result<String, Refusal> {
    let assignee = tasks.iter().find(|task| task.id == id).and_then(|task| task.assignee.as_ref());
    if assignee.is_some_and(|assignee| names(&assignee.as_str().into(), &cause.actor.id)) {
        return Ok("assignee".to_owned());
    }
    leader(of, allowed, cause)
}

fn add(
    tasks: &mut Vec<Task>,
    title: &str,
    assignee: Option<&str>,
    after: &[u32],
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if title.trim().is_empty() || title.len() > TITLE_LIMIT {
        let message = format!("a title has 1 to {TITLE_LIMIT} bytes");
        faults.push(Fault::new("/title", "length", message));
    }
    if tasks.len() == TASK_LIMIT {
        faults.push(Fault::new("", "too_many", format!("a record has at most {TASK_LIMIT} tasks")));
    }
    for before in after.iter().filter(|before| tasks.iter().all(|task| task.id != **before)) {
        faults.push(Fault::new("/after", "unknown_task", format!("there is no task {before}")));
    }
    super::invalid(faults)?;
    // Tasks are never removed, so that their number is their place.
    let id = u32::try_from(tasks.len()).unwrap_or(u32::MAX) + 1;
    tasks.push(Task {
        id,
        title: title.to_owned(),
        assignee: assignee.map(str::to_owned),
        after: after.to_vec(),
        state: TaskState::Open,
        done: false,
        by: None,
        at: None,
    });
    Ok(())
}

fn open_task(tasks: &mut [Task], id: u32) -> Result<&mut Task, Refusal> {
    let Some(task) = tasks.iter_mut().find(|task| task.id == id) else {
        let message = format!("there is no task {id}");
        return Err(Refusal::one(Rule::Invalid, "/id", "unknown_task", message));
    };
    if task.state != TaskState::Open {
        let message = format!("task {id} is done or dropped already");
        return Err(Refusal::one(Rule::State, "", "task_settled", message));
    }
    Ok(task)
}

/// A task waits for those before it.
fn in_order(tasks: &[Task], id: u32) -> Result<(), Refusal> {
    let after = tasks.iter().find(|task| task.id == id).map_or(&[][..], |task| &task.after);
    let waiting =
        tasks.iter().find(|task| after.contains(&task.id) && task.state == TaskState::Open);
    match waiting {
        None => Ok(()),
        Some(first) => {
            let message = format!("task {id} comes after task {} ({})", first.id, first.title);
            Err(Refusal::one(Rule::Guard, "", "task_order", message))
        }
    }
}

fn settle(task: &mut Task, state: TaskState, cause: &Cause) {
    task.state = state;
    task.done = true;
    task.by = Some(cause.actor.id.clone());
    task.at = Some(cause.when());
}
