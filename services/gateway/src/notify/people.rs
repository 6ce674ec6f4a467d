//! Who stands behind a name that is told: a person, the members of a group, all who have a role.

use std::collections::BTreeMap;

use engine::{Field, Filter, Op, Record};
use kernel::{Actor, Reader};
use serde::Deserialize;
use store::{Query, Setback, Store};

use crate::access::{Roster, data};

/// A person who may be told.
pub(super) struct Reachable {
    pub actor: Actor,
    pub email: Option<String>,
}

#[derive(Deserialize)]
struct Addressed {
    email: Option<String>,
}

/// All who work here, as they are now.
pub(super) struct People {
    /// By `person:PER0000001`.
    all: BTreeMap<String, Reachable>,
}

impl People {
    /// Reads all active persons.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(store: &Store) -> Result<Self, Setback> {
        let roster = Roster::read(store).await?;
        let active = Filter::Compare { field: Field::State, op: Op::Equal, value: "active".into() };
        let mut query =
            Query { filter: Some(active), limit: store::PAGE_LIMIT, ..Query::of("person") };
        let mut all = BTreeMap::new();
        loop {
            let page = store.list(&query, &Reader::Everything).await?;
            all.extend(page.items.iter().filter_map(|person| reachable(&roster, person)));
            match page.next {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(Self { all }),
            }
        }
    }

    /// The persons behind a name; nobody behind one that is not known.
    pub fn behind(&self, name: &str) -> Vec<&Reachable> {
        let is_meant = |actor: &Actor| match name.split_once(':') {
            Some(("role", role)) => actor.roles.contains(role),
            Some(("group", group)) => actor.groups.contains(group),
            _ => actor.id == name,
        };
        self.all.values().filter(|person| is_meant(&person.actor)).collect()
    }
}

fn reachable(roster: &Roster, person: &Record) -> Option<(String, Reachable)> {
    let actor = roster.actor(person)?;
    let email = data::<Addressed>(person)?.email;
    Some((actor.id.clone(), Reachable { actor, email }))
}
