//! Service-level clocks: how fast one is worked out, and how fast events become clocks.

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use engine::{Calculations, Definition, Ruleset, Schemes};
use kernel::{Actor, Cause, Channel, Clock};
use serde_json::{Value, json};
use sla::{
    Agreement, Agreements, Neighbour,
    case::{Case, Moment},
    heard,
    measure::measure,
    reading::Reading,
    terms::{Target, Terms},
};
use store::{Act, Countings, Mark, Options, Store};
use uuid::Uuid;

use crate::{
    scratch::Postgres,
    table::{self, Row, Verdict},
};

/// Events of the clock that is worked out, over this many days.
const EVENTS: u64 = 20;
const DAYS: i64 = 90;
/// Deliveries that come at once, as a consumer takes them.
const AT_ONCE: usize = 256;
/// 2026-03-02T08:00:00Z
const START: i64 = 1_772_438_400;

fn faults<T: ToString>(faults: Vec<T>) -> anyhow::Error {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    anyhow!(faults.join("; "))
}

/// One agreement for all services and customers, from the beginning of time.
pub fn agreed(targets: Vec<Target>) -> Agreements {
    Agreements(vec![Agreement {
        id: "A".to_owned(),
        number: "SLA0000001".to_owned(),
        version: 1,
        kind: "sla".to_owned(),
        service: None,
        customer: None,
        from: chrono::DateTime::default(),
        until: None,
        since: chrono::DateTime::default(),
        targets,
    }])
}

pub fn target(name: &str, calendar: Option<&str>) -> Result<Target> {
    Ok(serde_json::from_value(json!({
        "name": name, "process": "incident",
        "stops": [{ "state": ["resolved", "closed"] }],
        "reopens": [{ "event": ["reopened"] }],
        "pauses": [{ "state": ["on_hold"], "hold_reason": ["caller"] }],
        "cancels": [{ "state": ["cancelled"] }],
        "limits": [{ "when": { "priority": [1] }, "within": "PT4H" }, { "within": "P60D", "calendar": calendar }],
    }))?)
}

/// Held and resumed in turn, twenty events in ninety days.
fn case(calendar: Option<&str>) -> Result<Case> {
    let moments = (0..EVENTS).map(|event| {
        let (name, state, reason) = match event {
            0 => ("opened", "new", Value::Null),
            event if event % 2 == 1 => ("held", "on_hold", json!("caller")),
            _ => ("resumed", "in_progress", Value::Null),
        };
        let seconds = START + DAYS * 86_400 * i64::try_from(event)? / i64::try_from(EVENTS)?;
        let fields = json!({ "event": name, "state": state, "priority": 3, "hold_reason": reason });
        serde_json::from_value(json!({
            "at": instant(seconds), "rev": event + 1, "kind": format!("incident.{name}.v1"),
            "fields": fields, "under": "A", "decides": event == 0,
        }))
        .map_err(anyhow::Error::from)
    });
    let moments = moments.collect::<Result<Vec<Moment>>>()?;
    let terms = Terms {
        agreement: "A".to_owned(),
        number: "SLA0000001".to_owned(),
        version: 1,
        target: target("resolution", calendar)?,
        calendars: BTreeMap::from([("split_shift".to_owned(), 1)]),
    };
    Ok(Case { terms: vec![terms], moments, ..Case::default() })
}

fn instant(seconds: i64) -> Value {
    json!(chrono::DateTime::from_timestamp(seconds, 0))
}

/// Clocks worked out a second on one core, in the hours of a calendar with split shifts and round the
/// clock.
pub fn function(span: Duration) -> Result<()> {
    let schemes = schemes()?;
    let rate = |calendar| -> Result<f64> {
        let case = case(calendar)?;
        let as_of = START + DAYS * 86_400;
        // The first one lays the calendar out.
        let _ = measure(&case, &schemes, as_of).map_err(|fault| anyhow!(fault))?;
        let (began, mut count) = (Instant::now(), 0_u64);
        while began.elapsed() < span {
            for _ in 0..100 {
                let measure = measure(black_box(&case), &schemes, as_of);
                let measure = measure.map_err(|fault| anyhow!(fault))?;
                black_box(Reading::of(&measure, 0));
            }
            count += 100;
        }
        Ok(count as f64 / began.elapsed().as_secs_f64())
    };
    let (split, always) = (rate(Some("split_shift"))?, rate(None)?);
    let rows = [
        Row::rate("a clock of 20 events in 90 days, split shifts", split),
        Row::rate("the same round the clock", always),
    ];
    table::print(&rows, &[Verdict::at_least("clock-fn", split / always, 0.2)]);
    Ok(())
}

/// The events of one incident in its last eight minutes, as its service says them.
fn life(id: Uuid, now: i64) -> [Value; 8] {
    let moment = |rev: i64| instant(now - (8 - rev) * 60);
    let step = |rev: i64, event: &str, from: Value, state: &str, reason: Value| {
        json!({
            "record": {
                "id": id, "number": "INC0000001", "process": "incident", "definition": 1, "state": state,
                "rev": rev, "opened_at": moment(1), "updated_at": moment(rev),
                "closed_at": null, "opened_by": "person:PER0000001",
                "data": {
                    "title": "Mail is down", "description": "d".repeat(300), "service": "SVC-MAIL",
                    "impact": "high", "urgency": "high", "priority": 1, "hold_reason": reason,
                },
            },
            "actor": { "id": "person:PER0000001", "name": "Ada", "roles": ["agent"], "groups": [] },
            "event": event, "at": moment(rev), "from": from, "changes": {},
        })
    };
    [
        step(1, "opened", Value::Null, "new", Value::Null),
        step(2, "commented", Value::Null, "new", Value::Null),
        step(3, "assigned", json!("new"), "assigned", Value::Null),
        step(4, "started", json!("assigned"), "in_progress", Value::Null),
        step(5, "held", json!("in_progress"), "on_hold", json!("caller")),
        step(6, "resumed", json!("on_hold"), "in_progress", Value::Null),
        step(7, "resolved", json!("in_progress"), "resolved", Value::Null),
        step(8, "closed", json!("resolved"), "closed", Value::Null),
    ]
}

/// The calendars that ship.
pub fn schemes() -> Result<Schemes> {
    Schemes::parse_all(&sla::SCHEMES).map_err(faults)
}

/// The service's store, with the totals that it keeps.
pub async fn open(url: String, clock: Clock) -> Result<Store> {
    let definitions = sla::DEFINITIONS
        .iter()
        .map(|(_, text)| Definition::parse(text, 1).map_err(faults))
        .collect::<Result<Vec<_>>>()?;
    let schemes = schemes()?;
    let calculations = Calculations::from(sla::CALCULATIONS);
    let rules = Ruleset::calculating(definitions, schemes, calculations).map_err(faults)?;
    let countings = Countings::from([("clock", sla::totals::COUNTING)]);
    let options = Options { countings, ..Options::new(url, "sla") };
    Store::open(options, Arc::new(rules), clock).await.map_err(|why| anyhow!(why))
}

/// Takes lives of incidents, event by event and many at once, for so long; answers events a second.
async fn consume(
    store: &Store,
    span: Duration,
    hear: impl Fn(&[u8]) -> Result<Vec<engine::Happening>>,
) -> Result<f64> {
    let actor = Arc::new(Actor::system("sla"));
    let (began, mut count) = (Instant::now(), 0_u64);
    while began.elapsed() < span {
        let now = Clock::System.now().timestamp();
        let lives: Vec<[Vec<u8>; 8]> = (0..AT_ONCE)
            .map(|_| life(Uuid::new_v4(), now).map(|event| event.to_string().into_bytes()))
            .collect();
        for step in 0..8 {
            let mut acts = Vec::with_capacity(AT_ONCE);
            for life in &lives {
                let happenings = hear(&life[step])?;
                let now = Clock::System.now();
                let id = Uuid::new_v4();
                let cause = Cause::new(id, Arc::clone(&actor), now, Channel::Event);
                let mark = Mark {
                    consumer: "sla-incidents".to_owned(),
                    message: id.to_string(),
                    lane: None,
                    fence: None,
                    outcome: |_| "reacted".to_owned(),
                    at: now,
                };
                let act = Act::new(cause, store::Target::Events(happenings), Vec::new());
                acts.push(Act { delivery: Some(mark), ..act });
            }
            for done in store.act_all(acts).await {
                done.map_err(|why| anyhow!("{why:?}"))?;
            }
            count += AT_ONCE as u64;
        }
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// Incident events a second that become clocks, beside the same events of which nothing is kept but
/// that they came.
pub async fn keeping_up(span: Duration) -> Result<()> {
    let server = Postgres::start()?;
    let store = open(server.database("steward")?, Clock::System).await?;
    let schemes = schemes()?;
    let mut response = target("response", None)?;
    response.stops = serde_json::from_value(json!([{ "event": ["assigned", "started"] }]))?;
    response.pauses = Vec::new();
    response.reopens = Vec::new();
    let agreements = agreed(vec![response, target("resolution", None)?]);
    let audience = ["role:agent".to_owned()];
    let parsed = |event: &[u8]| -> Result<Neighbour> {
        let data = engine::strict_json(event).map_err(|fault| anyhow!(fault.to_string()))?;
        Ok(serde_json::from_value(data)?)
    };
    let raw = async |span| consume(&store, span, |event| parsed(event).map(|_| Vec::new())).await;
    let clocks = async |span| {
        let hear = |event: &[u8]| {
            Ok(heard(&parsed(event)?, "incident.event.v1", &audience, &agreements, &schemes))
        };
        consume(&store, span, hear).await
    };
    // The first second compiles statements and warms pages.
    let _ = (raw(Duration::from_secs(1)).await?, clocks(Duration::from_secs(1)).await?);
    let (raw, clocks) = (raw(span).await?, clocks(span).await?);
    let rows = [
        Row::rate("events that are only known to have come", raw),
        Row::rate("events of eight a life that keep two clocks", clocks),
    ];
    table::print(&rows, &[Verdict::at_least("keeping-up", clocks / raw, 0.5)]);
    Ok(())
}
