//! Who walks: for each role somebody who has it alone, a few who have every role, persons without any for
//! the fields that name one, and outsiders who have every role but some.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use acceptance::Door;
use kernel::Actor;
use serde_json::{Value, json};

use crate::book::{Book, Edge, Process, quoted};

/// Persons who have every role: as many as the largest quorum asks for, one who stands aside, and one.
const ALL: usize = 4;
/// Persons without roles, for fields.
const NAMED: usize = 12;

/// All persons, before they are made: a fresh platform numbers them in this order.
pub struct Cast {
    pub persons: Vec<Arc<Actor>>,
    roles: BTreeSet<String>,
    with_role: BTreeMap<String, usize>,
    /// By the roles that they lack.
    outsiders: BTreeMap<BTreeSet<String>, usize>,
}

impl Cast {
    pub fn of(book: &Book) -> Self {
        let roles = book.roles();
        let mut cast = Self {
            persons: Vec::new(),
            roles: roles.clone(),
            with_role: BTreeMap::new(),
            outsiders: BTreeMap::new(),
        };
        for _ in 0..ALL {
            cast.add(&roles);
        }
        for _ in 0..NAMED {
            cast.add(&BTreeSet::new());
        }
        for role in &roles {
            let person = cast.add(&BTreeSet::from([role.clone()]));
            cast.with_role.insert(role.clone(), person);
        }
        for process in &book.processes {
            for edge in &process.edges {
                let lacking = cast.standing(process, &edge.people());
                if !lacking.is_empty() && !cast.outsiders.contains_key(&lacking) {
                    let held = &roles - &lacking;
                    let person = cast.add(&held);
                    cast.outsiders.insert(lacking, person);
                }
            }
        }
        cast
    }

    fn add(&mut self, roles: &BTreeSet<String>) -> usize {
        let place = self.persons.len();
        let id = format!("person:PER{:07}", place + 1);
        let (name, roles) = (format!("Walker {place}"), roles.clone());
        self.persons.push(Arc::new(Actor { id, name, roles, groups: BTreeSet::new() }));
        place
    }

    /// Makes them all; answers their doors.
    pub async fn make(&self, administrator: &Door) -> Vec<Door> {
        let mut doors = Vec::new();
        for person in &self.persons {
            let wanted = json!({ "name": person.name, "roles": person.roles });
            let made = administrator.post("/api/v1/persons", &wanted).await.good();
            let number = made["number"].as_str().expect("a person has a number");
            assert_eq!(person.id, format!("person:{number}"), "a fresh platform counts from one");
            let scopes = ["records:read", "records:write"];
            let key = json!({ "name": person.name, "scopes": scopes, "person": number });
            doors.push(administrator.key(key).await);
        }
        doors
    }

    /// Who has every role.
    pub fn everybody(&self) -> std::ops::Range<usize> {
        0..ALL
    }

    /// What a field of persons holds: the field's own person, or one who is everybody.
    pub fn named(&self, process: &Process, field: &str, is_one: bool) -> Value {
        let own = ALL + process.place_of_person(field) % NAMED;
        let person = &self.persons[if is_one { 0 } else { own }];
        let number = person.id.trim_start_matches("person:");
        match process.schema(field).is_some_and(|schema| schema["type"] == "array") {
            true => json!([number]),
            false => json!(number),
        }
    }

    /// Somebody who sees most and has none of the roles that an edge asks for.
    pub fn outsider(&self, process: &Process, edge: &Edge) -> usize {
        let lacking = self.standing(process, &edge.people());
        // Where only the record grants the role, whoever it does not name is an outsider.
        self.outsiders.get(&lacking).copied().unwrap_or(ALL - 1)
    }

    /// Who may have one of the roles on a record: those who have it alone, those whom the record names,
    /// and those who have every role.
    pub fn candidates(&self, process: &Process, roles: &[String], data: &Value) -> Vec<usize> {
        let mut found = Vec::new();
        for role in self.standing(process, roles) {
            found.extend(self.with_role.get(&role));
        }
        for field in roles
            .iter()
            .filter_map(|role| process.grant(role))
            .flat_map(|grant| process.fields_of(grant))
        {
            let named = match &data[&field] {
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect::<Vec<_>>(),
            };
            found.extend(named.into_iter().filter_map(|number| self.by_number(number)));
        }
        found.extend(self.everybody());
        let mut seen = BTreeSet::new();
        found.retain(|person| seen.insert(*person));
        found
    }

    fn by_number(&self, number: &str) -> Option<usize> {
        self.persons.iter().position(|person| person.id.ends_with(number))
    }

    /// The standing roles among some, and those that grants ask for.
    fn standing(&self, process: &Process, roles: &[String]) -> BTreeSet<String> {
        let mut standing = BTreeSet::new();
        for role in roles {
            match process.grant(role) {
                Some(grant) => standing
                    .extend(quoted(grant).into_iter().filter(|word| self.roles.contains(word))),
                None => drop(standing.insert(role.clone())),
            }
        }
        standing
    }
}
