//! One command as data: what a batch and an import are lists of.

use chrono::{DateTime, Utc};
use engine::{Command, Linked};
use kernel::{Fault, Refusal, Rule};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::RecordRef;
use uuid::Uuid;

use super::Shelf;
use crate::{door::Door, json, problem::Problem};

/// A command, and what belongs to it; exactly one of `open`, `amend`, `take`, `comment`, `link`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// The record, by id or number; for a batch.
    pub id: Option<String>,
    /// The revision that the caller has seen; for a batch.
    pub if_match: Option<u64>,
    /// When it happened; for an import.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The source does not say it, but it must have happened; for an import.
    pub implied: bool,
    /// Who did it there; for an import.
    pub by: Option<String>,
    pub open: Option<Map<String, Value>>,
    pub amend: Option<Map<String, Value>>,
    pub take: Option<String>,
    /// What the transition needs.
    pub with: Option<Map<String, Value>>,
    pub comment: Option<String>,
    pub link: Option<LinkWish>,
}

/// A link to another record, by its id or number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkWish {
    pub relation: String,
    pub to: String,
}

impl Wish {
    /// Reads one item of a list.
    ///
    /// # Errors
    /// 422 with what does not fit, at `path`.
    pub fn parse(item: Value, path: &str) -> Result<Self, Refusal> {
        let fault = |code: &'static str, message: String| {
            Refusal::new(Rule::Invalid, vec![Fault::new(path, code, message)])
        };
        let wish: Self = json::typed(item).map_err(|message| fault("type", message))?;
        let asked = [
            wish.open.is_some(),
            wish.amend.is_some(),
            wish.take.is_some(),
            wish.comment.is_some(),
            wish.link.is_some(),
        ];
        if asked.iter().filter(|is_asked| **is_asked).count() != 1 {
            let message = "Exactly one of open, amend, take, comment and link is needed.";
            return Err(fault("one_of", message.to_owned()));
        }
        if wish.with.is_some() && wish.take.is_none() {
            return Err(fault("with", "`with` belongs to `take`.".to_owned()));
        }
        Ok(wish)
    }

    /// The command itself; a link's other end is looked up as the caller sees it.
    ///
    /// # Errors
    /// 422 for a link to nothing.
    pub async fn command(self, shelf: &Shelf, door: &Door) -> Result<Command, Problem> {
        Ok(match self {
            Self { open: Some(data), .. } => Command::Open { data },
            Self { amend: Some(patch), .. } => Command::Amend { patch },
            Self { take: Some(transition), with, .. } => {
                Command::Take { transition, with: with.unwrap_or_default() }
            }
            Self { comment: Some(text), .. } => Command::Comment { text },
            Self { link: Some(link), .. } => link.command(shelf, door).await?,
            _ => return Err(Problem::broken()),
        })
    }
}

impl LinkWish {
    /// The command that ties the two records.
    ///
    /// # Errors
    /// 422 when there is no such record, or the caller does not see it. Records of other services are
    /// named by their numbers.
    pub async fn command(self, shelf: &Shelf, door: &Door) -> Result<Command, Problem> {
        let to = find(shelf, door, &self.to).await?.ok_or_else(|| {
            let message = format!("There is no record `{}` that you may see.", self.to);
            Problem::invalid("/to", "unknown_record", message)
        })?;
        Ok(Command::Link { relation: self.relation, to })
    }
}

/// A record of any process of the service, by id or number; or one that a neighbour's number names.
/// Whether that is there, and visible to whoever ties, the neighbour decides.
async fn find(shelf: &Shelf, door: &Door, name: &str) -> Result<Option<Linked>, Problem> {
    let which = RecordRef::from(name);
    let rules = shelf.office.rules();
    let candidates: Vec<&str> = match &which {
        RecordRef::Number(number) => {
            rules.by_number(number).map(|found| found.process.as_str()).into_iter().collect()
        }
        RecordRef::Id(_) => rules.processes().map(|found| found.process.as_str()).collect(),
    };
    for process in candidates {
        if let Some(record) = shelf.office.store.record(process, &which, &door.reader()).await? {
            return Ok(Some(record.linked()));
        }
    }
    let process = shelf.office.neighbours.process_of(name).await;
    Ok(process.map(|process| Linked { id: Uuid::nil(), number: name.to_owned(), process }))
}
