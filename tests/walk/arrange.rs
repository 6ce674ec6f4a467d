//! Events that are arranged: a record of the process that says one is opened so that its event finds
//! ours, and walked, by a way that is known already, to where it says it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{
    book::{Edge, Process, names_after},
    goals::{self, Goal},
    guess::{candidates, sample},
    plan::{Deed, Evidence, Ground, Outcome, Step, Tree},
    search::{Manner, Search},
};

/// Ways to an event that are tried, and records of ours that it is to find.
const RECIPES: usize = 10;
const RECORDS: usize = 6;
/// How far a record is explored after something was arranged for it.
const BUDGET: usize = 90;
/// How far one edge is looked for.
const SOUGHT: usize = 300;

/// Events that a service makes of one that concerns several records (D52): what is said, by
/// which event, and the field that names our record.
const PARTS: [(&str, &str, &str); 9] = [
    ("release.change_contained.v1", "release.opened.v1", "contains"),
    ("release.change_deploying.v1", "release.deploying.v1", "contains"),
    ("release.change_deployed.v1", "release.deployed.v1", "contains"),
    ("release.change_backing_out.v1", "release.backing_out.v1", "contains"),
    ("release.change_failed.v1", "release.failed.v1", "contains"),
    ("release.item_deployed.v1", "release.deployed.v1", "items"),
    ("release.error_brought.v1", "release.deployed.v1", "known_errors"),
    ("change.item_opened.v1", "change.begun.v1", "items"),
    ("change.item_closed.v1", "change.closed.v1", "items"),
];

/// The trees of all processes, one of which is being grown.
pub struct Arranger<'a, 'g> {
    pub ground: &'a Ground<'g>,
    pub trees: &'a BTreeMap<String, Tree>,
    pub tree: &'a mut Tree,
    pub process: &'g Process,
}

/// What may be given at the opening of a record so that its event meets a condition: at first nothing, and
/// then all that is taken from it.
fn choices(
    source: &Process,
    opens: &Value,
    when: &str,
    now: DateTime<Utc>,
) -> Vec<Map<String, Value>> {
    let taken = names_after(&opens["set"].to_string(), "event.").into_iter();
    let taken = taken.filter(|field| !source.is_read_only(field) && !source.is_person(field));
    let taken = taken.filter_map(|field| Some((source.schema(&field)?, field)));
    let mut all = vec![Map::new(), taken.map(|(of, field)| (field, sample(of, now))).collect()];
    for field in names_after(when, "event.") {
        let Some(schema) = source.schema(&field).filter(|_| !source.is_read_only(&field)) else {
            continue;
        };
        let values = candidates(schema, source.conditions(&field), now);
        let given = values.into_iter().filter(|value| !value.is_null());
        all.extend(given.map(|value| Map::from_iter([(field.clone(), value)])));
    }
    all
}

/// What a way is gone for.
#[derive(Default)]
struct Errand<'a> {
    /// The record that is there already, instead of the way's first.
    origin: Option<&'a str>,
    /// What is given to the record that is opened.
    fixed: Map<String, Value>,
    /// Its process.
    of: &'a str,
    /// Our record, and its field that is to list the one that is opened.
    lists: Option<(String, String)>,
}

/// A way in some tree, as far as it can be gone in another world.
#[derive(Clone)]
struct Recipe {
    steps: Vec<Step>,
    /// The process that says the event.
    of: String,
}

impl<'g> Arranger<'_, 'g> {
    /// Tries every opening and edge of the process that only an event makes.
    pub fn arrange(&mut self) {
        let process = self.process;
        for opens in process.outline["opens"].as_array().into_iter().flatten() {
            self.opening(opens);
        }
        for edge in &process.edges {
            for on in edge.events() {
                let goal = Goal::taken(&process.name, &edge.state, &edge.name);
                if self.ground.elsewhere.contains(&goal) {
                    continue;
                }
                if self.tree.met.contains_key(&goal) {
                    self.after(&goal);
                } else {
                    self.edge(edge, on, &goal);
                }
            }
        }
        self.seek();
    }

    /// Looks for what people and time do and nothing has shown yet, edge by edge.
    fn seek(&mut self) {
        for edge in &self.process.edges {
            let goals = goals::of_edge(self.process, edge).into_iter();
            // What only events do is arranged.
            let is_theirs = edge.people().is_empty() && !edge.is_timed();
            for goal in goals.filter(|goal| !is_theirs && !self.ground.elsewhere.contains(goal)) {
                // Who is kept from something is found where one person is many.
                let manners: &[(bool, bool)] = match goal {
                    Goal::Control { .. } | Goal::Excluded { .. } => &[(true, true), (true, false)],
                    _ => &[(false, false)],
                };
                for (is_one, is_busy) in manners.iter().copied() {
                    let manner = Manner { is_one, is_busy, budget: SOUGHT };
                    self.seek_one(edge, &goal, manner, |other| std::ptr::eq(other, edge));
                    self.seek_one(edge, &goal, manner, |other| other.state == edge.state);
                    self.seek_one(edge, &goal, manner, |_| true);
                }
            }
        }
    }

    /// Goes for one goal, by the fields that some edges ask for.
    fn seek_one(
        &mut self,
        edge: &Edge,
        goal: &Goal,
        manner: Manner,
        is_asked: impl Fn(&Edge) -> bool,
    ) {
        if self.tree.met.contains_key(goal) {
            return;
        }
        let asked = self.process.edges.iter().filter(|edge| is_asked(edge));
        let mut search = Search::new(self.ground, self.tree, self.process, manner)
            .only_for(asked)
            .towards(BTreeSet::from([edge.state.clone()]));
        search.with_openings(None, &Map::new());
        search.run(Some(goal));
    }

    fn opening(&mut self, opens: &Value) {
        let event = opens["on"].as_str().unwrap_or_default();
        let goal = Goal::Opened { process: self.process.name.clone(), event: event.to_owned() };
        if self.tree.met.contains_key(&goal) || self.ground.elsewhere.contains(&goal) {
            return;
        }
        let Some(source) = self.source(event) else { return };
        let when = opens["when"].as_str().unwrap_or_default();
        let recipes = self.recipes(source, event, when);
        let choices = choices(source, opens, when, self.ground.began);
        for (recipe, fixed) in
            choices.iter().flat_map(|fixed| recipes.iter().map(move |recipe| (recipe, fixed)))
        {
            let errand = Errand { fixed: fixed.clone(), of: &source.name, ..Errand::default() };
            let Some(last) = self.follow(recipe, None, &errand) else { continue };
            if self.tree.met.contains_key(&goal) {
                let opened = self.tree.nodes[last].step.opened.iter();
                let ours = opened.filter(|(process, _)| *process == self.process.name);
                for (_, number) in ours.cloned().collect::<Vec<_>>() {
                    self.explore(last, &number);
                }
                return;
            }
        }
    }

    fn edge(&mut self, edge: &Edge, on: &Value, goal: &Goal) {
        let said = on["event"].as_str().unwrap_or_default();
        let part = PARTS.iter().find(|(part, ..)| *part == said);
        let (event, key) = match part {
            Some((_, event, field)) => (*event, *field),
            None => (said, ""),
        };
        let keys = names_after(on["key"].as_str().unwrap_or_default(), "event.");
        let Some(field) = keys.first().map(|field| if part.is_some() { key } else { field }) else {
            return;
        };
        let Some(source) = self.source(event) else { return };
        let is_own = field == "number" || field == "id" || field == source.name;
        for (node, number) in self.standing(&edge.state) {
            let recipes = self.recipes(source, event, on["when"].as_str().unwrap_or_default());
            for origin in self.origins(node, &number, source, field, is_own) {
                for recipe in &recipes {
                    let errand = Errand { origin: Some(&origin), ..Errand::default() };
                    if let Some(last) = self.follow(recipe, Some(node), &errand)
                        && self.tree.met.contains_key(goal)
                    {
                        return self.explore(last, &number);
                    }
                }
                let Some(filled) = self.filled(Some(node), &origin) else { continue };
                let manner = Manner { is_one: false, is_busy: false, budget: BUDGET };
                let mut search = Search::new(self.ground, self.tree, source, manner)
                    .towards(source.saying(event));
                search.with_record(filled, &origin);
                if search.run(Some(goal)) {
                    return self.after(goal);
                }
            }
            if is_own {
                continue;
            }
            let mut fixed = Map::new();
            let Some(schema) = source.schema(field) else { continue };
            let value = match (schema["type"].as_str(), schema["items"]["type"].as_str()) {
                (Some("array"), Some("object")) => json!([{ "item": number, "version": "2.0" }]),
                (Some("array"), _) => json!([number]),
                _ => json!(number),
            };
            fixed.insert(field.to_owned(), value);
            let lists =
                names_after(on["when"].as_str().unwrap_or_default(), "event.number in record.");
            let lists = lists.into_iter().next().map(|field| (number.clone(), field));
            let errand = Errand { origin: None, fixed, of: &source.name, lists };
            for recipe in &recipes {
                if let Some(last) = self.follow(recipe, Some(node), &errand)
                    && self.tree.met.contains_key(goal)
                {
                    return self.explore(last, &number);
                }
            }
            let manner = Manner { is_one: false, is_busy: false, budget: BUDGET };
            let mut search =
                Search::new(self.ground, self.tree, source, manner).towards(source.saying(event));
            search.with_openings(Some(node), &errand.fixed);
            if search.run(Some(goal)) {
                return self.after(goal);
            }
        }
    }

    /// Goes on from where a goal was met.
    fn after(&mut self, goal: &Goal) {
        if let Some(Evidence::Node(node)) = self.tree.met.get(goal).copied() {
            let ours = self.tree.nodes[node].world.records();
            let ours = ours.filter(|record| record.process == self.process.name);
            for number in ours.map(|record| record.number.clone()).collect::<Vec<_>>() {
                self.explore(node, &number);
            }
        }
    }

    fn explore(&mut self, node: usize, number: &str) {
        let manner = Manner { is_one: false, is_busy: false, budget: BUDGET };
        let said = self.tree.nodes[node].step.number.clone();
        for number in [number, &said] {
            let held = self.tree.nodes[node].world.held(number);
            let Some(process) =
                held.and_then(|held| self.ground.book.process(&held.record.process))
            else {
                continue;
            };
            if !self.is_wanting(process) {
                continue;
            }
            let mut search = Search::new(self.ground, self.tree, process, manner);
            search.with_record(node, number);
            search.run(None);
        }
    }

    /// Whether people or time do something with the process that no tree shows.
    fn is_wanting(&self, process: &Process) -> bool {
        let edges = process
            .edges
            .iter()
            .filter(|edge| !edge.people().is_empty() || edge.asks().contains(['P', '.']));
        let mut goals = edges.map(|edge| Goal::taken(&process.name, &edge.state, &edge.name));
        goals.any(|goal| {
            let known =
                self.trees.get(&process.name).is_some_and(|tree| tree.met.contains_key(&goal));
            !known && !self.tree.met.contains_key(&goal) && !self.ground.elsewhere.contains(&goal)
        })
    }

    /// The process that says an event.
    fn source(&self, event: &str) -> Option<&'g Process> {
        self.ground.book.process(event.split_once('.')?.0)
    }

    /// Our records that stand in a state, by the shortest ways.
    fn standing(&self, state: &str) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        for (place, node) in self.tree.nodes.iter().enumerate() {
            for record in node.world.records() {
                if record.process == self.process.name && record.state == state {
                    found.push((self.tree.way(place).len(), place, record.number.clone()));
                }
            }
        }
        found.sort();
        let middle = found.len().saturating_sub(RECORDS / 2).max(RECORDS / 2);
        let late = found.split_off(middle.min(found.len()));
        found.truncate(RECORDS / 2);
        found.into_iter().chain(late).map(|(_, node, number)| (node, number)).collect()
    }

    /// Records in the world of a node whose event would find ours.
    fn origins(
        &self,
        node: usize,
        number: &str,
        source: &Process,
        field: &str,
        is_own: bool,
    ) -> Vec<String> {
        let world = &self.tree.nodes[node].world;
        let finds = |record: &&engine::Record| {
            let named = &record.data.get(field).cloned().unwrap_or_default();
            let is_named =
                named == number || named.as_array().is_some_and(|all| all.contains(&json!(number)));
            let holds = |key: &str| world.is_holder(&self.process.name, key, number);
            record.process == source.name
                && (is_named
                    || (is_own && (holds(&record.number) || holds(&record.id.to_string()))))
        };
        world.records().filter(finds).map(|record| record.number.clone()).collect()
    }

    /// The shortest ways on which a process says an event, each with other values of what is asked of it.
    fn recipes(&self, source: &Process, event: &str, when: &str) -> Vec<Recipe> {
        let asked = names_after(when, "event.");
        let mut ways = Vec::new();
        let own = (source.name == self.process.name).then_some(&*self.tree);
        if let Some(tree) = self.trees.get(&source.name).or(own) {
            for (place, node) in tree.nodes.iter().enumerate() {
                if node.step.says.iter().any(|said| said == event) {
                    let held = node.world.held(&node.step.number);
                    let value =
                        |field: &String| held.and_then(|held| held.record.data.get(field)).cloned();
                    let values: Vec<_> = asked.iter().map(value).collect();
                    ways.push((tree.way(place), format!("{values:?}"), tree));
                }
            }
        }
        ways.sort_by_key(|(way, ..)| way.len());
        let mut seen = BTreeMap::<String, usize>::new();
        ways.retain(|(_, values, _)| {
            let count = seen.entry(values.clone()).or_default();
            *count += 1;
            *count <= 3
        });
        ways.truncate(RECIPES);
        let steps = |way: Vec<usize>, tree: &Tree| {
            way.into_iter().map(|node| tree.nodes[node].step.clone()).collect()
        };
        ways.into_iter()
            .map(|(way, _, tree)| Recipe { steps: steps(way, tree), of: source.name.clone() })
            .collect()
    }

    /// Names the persons of a record that an event opened, so that somebody has the roles that it grants.
    fn filled(&mut self, at: Option<usize>, number: &str) -> Option<usize> {
        let record = &self.tree.nodes[at?].world.held(number)?.record;
        let process = self.ground.book.process(&record.process)?;
        let lacking = process.fields().map(|(field, _)| field).filter(|field| {
            process.is_person(field)
                && !process.is_read_only(field)
                && !record.data.contains_key(*field)
        });
        let named = |field: &String| (field.clone(), self.ground.cast.named(process, field, false));
        let patch: Map<String, Value> = lacking.map(named).collect();
        if patch.is_empty() {
            return at;
        }
        self.amended(at, number, patch)
    }

    fn amended(
        &mut self,
        at: Option<usize>,
        number: &str,
        patch: Map<String, Value>,
    ) -> Option<usize> {
        let record = &self.tree.nodes[at?].world.held(number)?.record;
        let process = self.ground.book.process(&record.process)?;
        let amenders =
            self.ground.cast.candidates(process, &process.amenders(), &json!(record.data));
        let deed = Deed::Amend { patch };
        for actor in amenders {
            if let Outcome::Done(node, seen) =
                self.tree.attempt(self.ground, at, number, actor, deed.clone())
            {
                return Some(self.tree.keep(*node, &seen));
            }
        }
        at
    }

    /// Goes a way in the world of a node; where its first record is `origin`, that is not opened anew.
    fn follow(
        &mut self,
        recipe: &Recipe,
        within: Option<usize>,
        errand: &Errand<'_>,
    ) -> Option<usize> {
        let mut numbers = BTreeMap::new();
        let mut at = within;
        let mut steps = recipe.steps.iter().collect::<Vec<_>>();
        if let Some(origin) = errand.origin {
            if !matches!(&steps[0].deed, Deed::Open { process, .. } if *process == recipe.of) {
                return None;
            }
            numbers.insert(steps[0].number.clone(), origin.to_owned());
            steps.remove(0);
            at = self.filled(at, origin);
        }
        for step in steps {
            let mut deed = step.deed.renumbered(&numbers);
            let is_source = matches!(&deed, Deed::Open { process, .. } if *process == errand.of);
            if let (Deed::Open { data, .. }, true) = (&mut deed, is_source) {
                data.extend(errand.fixed.clone());
            }
            let number = numbers.get(&step.number).cloned().unwrap_or_default();
            let Outcome::Done(node, seen) =
                self.tree.attempt(self.ground, at, &number, step.actor, deed)
            else {
                return None;
            };
            let ours: BTreeSet<_> = numbers.values().cloned().collect();
            let opened = step.opened.iter().zip(&node.step.opened);
            numbers.extend(
                opened
                    .filter(|(old, new)| old.0 == new.0)
                    .map(|(old, new)| (old.1.clone(), new.1.clone())),
            );
            if !ours.contains(&node.step.number) {
                numbers.insert(step.number.clone(), node.step.number.clone());
            }
            let opened = node.step.number.clone();
            at = Some(self.tree.keep(*node, &seen));
            if let (Some((ours, field)), true) = (&errand.lists, is_source) {
                let patch = Map::from_iter([(field.clone(), json!([opened]))]);
                at = self.amended(at, ours, patch);
            }
        }
        at
    }
}
