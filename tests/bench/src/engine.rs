//! `engine`: what deciding and applying cost of a durable command, and how many instances a second that is.

use std::{
    collections::BTreeSet,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use engine::{Command, Record, Ruleset, Subject, apply, decide};
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    act::{CALLERS, Desk, RECORDS, object, open},
    rules,
    scratch::Postgres,
    table::{self, Row, Verdict},
    usage,
};

/// Instances a second of SpiffWorkflow 3.2, in memory, on these machines: started, one step by hand, ended.
const SPIFF: f64 = 1_800.0;

/// One core decides and applies, beside the same steps made durable.
pub async fn run(span: Duration) -> Result<()> {
    let rules = rules::of_incident()?;
    let desk = Pure::new(&rules);
    let step = desk.steps(span)?;
    let instance = desk.instances(span)?;
    let server = Postgres::start()?;
    let durable = Desk::fill(open(server.database("steward")?).await?, RECORDS).await?;
    let used = || {
        usage::own_processor_time(std::process::id())
            + usage::processor_time(server.process().unwrap_or_default())
    };
    let _ = durable.toggle(CALLERS, Duration::from_secs(1)).await.flawless()?;
    let before = used();
    let all = durable.toggle(CALLERS, span).await.flawless()?;
    let cost = (used() - before).div_f64(all.done as f64);
    let pure = |what: &str, each: Duration| Row {
        cpu: Some(each),
        ..Row::rate(what, 1.0 / each.as_secs_f64())
    };
    let rows = [
        pure("decide and apply, a transition each, one core", step),
        pure("an incident opened and ended in one step, one core", instance),
        Row::of(format!("`Store::act`, {CALLERS} callers, a transition each"), &all)
            .costing(cost, 1),
    ];
    let share = step.as_secs_f64() / cost.as_secs_f64();
    let instances = 1.0 / instance.as_secs_f64() / SPIFF;
    let verdicts = [
        Verdict::at_most("engine, its share of a durable command", share, 0.25),
        Verdict::at_least("engine, instances beside SpiffWorkflow's", instances, 50.0),
    ];
    table::print(&rows, &verdicts);
    Ok(())
}

/// Incidents that are decided in memory alone.
struct Pure<'a> {
    rules: &'a Ruleset,
    cause: Cause,
}

impl<'a> Pure<'a> {
    fn new(rules: &'a Ruleset) -> Self {
        let roles = ["agent", "incident_manager"].map(str::to_owned);
        let (roles, groups) = (BTreeSet::from(roles), BTreeSet::new());
        let actor = Actor { id: "person:ada".into(), name: "Ada".into(), roles, groups };
        let now = Clock::System.now();
        let cause = Cause::new(Uuid::new_v4(), Arc::new(actor), now, Channel::Api);
        Self { rules, cause }
    }

    fn step(&self, record: Option<Record>, command: &Command) -> Result<Record> {
        let subject = match &record {
            Some(record) => Subject::Existing(record),
            None => Subject::New {
                process: "incident",
                id: self.cause.id,
                number: "INC0000001".to_owned(),
            },
        };
        let fact = decide(self.rules, subject, command, &self.cause);
        Ok(apply(record, &fact.map_err(|refusal| anyhow!("{refusal}"))?))
    }

    fn opened(&self) -> Result<Record> {
        let record = self.step(None, &opening())?;
        let record = self.step(Some(record), &take("assign", json!({ "group": "GRP0000001" })))?;
        self.step(Some(record), &take("start", json!({})))
    }

    /// How long a step takes: an incident in work is held and resumed.
    fn steps(&self, span: Duration) -> Result<Duration> {
        let mut record = self.opened()?;
        let hold = take("hold", json!({ "hold_reason": "supplier" }));
        let resume = take("resume", json!({}));
        each(span, || {
            record = self.step(Some(record.clone()), &hold)?;
            record = self.step(Some(record.clone()), &resume)?;
            Ok(2)
        })
    }

    /// How long an instance takes that ends with one step by hand, as the peer's does.
    fn instances(&self, span: Duration) -> Result<Duration> {
        let (open, cancel) = (opening(), take("cancel", json!({ "reason": "Reported twice." })));
        each(span, || {
            let record = self.step(None, &open)?;
            black_box(self.step(Some(record), &cancel)?);
            Ok(1)
        })
    }
}

/// How long one of what `round` does takes; it says how many it did.
fn each(span: Duration, mut round: impl FnMut() -> Result<u32>) -> Result<Duration> {
    let (begin, mut done) = (Instant::now(), 0_u32);
    while begin.elapsed() < span {
        for _ in 0..100 {
            done += round()?;
        }
    }
    Ok(begin.elapsed() / done)
}

fn opening() -> Command {
    let data = object(json!({
        "title": "Mail is down",
        "description": "d".repeat(300),
        "service": "SVC-MAIL",
        "impact": "medium",
        "urgency": "medium",
    }));
    Command::Open { data }
}

fn take(transition: &str, with: Value) -> Command {
    Command::Take { transition: transition.to_owned(), with: object(with) }
}
