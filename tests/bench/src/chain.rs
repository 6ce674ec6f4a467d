//! `chain`: an incident, its problem, the change that fixes it, the release that brings the change, and the end of
//! all of them, a hundred at once.
//!
//! Each goes through four services, and where a step follows from what another service heard, it is waited for.
//! What is compared is how long a whole took with the sum of its commands' own times: the rest is waiting for
//! the bus. A release that is deployed is watched for a fortnight before it is closed, so it ends as deployed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use futures::future::try_join_all;
use kernel::Clock;
use serde_json::{Value, json};

use crate::{
    histogram::Histogram,
    http::Client,
    load::pause,
    platform::{Platform, bytes},
    scratch::Postgres,
    table::{self, Row, Verdict},
};

/// Chains at the same time.
const AT_ONCE: usize = 100;
/// Between two looks whether something has followed.
const LOOK: Duration = Duration::from_millis(10);
/// How long something may take to follow.
const PATIENCE: Duration = Duration::from_secs(120);

/// Those who bring a fix into production.
struct Crew {
    agent: (Arc<Client>, String),
    problems: (Arc<Client>, String),
    asks: (Arc<Client>, String),
    authorises: (Arc<Client>, String),
    releases: (Arc<Client>, String),
    deploys: (Arc<Client>, String),
    configuration: (Arc<Client>, String),
}

pub async fn run() -> Result<()> {
    let server = Postgres::start()?;
    let template = server.databases("steward")?;
    let platform = Platform::up(&["--database-url-template", &template]).await?;
    let crew = Arc::new(Crew {
        agent: platform.person("Agent", &["agent", "incident_manager"]).await?,
        problems: platform.person("Problems", &["problem_manager", "agent"]).await?,
        asks: platform.person("Asks", &["change_manager"]).await?,
        authorises: platform.person("Authorises", &["change_manager"]).await?,
        releases: platform.person("Releases", &["release_manager"]).await?,
        deploys: platform.person("Deploys", &["agent"]).await?,
        configuration: platform.person("Configuration", &["configuration_manager"]).await?,
    });
    // The first one compiles statements and warms pages.
    let _ = Chain::new(&crew, 0).play().await?;
    let began = Instant::now();
    let chains = (1..=AT_ONCE).map(|number| {
        let crew = Arc::clone(&crew);
        tokio::spawn(async move { Chain::new(&crew, number).play().await })
    });
    let (mut whole, mut commands, mut wholes) =
        (Duration::ZERO, Duration::ZERO, Histogram::default());
    for played in try_join_all(chains).await? {
        let (took, own) = played?;
        whole += took;
        commands += own;
        wholes.record(took);
    }
    let rows = [
        Row {
            what: format!("a chain of four services, {AT_ONCE} at once"),
            throughput: Some(AT_ONCE as f64 / began.elapsed().as_secs_f64()),
            p50: Some(wholes.at(0.5)),
            p99: Some(wholes.at(0.99)),
            ..Row::default()
        },
        Row {
            what: "of it its commands' own times".to_owned(),
            p50: Some(commands / u32::try_from(AT_ONCE)?),
            ..Row::default()
        },
    ];
    let ratio = whole.as_secs_f64() / commands.as_secs_f64();
    table::print(&rows, &[Verdict::at_most("chain", ratio, 3.0)]);
    Ok(())
}

/// One chain, and the time that its commands took so far.
struct Chain<'a> {
    crew: &'a Crew,
    number: usize,
    commands: Duration,
}

impl<'a> Chain<'a> {
    fn new(crew: &'a Crew, number: usize) -> Self {
        Self { crew, number, commands: Duration::ZERO }
    }

    /// Answers how long it took, and how long its commands did.
    async fn play(mut self) -> Result<(Duration, Duration)> {
        let began = Instant::now();
        let incident = self.incident().await?;
        let problem = self.problem(&incident).await?;
        let change = self.change(&problem).await?;
        let release = self.release(&change).await?;
        let crew = self.crew;
        self.follow("changes", &change, |record| record["state"] == "implemented").await?;
        self.take(&crew.asks.0, "changes", &change, "review", json!({})).await?;
        self.take(&crew.asks.0, "changes", &change, "close", json!({ "review": "It held." }))
            .await?;
        self.follow("problems", &problem, |record| record["state"] == "resolved").await?;
        self.take(&crew.agent.0, "incidents", &incident, "close", json!({})).await?;
        ensure!(self.read("releases", &release).await?["state"] == "deployed", "{release}");
        Ok((began.elapsed(), self.commands))
    }

    async fn incident(&mut self) -> Result<String> {
        let (agent, me) = &self.crew.agent;
        let body = json!({ "title": format!("Sync hangs {}", self.number), "service": "SVC-MAIL", "impact": "medium", "urgency": "medium" });
        let incident = self.open(agent, "incidents", body).await?;
        let group = json!({ "group": "Mail", "assignee": me });
        self.take(agent, "incidents", &incident, "assign", group).await?;
        self.take(agent, "incidents", &incident, "start", json!({})).await?;
        let with = json!({ "resolution_code": "workaround", "resolution": "Restarted." });
        self.take(agent, "incidents", &incident, "resolve", with).await?;
        Ok(incident)
    }

    async fn problem(&mut self, incident: &str) -> Result<String> {
        let (door, me) = &self.crew.problems;
        let problem = self.find("problems", "source", incident).await?;
        let with =
            json!({ "assignee": me, "impact": "low", "urgency": "low", "service": "SVC-MAIL" });
        self.take(door, "problems", &problem, "assess", with).await?;
        self.take(door, "problems", &problem, "analyse", json!({})).await?;
        let with = json!({ "method": "five_whys", "root_cause": "A lock.", "evidence": "Traces.", "fix": "The next version.", "benefit": "No more hangs." });
        self.take(door, "problems", &problem, "fix", with).await?;
        Ok(problem)
    }

    async fn change(&mut self, problem: &str) -> Result<String> {
        let crew = self.crew;
        let (asks, requester) = &crew.asks;
        self.follow("problems", problem, |record| record["data"]["change"].is_string()).await?;
        let change = self.read("problems", problem).await?["data"]["change"].clone();
        let change = change.as_str().context("a change has a number")?.to_owned();
        let now = Clock::System.now();
        let window = json!({ "from": now - TimeDelta::hours(1), "to": now + TimeDelta::hours(8) });
        let with = json!({
            "description": "Deploy it.", "likelihood": "low", "effect": "low", "plan": "Deploy it.", "backout": "Deploy the one before.",
            "window": window, "implementer": crew.deploys.1, "requester": requester, "cost_estimate": 0,
        });
        self.patch(asks, &format!("/api/v1/changes/{change}"), with).await?;
        self.take(asks, "changes", &change, "submit", json!({})).await?;
        self.take(asks, "changes", &change, "assess", json!({})).await?;
        let tasks = asks.get(&format!("/api/v1/changes/{change}/tasks")).await?.json(200)?;
        for task in tasks["items"].as_array().context("tasks")? {
            let path = format!("/api/v1/changes/{change}/tasks/{}", task["id"]);
            self.patch(asks, &path, json!({ "state": "done" })).await?;
        }
        self.take(asks, "changes", &change, "propose", json!({})).await?;
        self.vote(&crew.authorises.0, "changes", &change, "authorise").await?;
        Ok(change)
    }

    async fn release(&mut self, change: &str) -> Result<String> {
        let crew = self.crew;
        let (releases, deploys) = (&crew.releases.0, &crew.deploys.0);
        let hash = "4f1c9a7be2d05586";
        let body = json!({
            "title": format!("Mail {}", self.number), "service": "SVC-MAIL", "kind": "patch", "method": "big_bang",
            "contains": [change], "items": [{ "item": "mail-mx-02", "version": "15.1.6" }], "backout": "Deploy 15.1.4.",
            "backout_owner": crew.deploys.1, "decide_by": "2030-01-01T00:00:00Z", "deployer": crew.deploys.1,
        });
        let release = self.open(releases, "releases", body).await?;
        self.patch(
            &crew.asks.0,
            &format!("/api/v1/changes/{change}"),
            json!({ "release": release }),
        )
        .await?;
        let tested = json!({ "test_results": "22 of 22 passed." });
        self.take(&crew.asks.0, "changes", change, "schedule", tested).await?;
        self.take(releases, "releases", &release, "build", json!({})).await?;
        let with = json!({ "build_hash": hash, "tester": crew.agent.1 });
        self.take(releases, "releases", &release, "test", with).await?;
        let met = json!({ "acceptance": [{ "criterion": "It syncs", "is_met": true }], "rehearsal": "It was back in a minute." });
        self.take(&crew.agent.0, "releases", &release, "accept", met).await?;
        self.vote(releases, "releases", &release, "authorise").await?;
        self.take(releases, "releases", &release, "brief", json!({ "briefing": "At eight." }))
            .await?;
        let baseline = self.find("baselines", "release", &release).await?;
        let contents = json!({ "contents": [{ "item": "mail-mx-02", "version": "15.1.4" }] });
        self.take(&crew.configuration.0, "baselines", &baseline, "take", contents).await?;
        let is_ready = |record: &Value| {
            record["data"]["baseline"].is_string()
                && record["data"]["approved"].as_array().is_some_and(|changes| !changes.is_empty())
        };
        self.follow("releases", &release, is_ready).await?;
        self.take(deploys, "releases", &release, "deploy", json!({ "deployed_hash": hash }))
            .await?;
        self.take(deploys, "releases", &release, "finish", json!({})).await?;
        Ok(release)
    }

    async fn open(&mut self, door: &Client, collection: &str, data: Value) -> Result<String> {
        let began = Instant::now();
        let made = door.post(&format!("/api/v1/{collection}"), &bytes(&data)).await?.json(201)?;
        self.commands += began.elapsed();
        number_of(&made)
    }

    async fn take(
        &mut self,
        door: &Client,
        collection: &str,
        number: &str,
        name: &str,
        with: Value,
    ) -> Result<()> {
        let path = format!("/api/v1/{collection}/{number}/transitions/{name}");
        let began = Instant::now();
        let taken = door.post(&path, &bytes(&with)).await?.expect(200);
        self.commands += began.elapsed();
        taken.map(drop).context(path)
    }

    async fn vote(
        &mut self,
        door: &Client,
        collection: &str,
        number: &str,
        name: &str,
    ) -> Result<()> {
        let path = format!("/api/v1/{collection}/{number}/votes");
        let body = json!({ "transition": name, "vote": "approve" });
        let began = Instant::now();
        let taken = door.post(&path, &bytes(&body)).await?.expect(201);
        self.commands += began.elapsed();
        taken.map(drop).context(path)
    }

    async fn patch(&mut self, door: &Client, path: &str, with: Value) -> Result<()> {
        let began = Instant::now();
        let patched = door.patch(path, &bytes(&with)).await?.expect(200);
        self.commands += began.elapsed();
        patched.map(drop).with_context(|| path.to_owned())
    }

    /// The one record whose field names that number, once it is there.
    async fn find(&self, collection: &str, field: &str, number: &str) -> Result<String> {
        let door = self.door_of(collection);
        let path = format!("/api/v1/{collection}?filter=record.{field}%20%3D%3D%20'{number}'");
        let began = Instant::now();
        loop {
            let page = door.get(&path).await?.json(200)?;
            if let Some(found) = page["items"].get(0) {
                return number_of(found);
            }
            ensure!(began.elapsed() < PATIENCE, "nothing in {collection} follows {number}");
            a_moment().await;
        }
    }

    /// Waits until a record is as it must be.
    async fn follow(
        &self,
        collection: &str,
        number: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<()> {
        let began = Instant::now();
        loop {
            let record = self.read(collection, number).await?;
            if is_so(&record) {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "{number} is not followed: {record}");
            a_moment().await;
        }
    }

    async fn read(&self, collection: &str, number: &str) -> Result<Value> {
        self.door_of(collection).get(&format!("/api/v1/{collection}/{number}")).await?.json(200)
    }

    /// Who sees the records of a collection.
    fn door_of(&self, collection: &str) -> &Client {
        match collection {
            "problems" => &self.crew.problems.0,
            "changes" => &self.crew.asks.0,
            "baselines" => &self.crew.configuration.0,
            _ => &self.crew.releases.0,
        }
    }
}

async fn a_moment() {
    pause(LOOK).await;
}

fn number_of(record: &Value) -> Result<String> {
    Ok(record["number"].as_str().context("a record has a number")?.to_owned())
}
