//! The script of a history: who did what to which record and when, read from files.
//!
//! A file names people, patterns and lives. A life is what happened to one record, step by step; a pattern
//! is a life with places left open. A step says its deed, `by` whom and `at` what moment (see [`super::when`]),
//! five minutes after the step before and by the same person unless it says otherwise:
//!
//! | deed | what it does |
//! |---|---|
//! | `open: COLLECTION` | opens the record, with the fields of `with` |
//! | `find: COLLECTION` | the record is one that the platform opened: the newest whose data holds all of `with` |
//! | `take: TRANSITION` | takes a transition, with the evidence of `with` |
//! | `vote: TRANSITION` | votes for it |
//! | `amend: true` | changes the fields of `with` |
//! | `comment: TEXT` | says something |
//! | `link: RELATION` | ties the record to `with.to` |
//! | `task: TITLE` | adds a task, with `with.assignee` |
//! | `finish: all` | each task that is open is done |
//! | `fire: TITLE`, `quiet: TITLE` | monitoring tells of an alert with the labels of `with`, and of its end |
//!
//! In texts `$name` is the number of the record or person of that name, and a text `@MOMENT` is that moment.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::when::History;

/// Who sets everything up.
pub const ADMINISTRATOR: &str = "administrator";
/// When a step says no moment of its own.
const NEXT: &str = "+0:05";

/// What was done, in the order in which it was.
#[derive(Debug)]
pub struct Script {
    pub people: BTreeSet<String>,
    pub steps: Vec<Step>,
}

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub struct Step {
    /// The same in every run.
    pub id: String,
    /// The name of the record that it is done to.
    pub life: String,
    pub collection: String,
    pub at: DateTime<Utc>,
    pub by: String,
    pub deed: Deed,
    /// Names in it stand as `$name`.
    pub with: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Open,
    Find,
    /// Gives a person a password.
    Admit,
    Take(String),
    Vote(String),
    Amend,
    Comment(String),
    Link(String),
    Task(String),
    Finish,
    /// An alert that began when its life did.
    Fire {
        title: String,
        since: DateTime<Utc>,
    },
    Quiet {
        title: String,
        since: DateTime<Utc>,
    },
}

impl Deed {
    /// Whether the life's record is known from here on.
    fn binds(&self) -> bool {
        matches!(self, Self::Open | Self::Find)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    people: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    patterns: BTreeMap<String, Vec<Map<String, Value>>>,
    #[serde(default)]
    lives: Vec<Life>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Life {
    #[serde(rename = "as")]
    name: String,
    /// The pattern whose steps it takes, before its own.
    like: Option<String>,
    /// When the first step is taken.
    at: Option<String>,
    /// What stands in the places that the pattern leaves open.
    #[serde(default)]
    with: Map<String, Value>,
    #[serde(default)]
    steps: Vec<Map<String, Value>>,
}

impl Script {
    /// Reads files of a history that ends at a moment.
    ///
    /// # Errors
    /// The first thing that cannot be understood, or uses what is not there yet.
    pub fn read(files: &[(&str, &str)], end: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut read = Vec::new();
        let mut patterns = BTreeMap::new();
        for (name, text) in files {
            let file = file(text).with_context(|| format!("in {name}"))?;
            patterns.extend(file.patterns);
            read.push((*name, file.people, file.lives));
        }
        let reader = Reader { history: History::until(end), patterns };
        let mut script = Self { people: BTreeSet::new(), steps: Vec::new() };
        let lives: Vec<(&str, Life)> = read
            .iter_mut()
            .flat_map(|(name, _, lives)| lives.drain(..).map(|life| (*name, life)))
            .collect();
        for (name, life) in lives {
            let said = life.name.clone();
            let steps = reader.life(life).with_context(|| format!("in {name}, `{said}`"))?;
            script.steps.extend(steps);
        }
        // Stable: what happens at the same moment happens in the order of the files.
        script.steps.sort_by_key(|step| step.at);
        let begins = script.steps.first().map_or(end, |step| step.at);
        let people = read.into_iter().flat_map(|(_, people, _)| people);
        let mut arrivals = Vec::new();
        for (name, person) in people {
            arrivals.extend(arrival(&name, person, begins));
            script.people.insert(name);
        }
        script.steps.splice(0..0, arrivals);
        script.check(end)?;
        Ok(script)
    }

    /// When the first step is taken.
    pub fn begins(&self) -> DateTime<Utc> {
        self.steps.first().map_or(DateTime::UNIX_EPOCH, |step| step.at)
    }

    fn check(&self, end: DateTime<Utc>) -> anyhow::Result<()> {
        let (mut bound, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.steps {
            let Step { id, by, .. } = step;
            ensure!(ids.insert(id), "there are two lives called `{}`", step.life);
            ensure!(step.at <= end, "{id} lies after the end, at {}", step.at);
            ensure!(
                by == ADMINISTRATOR || self.people.contains(by),
                "{id} is by `{by}`, who is nobody"
            );
            let mut names = BTreeSet::new();
            step.with.values().for_each(|value| names_in(value, &mut names));
            for name in names {
                ensure!(bound.contains(name), "{id} names ${name}, which is not there yet");
            }
            if step.deed.binds() {
                bound.insert(step.life.as_str());
            }
        }
        Ok(())
    }
}

fn file(text: &str) -> anyhow::Result<File> {
    let read = engine::yaml_as_json(text);
    let value = read.map_err(|flaws| {
        let told: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", told.join("\n"))
    })?;
    Ok(serde_json::from_value(value)?)
}

/// A person is made, and may sign in.
fn arrival(name: &str, person: Map<String, Value>, at: DateTime<Utc>) -> [Step; 2] {
    let step = |id: &str, deed, with| Step {
        id: format!("{name}/{id}"),
        life: name.to_owned(),
        collection: "persons".to_owned(),
        at,
        by: ADMINISTRATOR.to_owned(),
        deed,
        with,
    };
    let mut data = person;
    data.entry("login").or_insert_with(|| name.into());
    [step("0", Deed::Open, data), step("1", Deed::Admit, Map::new())]
}

struct Reader {
    history: History,
    patterns: BTreeMap<String, Vec<Map<String, Value>>>,
}

impl Reader {
    fn life(&self, life: Life) -> anyhow::Result<Vec<Step>> {
        let mut written = match &life.like {
            Some(pattern) => {
                let steps = self.patterns.get(pattern);
                steps.with_context(|| format!("there is no pattern `{pattern}`"))?.clone()
            }
            None => Vec::new(),
        };
        for step in &mut written {
            step.values_mut().try_for_each(|value| fill(value, &life.with))?;
        }
        written.extend(life.steps);
        let mut steps: Vec<Step> = Vec::with_capacity(written.len());
        for (index, fields) in written.into_iter().enumerate() {
            let first = life.at.as_deref().filter(|_| index == 0);
            let step = self.step(&life.name, index, fields, first, &steps);
            steps.push(step.with_context(|| format!("step {index}"))?);
        }
        Ok(steps)
    }

    fn step(
        &self,
        life: &str,
        index: usize,
        mut fields: Map<String, Value>,
        first: Option<&str>,
        before: &[Step],
    ) -> anyhow::Result<Step> {
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(other) => bail!("`{name}` is no text: {other}"),
        };
        let (said_at, said_by) = (text("at")?, text("by")?);
        let base = before.last().map(|step| step.at);
        let at = said_at.as_deref().or(first).unwrap_or(NEXT);
        let at = self.history.moment(at, base).map_err(anyhow::Error::msg)?;
        ensure!(base.is_none_or(|base| at >= base), "it lies before the step before");
        let by =
            said_by.or_else(|| before.last().map(|step| step.by.clone())).context("by whom?")?;
        let mut with = match fields.remove("with") {
            Some(Value::Object(with)) => with,
            None => Map::new(),
            Some(other) => bail!("`with` is no map: {other}"),
        };
        with.values_mut().try_for_each(|value| self.instants(value, at))?;
        let mut rest = fields.into_iter();
        let (Some((name, value)), None) = (rest.next(), rest.next()) else {
            bail!("a step has one deed");
        };
        let of = value.as_str().unwrap_or_default().to_owned();
        let since = before.first().map_or(at, |step| step.at);
        let mut collection = before.last().map(|step| step.collection.clone()).unwrap_or_default();
        let deed = match name.as_str() {
            "open" | "find" => {
                collection = of;
                if name == "open" { Deed::Open } else { Deed::Find }
            }
            "take" => Deed::Take(of),
            "vote" => Deed::Vote(of),
            "amend" => Deed::Amend,
            "comment" => Deed::Comment(of),
            "link" => Deed::Link(of),
            "task" => Deed::Task(of),
            "finish" => Deed::Finish,
            "fire" => Deed::Fire { title: of, since },
            "quiet" => Deed::Quiet { title: of, since },
            other => bail!("there is no deed `{other}`"),
        };
        Ok(Step {
            id: format!("{life}/{index}"),
            life: life.to_owned(),
            collection,
            at,
            by,
            deed,
            with,
        })
    }

    fn instants(&self, value: &mut Value, base: DateTime<Utc>) -> anyhow::Result<()> {
        match value {
            Value::String(text) => {
                if let Some(moment) = text.strip_prefix('@') {
                    let moment = self.history.moment(moment, Some(base));
                    *value = json!(moment.map_err(anyhow::Error::msg)?.to_rfc3339());
                }
                Ok(())
            }
            Value::Array(list) => list.iter_mut().try_for_each(|one| self.instants(one, base)),
            Value::Object(map) => map.values_mut().try_for_each(|one| self.instants(one, base)),
            _ => Ok(()),
        }
    }
}

/// Lays what a life gives over the places of its pattern; other names are those of records.
fn fill(value: &mut Value, given: &Map<String, Value>) -> anyhow::Result<()> {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix('$').and_then(|name| given.get(name));
            *value = match whole {
                Some(whole) => whole.clone(),
                None => named(text, |name| match given.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    _ => format!("${name}"),
                })
                .into(),
            };
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|one| fill(one, given)),
        Value::Object(map) => map.values_mut().try_for_each(|one| fill(one, given)),
        _ => Ok(()),
    }
}

/// Puts something in the place of each `$name` of a text.
pub fn named(text: &str, of: impl Fn(&str) -> String) -> String {
    let mut parts = text.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = name_of(part);
        whole.push_str(&of(name));
        whole.push_str(&part[name.len()..]);
    }
    whole
}

/// The name that a text begins with. A hyphen at its end is one of the text.
fn name_of(text: &str) -> &str {
    let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '-';
    let end = text.find(|symbol| !is_name(symbol)).unwrap_or(text.len());
    text[..end].trim_end_matches('-')
}

fn names_in<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => names.extend(text.split('$').skip(1).map(name_of)),
        Value::Array(list) => list.iter().for_each(|one| names_in(one, names)),
        Value::Object(map) => map.values().for_each(|one| names_in(one, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Script> {
        let people = "people: { ada: { name: Ada } }\n";
        Script::read(&[("one.yaml", &format!("{people}{text}"))], "2026-11-23T09:00:00Z".parse()?)
    }

    #[test]
    fn a_pattern_is_filled_and_what_happens_is_in_order() {
        let script = read(
            "patterns: { call: [{ open: incidents, by: $who, with: { title: $title, of: $$who } }, { take: start, at: +0:10 }] }\n\
             lives:\n\
             - { as: late, like: call, at: 1 09:00, with: { who: ada, title: Late } }\n\
             - { as: soon, like: call, at: 2 09:00, with: { who: ada, title: Soon }, steps: [{ comment: See $late., at: 0 10:00 }] }\n",
        );
        let script = script.unwrap();
        let order: Vec<&str> = script.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(order, ["ada/0", "ada/1", "soon/0", "soon/1", "late/0", "late/1", "soon/2"]);
        let soon = &script.steps[2];
        assert_eq!(Value::Object(soon.with.clone()), json!({ "title": "Soon", "of": "$ada" }));
        assert_eq!(
            (soon.by.as_str(), soon.at.to_rfc3339().as_str()),
            ("ada", "2026-11-18T08:00:00+00:00")
        );
        assert_eq!(script.steps[3].at - soon.at, chrono::TimeDelta::minutes(10));
    }

    #[test]
    fn names_stand_in_texts() {
        let of = |name: &str| format!("<{name}>");
        assert_eq!(named("See $inc-1, $a-.", of), "See <inc-1>, <a>-.");
    }

    #[test]
    fn what_cannot_be_played_is_told() {
        let step = |step: &str| {
            format!(
                "lives: [{{ as: one, steps: [{{ open: risks, by: ada, at: 1 09:00 }}, {step}] }}]"
            )
        };
        for (text, expected) in [
            (step("{ take: go, with: { of: $two } }"), "which is not there yet"),
            (step("{ take: go, by: bob }"), "who is nobody"),
            (step("{ take: go, at: 2 09:00 }"), "before the step before"),
            (step("{ take: go, at: +30 09:00 }"), "lies after the end"),
            (step("{ fly: away }"), "no deed `fly`"),
            (step("{ take: go, vote: go }"), "one deed"),
            ("lives: [{ as: one, like: none }]".to_owned(), "no pattern `none`"),
            ("live: []".to_owned(), "unknown field `live`"),
        ] {
            let told = format!("{:#}", read(&text).expect_err(&text));
            assert!(told.contains(expected), "{told}");
        }
    }
}
