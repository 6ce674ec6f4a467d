//! The plans on the real platform: each record opened anew, each step and each refusal held to what the
//! engine said in memory, many records at once and all of them under one clock.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{Answer, Door, Platform};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    book::Book,
    goals::Goal,
    plan::{Deed, Evidence, Node, Probe, Tree, renumbered},
};

/// Records that are walked at the same time.
const AT_ONCE: usize = 12;

/// One record's way, with the refusals beside it.
struct Run<'a> {
    nodes: Vec<(&'a Node, Vec<&'a Probe>)>,
    /// The next node, and whether its deed is done and waits for what follows from it.
    next: usize,
    is_done: bool,
    /// Planned numbers to real ones.
    numbers: BTreeMap<String, String>,
    answer: Value,
    /// Where the platform did something else, which ends the run.
    fault: Option<String>,
}

/// What a run waits for.
enum Wait {
    Nothing,
    Others,
    Until(DateTime<Utc>),
}

pub struct Stage<'a> {
    pub platform: &'a Platform,
    pub book: &'a Book,
    pub doors: Vec<Door>,
    pub now: DateTime<Utc>,
}

/// The fewest ways of a tree on which all that it proves is seen.
fn runs<'a>(tree: &'a Tree, goals: &BTreeSet<Goal>) -> Vec<Run<'a>> {
    let mut probes: BTreeMap<usize, Vec<&Probe>> = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    let mut chosen = BTreeSet::new();
    for evidence in
        tree.met.iter().filter(|(goal, _)| goals.contains(goal)).map(|(_, evidence)| evidence)
    {
        match evidence {
            Evidence::Node(node) => drop(wanted.insert(*node)),
            Evidence::Probe(place) => {
                let probe = &tree.probes[*place];
                wanted.insert(probe.node);
                if chosen.insert(*place) {
                    probes.entry(probe.node).or_default().push(probe);
                }
            }
        }
    }
    let passed: BTreeSet<usize> = wanted
        .iter()
        .flat_map(|node| tree.way(*node).into_iter().filter(move |on| on != node))
        .collect();
    let ends = wanted.iter().filter(|node| !passed.contains(node));
    let mut runs = Vec::new();
    for end in ends {
        let nodes = tree.way(*end).into_iter().map(|place| {
            let beside = probes.remove(&place).unwrap_or_default();
            (&tree.nodes[place], beside)
        });
        let nodes = nodes.collect();
        let (numbers, answer) = (BTreeMap::new(), Value::Null);
        runs.push(Run { nodes, next: 0, is_done: false, numbers, answer, fault: None });
    }
    runs
}

impl Stage<'_> {
    /// Goes all ways that prove the goals of their trees; answers what the platform did otherwise.
    pub async fn play(&mut self, trees: &[(&Tree, BTreeSet<Goal>)]) -> Vec<String> {
        let mut all: Vec<Run> = trees.iter().flat_map(|(tree, goals)| runs(tree, goals)).collect();
        let steps: usize = all.iter().map(|run| run.nodes.len()).sum();
        let probes: usize =
            all.iter().flat_map(|run| &run.nodes).map(|(_, probes)| probes.len()).sum();
        println!("{} records, {steps} steps, {probes} refusals", all.len());
        loop {
            let stage = &*self;
            let going = stream::iter(all.iter_mut().map(|run| run.advance(stage)));
            let waits: Vec<Wait> = going.buffer_unordered(AT_ONCE).collect().await;
            let is_settling = waits.iter().any(|wait| matches!(wait, Wait::Others));
            let until = waits.iter().filter_map(|wait| match wait {
                Wait::Until(at) => Some(*at),
                _ => None,
            });
            match (is_settling, until.min()) {
                (true, _) => self.move_clock(self.now).await,
                (false, Some(at)) => self.move_clock(at).await,
                (false, None) => break,
            }
        }
        all.into_iter().filter_map(|run| run.fault).collect()
    }

    async fn move_clock(&mut self, to: DateTime<Utc>) {
        let to_text = to.to_rfc3339_opts(SecondsFormat::Micros, true);
        let _ = self.platform.door().post("/api/v1/clock", &json!({ "to": to_text })).await.good();
        self.now = to;
    }

    fn path(&self, process: &str, number: &str) -> String {
        let collection = &self.book.process(process).expect("it is known").collection;
        format!("/api/v1/{collection}/{number}")
    }
}

impl Run<'_> {
    /// Goes on as far as the hour lets it.
    async fn advance(&mut self, stage: &Stage<'_>) -> Wait {
        while self.fault.is_none() && self.next < self.nodes.len() {
            let (node, probes) = self.nodes[self.next].clone();
            if !self.is_done {
                if node.step.at > stage.now {
                    return Wait::Until(node.step.at);
                }
                if let Err(fault) = self.step(stage, node).await {
                    self.fault = Some(self.told(&fault));
                    return Wait::Nothing;
                }
                self.is_done = true;
                if node.step.settles {
                    return Wait::Others;
                }
            }
            if let Err(fault) = self.check(stage, node).await {
                self.fault = Some(self.told(&fault));
                return Wait::Nothing;
            }
            for probe in probes {
                if let Err(fault) = self.probe(stage, probe).await {
                    self.fault = Some(self.told(&fault));
                    return Wait::Nothing;
                }
            }
            self.next += 1;
            self.is_done = false;
        }
        Wait::Nothing
    }

    fn told(&self, fault: &str) -> String {
        let way = self.nodes[..=self.next].iter().map(|(node, _)| node.step.deed.name());
        format!("{}: {fault}", way.collect::<Vec<_>>().join(" > "))
    }

    async fn step(&mut self, stage: &Stage<'_>, node: &Node) -> Result<(), String> {
        if node.step.deed == Deed::Wait {
            self.answer = Value::Null;
            return Ok(());
        }
        let answer = self.send(stage, node.step.actor, &node.step.number, &node.step.deed).await?;
        if !answer.status.is_success() {
            return Err(format!("{} {}", answer.status, answer.body));
        }
        if let Deed::Open { .. } = &node.step.deed {
            let number = answer.body["number"].as_str().ok_or("a record has a number")?;
            self.numbers.insert(node.step.number.clone(), number.to_owned());
        }
        self.answer = answer.body;
        Ok(())
    }

    /// Holds the record to what was planned.
    async fn check(&mut self, stage: &Stage<'_>, node: &Node) -> Result<(), String> {
        let step = &node.step;
        let Some(planned) = node.world.held(&step.number).map(|held| &held.record) else {
            return Ok(());
        };
        if node.step.settles || self.answer["state"] != json!(step.state) {
            let path = stage.path(&planned.process, &self.number(stage, &step.number).await?);
            self.answer = stage.platform.door().get(&path).await.good();
        }
        if self.answer["state"] != json!(planned.state) {
            return Err(format!("it is {} and not {}", self.answer["state"], planned.state));
        }
        for field in step.changes.keys() {
            let planned = planned.data.get(field).cloned().unwrap_or_default();
            let planned = renumbered(&planned, &self.numbers);
            let real = &self.answer["data"][field];
            // Numbers of records that this run has not met are no matter.
            if *real != planned && !planned.to_string().contains("500000") {
                return Err(format!("{field} is {real} and not {planned}"));
            }
        }
        Ok(())
    }

    async fn probe(&mut self, stage: &Stage<'_>, probe: &Probe) -> Result<(), String> {
        let answer = self.send(stage, probe.actor, &probe.number, &probe.deed).await?;
        let is_named = probe.status == 404 || answer.codes().contains(&probe.code.as_str());
        if answer.status.as_u16() == probe.status && is_named {
            return Ok(());
        }
        let (deed, status, code) = (probe.deed.name(), probe.status, &probe.code);
        Err(format!(
            "{deed} was to be refused with {status} {code}: {} {}",
            answer.status, answer.body
        ))
    }

    async fn send(
        &mut self,
        stage: &Stage<'_>,
        actor: usize,
        number: &str,
        deed: &Deed,
    ) -> Result<Answer, String> {
        let door = &stage.doors[actor];
        if let Deed::Open { process, .. } = deed {
            let collection = &stage.book.process(process).expect("it is known").collection;
            let Deed::Open { data, .. } = deed.renumbered(&self.numbers) else {
                return Err(String::new());
            };
            return Ok(door.post(&format!("/api/v1/{collection}"), &json!(data)).await);
        }
        let real = self.number(stage, number).await?;
        let deed = self.known(stage, deed).await?;
        let process =
            self.nodes[self.next].0.world.held(number).map(|held| held.record.process.clone());
        let path = stage.path(&process.ok_or("it is not in the plan")?, &real);
        Ok(match deed {
            Deed::Take { transition, with } => {
                door.post(&format!("{path}/transitions/{transition}"), &json!(with)).await
            }
            Deed::Vote { transition } => {
                let vote = json!({ "transition": transition, "vote": "approve" });
                door.post(&format!("{path}/votes"), &vote).await
            }
            Deed::Amend { patch } => door.patch(&path, &json!(patch)).await,
            Deed::AddTask => {
                door.post(&format!("{path}/tasks"), &json!({ "title": "Do it" })).await
            }
            Deed::FinishTask(id) => {
                door.patch(&format!("{path}/tasks/{id}"), &json!({ "state": "done" })).await
            }
            Deed::Open { .. } | Deed::Wait => return Err("nobody sends this".to_owned()),
        })
    }

    /// A deed with the real numbers of all records that it names.
    async fn known(&mut self, stage: &Stage<'_>, deed: &Deed) -> Result<Deed, String> {
        let world = &self.nodes[self.next].0.world;
        let text = deed.text();
        let named: Vec<String> = world
            .records()
            .map(|record| record.number.clone())
            .filter(|number| text.contains(number))
            .collect();
        for number in named {
            self.number(stage, &number).await?;
        }
        Ok(deed.renumbered(&self.numbers))
    }

    /// The real number of a planned record; one that an event opened is found by its links.
    async fn number(&mut self, stage: &Stage<'_>, planned: &str) -> Result<String, String> {
        if let Some(number) = self.numbers.get(planned) {
            return Ok(number.clone());
        }
        let world = &self.nodes[self.next].0.world;
        let process = world
            .held(planned)
            .map(|held| held.record.process.clone())
            .ok_or("it is not in the plan")?;
        let known: Vec<(String, String)> = self
            .numbers
            .iter()
            .filter_map(|(planned, real)| {
                Some((world.held(planned)?.record.process.clone(), real.clone()))
            })
            .collect();
        let prefix: String = planned.chars().take_while(|c| !c.is_ascii_digit()).collect();
        let is_sought = |number: &str| {
            number.trim_end_matches(|c: char| c.is_ascii_digit()) == prefix
                && !self.numbers.values().any(|known| known == number)
        };
        for (of, real) in known {
            let links = stage
                .platform
                .door()
                .get(&format!("{}/links", stage.path(&of, &real)))
                .await
                .good();
            let tied = links["items"].as_array().into_iter().flatten();
            let tied = tied
                .filter_map(|link| link["to"]["number"].as_str())
                .filter(|number| is_sought(number));
            if let Some(number) = tied.min() {
                let number = number.to_owned();
                self.numbers.insert(planned.to_owned(), number.clone());
                return Ok(number);
            }
        }
        Err(format!("no {process} was opened by an event"))
    }
}
