//! What ships, as the walk reads it: the rules of each service, and each transition of each state as an edge.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Calculation, Definition, Ruleset, Schemes};
use serde_json::{Map, Value};

/// The definitions, schemes and calculations of one service.
type Shipped<'a> =
    (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a [(&'static str, Calculation)]);

/// Everything that ships.
pub struct Book {
    pub processes: Vec<Process>,
    /// The rules of each service, by its name.
    pub rules: BTreeMap<&'static str, Ruleset>,
}

pub struct Process {
    pub name: String,
    pub service: &'static str,
    pub collection: String,
    pub outline: Value,
    pub edges: Vec<Edge>,
    /// The JSON Schema of each field.
    schemas: BTreeMap<String, Value>,
    /// Fields that decide something, here or in whoever hears of the record.
    pub asked: BTreeSet<String>,
    /// By field: the conditions that speak of it.
    conditions: BTreeMap<String, String>,
}

/// A transition of one state.
pub struct Edge {
    pub state: String,
    pub to: String,
    pub name: String,
    /// The name of its event.
    pub says: String,
    pub by: Vec<String>,
    pub needs: Vec<String>,
    pub takes: Vec<String>,
    pub outline: Map<String, Value>,
}

impl Book {
    pub fn read() -> Self {
        let services: [(&'static str, Shipped); 6] = [
            ("incident", (&incident::DEFINITIONS, &incident::SCHEMES, &[])),
            ("change", (&change::DEFINITIONS, &change::SCHEMES, &change::CALCULATIONS)),
            ("release", (&release::DEFINITIONS, &release::SCHEMES, &release::CALCULATIONS)),
            ("sla", (&sla::DEFINITIONS, &sla::SCHEMES, &sla::CALCULATIONS)),
            ("supplier", (&supplier::DEFINITIONS, &supplier::SCHEMES, &[])),
            (
                "governance",
                (&governance::DEFINITIONS, &governance::SCHEMES, &governance::CALCULATIONS),
            ),
        ];
        let (mut processes, mut rules) = (Vec::new(), BTreeMap::new());
        for (service, (definitions, schemes, calculations)) in services {
            let read = |(file, text): &(&str, &str)| {
                let definition = Definition::parse(text, 1);
                definition.unwrap_or_else(|flaws| panic!("{file}: {flaws:#?}"))
            };
            let definitions: Vec<Definition> = definitions.iter().map(read).collect();
            processes.extend(definitions.iter().map(|one| Process::of(service, one)));
            let schemes = Schemes::parse_all(schemes).expect("the schemes are sound");
            let calculations = calculations.iter().copied().collect();
            let together = Ruleset::calculating(definitions, schemes, calculations);
            rules.insert(service, together.expect("the definitions fit their schemes"));
        }
        let mut book = Self { processes, rules };
        book.hear();
        book
    }

    /// What hearers ask of an event decides something of the record that it is of.
    fn hear(&mut self) {
        let mut heard = Vec::new();
        for process in &self.processes {
            let opens = process.outline["opens"].as_array().into_iter().flatten();
            for on in opens.chain(process.edges.iter().flat_map(Edge::events)) {
                let of = on["on"].as_str().or(on["event"].as_str()).unwrap_or_default();
                let of = of.split('.').next().unwrap_or_default().to_owned();
                heard.push((of, on["when"].as_str().unwrap_or_default().to_owned()));
            }
        }
        for (of, when) in heard {
            let Some(process) = self.processes.iter_mut().find(|process| process.name == of) else {
                continue;
            };
            for field in names_after(&when, "event.") {
                if process.schemas.contains_key(&field) {
                    process.conditions.entry(field.clone()).or_default().push_str(&when);
                    process.asked.insert(field);
                }
            }
        }
    }

    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// The roles that definitions speak of and no record grants.
    pub fn roles(&self) -> BTreeSet<String> {
        let processes = self.rules.values().flat_map(Ruleset::processes);
        processes.flat_map(Definition::role_names).collect()
    }
}

impl Process {
    fn of(service: &'static str, definition: &Definition) -> Self {
        let edges = definition.all_transitions().map(|(state, transition)| Edge {
            state: state.to_owned(),
            to: transition.to.clone(),
            name: transition.name.clone(),
            says: transition.says.clone(),
            by: transition.by.clone(),
            needs: transition.needs.clone(),
            takes: transition.takes.clone(),
            outline: transition.outline(),
        });
        let schema = definition.data_schema();
        let schemas = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut process = Self {
            name: definition.process.clone(),
            service,
            collection: definition.collection.clone(),
            edges: edges.collect(),
            outline: definition.outline(),
            schemas: schemas.into_iter().collect(),
            asked: BTreeSet::new(),
            conditions: BTreeMap::new(),
        };
        let edges = process.edges.iter().map(Edge::asks);
        let mut asks: Vec<String> = edges.collect();
        asks.push(process.outline["starts_in"].to_string());
        asks.push(process.outline["grants"].to_string());
        asks.push(process.outline["controls"].to_string());
        process.asked = process.fields_of(&asks.join(" "));
        for ask in asks {
            for field in process.fields_of(&ask) {
                process.conditions.entry(field).or_default().push_str(&ask);
            }
        }
        process
    }

    /// The conditions that speak of a field.
    pub fn conditions(&self, field: &str) -> &str {
        self.conditions.get(field).map_or("", String::as_str)
    }

    pub fn edges_of<'p>(&'p self, state: &str) -> impl Iterator<Item = &'p Edge> + use<'p> {
        let state = state.to_owned();
        self.edges.iter().filter(move |edge| edge.state == state)
    }

    /// How many transitions each state is from the nearest of some.
    pub fn distances(&self, ends: BTreeSet<String>) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        let mut nearest = ends;
        for distance in 0.. {
            if nearest.is_empty() {
                break;
            }
            found.extend(nearest.iter().map(|state| (state.clone(), distance)));
            let before = self.edges.iter().filter(|edge| nearest.contains(&edge.to));
            let before = before.map(|edge| edge.state.clone());
            nearest = before.filter(|state| !found.contains_key(state)).collect();
        }
        found
    }

    /// The states in which it says an event.
    pub fn saying(&self, event: &str) -> BTreeSet<String> {
        let name = event.split('.').nth(1).unwrap_or_default();
        let edges = self.edges.iter().filter(|edge| edge.says == name);
        edges.map(|edge| edge.state.clone()).collect()
    }

    pub fn openers(&self) -> Vec<String> {
        words(&self.outline["may"]["open"])
    }

    pub fn amenders(&self) -> Vec<String> {
        words(&self.outline["may"]["amend"])
    }

    /// The expression by which a record grants the role.
    pub fn grant(&self, role: &str) -> Option<&str> {
        self.outline["grants"][role].as_str()
    }

    pub fn fields(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.schemas.iter()
    }

    pub fn schema(&self, field: &str) -> Option<&Value> {
        self.schemas.get(field)
    }

    pub fn is_read_only(&self, field: &str) -> bool {
        self.outline["fields"][field]["read_only"] != false
    }

    pub fn is_required(&self, field: &str) -> bool {
        self.outline["fields"][field]["required"] == true
    }

    pub fn is_person(&self, field: &str) -> bool {
        self.outline["fields"][field]["reference"] == "person"
    }

    /// Which of the fields that hold persons it is, counted from 0.
    pub fn place_of_person(&self, field: &str) -> usize {
        let persons = self.schemas.keys().filter(|name| self.is_person(name));
        persons.take_while(|name| *name != field).count()
    }

    /// The fields that an expression speaks of, and those that they are derived from.
    pub fn fields_of(&self, expression: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut waiting = names_after(expression, "record.");
        while let Some(name) = waiting.pop() {
            let derived = self.outline["derive"][&name].as_str();
            if self.schemas.contains_key(&name) && found.insert(name.clone()) {
                waiting.extend(derived.iter().flat_map(|of| names_after(of, "record.")));
            }
        }
        found
    }
}

impl Edge {
    pub fn text(&self, key: &str) -> &str {
        self.outline.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn voters(&self) -> Vec<String> {
        self.outline.get("vote").map_or_else(Vec::new, |vote| words(&vote["of"]))
    }

    /// Roles of people that take it.
    pub fn takers(&self) -> Vec<String> {
        self.by.iter().filter(|role| *role != kernel::SYSTEM).cloned().collect()
    }

    /// Roles of people that take it or vote on it.
    pub fn people(&self) -> Vec<String> {
        self.takers().into_iter().chain(self.voters()).collect()
    }

    /// The events that take it.
    pub fn events(&self) -> impl Iterator<Item = &Value> {
        self.outline.get("on").and_then(Value::as_array).into_iter().flatten()
    }

    /// Whether time takes it.
    pub fn is_timed(&self) -> bool {
        self.outline.contains_key("at") || self.outline.contains_key("after")
    }

    /// All that decides whether and when it is taken.
    pub fn asks(&self) -> String {
        let of = |key: &str| self.outline.get(key).map(Value::to_string).unwrap_or_default();
        [of("when"), of("at"), of("after"), of("vote")].join(" ")
    }
}

pub fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

/// `x` of each `record.x`.
pub fn names_after(expression: &str, root: &str) -> Vec<String> {
    let parts = expression.split(root).skip(1);
    let name = |part: &str| -> String {
        part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    parts.map(name).filter(|name| !name.is_empty()).collect()
}

/// Texts in single quotes.
pub fn quoted(expression: &str) -> Vec<String> {
    expression.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The numbers that an expression speaks of.
pub fn numbers(expression: &str) -> BTreeSet<i64> {
    let parts = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    parts.filter_map(|part| part.parse().ok()).collect()
}
