//! Who belongs to which group, and the roles that come with it.

use std::collections::{BTreeSet, HashMap};

use engine::{Field, Filter, Op, Record};
use kernel::{Actor, Reader, SYSTEM};
use serde::Deserialize;
use store::{Query, Setback, Store};

/// What a group's record says that matters here.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// What a person's record says that matters here.
#[derive(Deserialize)]
struct Person {
    name: String,
    #[serde(default)]
    roles: Vec<String>,
}

/// All active groups, by member.
#[derive(Debug, Default)]
pub struct Roster {
    of: HashMap<String, Membership>,
}

#[derive(Clone, Debug, Default)]
struct Membership {
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl Roster {
    /// Reads all active groups.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(store: &Store) -> Result<Self, Setback> {
        let mut roster = Self::default();
        let active = Filter::Compare { field: Field::State, op: Op::Equal, value: "active".into() };
        let mut query = Query { filter: Some(active), limit: 500, ..Query::of("group") };
        loop {
            let page = store.list(&query, &Reader::Everything).await?;
            page.items.iter().for_each(|group| roster.add(group));
            match page.next {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(roster),
            }
        }
    }

    fn add(&mut self, record: &Record) {
        let Some(group) = data::<Group>(record) else { return };
        for member in group.members {
            let membership = self.of.entry(member).or_default();
            membership.groups.insert(record.number.clone());
            membership.roles.extend(group.roles.iter().cloned());
        }
    }

    /// The person as an actor, with the roles of its record and of its groups.
    pub fn actor(&self, record: &Record) -> Option<Actor> {
        let person = data::<Person>(record)?;
        let membership = self.of.get(&record.number).cloned().unwrap_or_default();
        let mut roles = membership.roles;
        roles.extend(person.roles);
        // The platform's own role is nobody's.
        roles.remove(SYSTEM);
        Some(Actor {
            id: format!("person:{}", record.number),
            name: person.name,
            roles,
            groups: membership.groups,
        })
    }
}

/// The data of a record in the shape that its definition gives it.
pub fn data<T: for<'de> Deserialize<'de>>(record: &Record) -> Option<T> {
    let data = serde_json::Value::Object(record.data.clone());
    serde_json::from_value(data)
        .inspect_err(|error| tracing::error!(record.number, %error, "a record is not understood"))
        .ok()
}
