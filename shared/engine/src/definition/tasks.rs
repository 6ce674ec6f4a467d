//! Which tasks the records of a process have: who leads them, and what each record begins with.

use super::known::Known;
use crate::{
    flaw::Flaws,
    reading::{Entries, items, word},
    yaml::Node,
};

/// The tasks of a record beside its states.
#[derive(Debug)]
pub(crate) struct Tasks {
    /// Roles that add, hand over and drop tasks; who has one does it.
    pub by: Vec<String>,
    pub first: Vec<FirstTask>,
}

/// A task that every record begins with.
#[derive(Debug)]
pub(crate) struct FirstTask {
    pub title: String,
    /// The tasks before it, by their place from 1.
    pub after: Vec<u32>,
}

impl Tasks {
    pub(super) fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let mut source = Entries::of(node, "`tasks`", flaws)?;
        let by = source.words("by", flaws);
        by.iter().for_each(|role| known.role(role, flaws));
        if by.is_empty() {
            flaws.add(node.at, "missing", "`by` names the roles that lead the tasks");
        }
        let first = source.get("first").map_or(&[][..], items);
        let first = first.iter().zip(1..).filter_map(|(node, id)| first_task(node, id, flaws));
        let first = first.collect();
        source.done(flaws);
        Some(Self { by: by.into_iter().map(|role| role.text).collect(), first })
    }
}

fn first_task(node: &Node, id: u32, flaws: &mut Flaws) -> Option<FirstTask> {
    let mut source = Entries::of(node, "a task", flaws)?;
    let title = source.need("title", flaws).and_then(|node| word(node, "title", flaws));
    let mut after = Vec::new();
    for before in source.words("after", flaws) {
        match before.text.parse() {
            Ok(number) if number > 0 && number < id => after.push(number),
            _ => {
                let message =
                    format!("`{}` is no task before this one, which is {id}", before.text);
                flaws.add(before.at, "unknown_task", message);
            }
        }
    }
    source.done(flaws);
    Some(FirstTask { title: title?.text, after })
}
