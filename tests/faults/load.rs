//! A desk and a monitoring tool that never stop, and remember what they were promised.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use acceptance::{ALERTMANAGER, Door, alert, webhook};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::interval};

/// Between two tries of a request that got no answer.
const AGAIN: Duration = Duration::from_millis(50);
/// Label groups of the alerts, hence incidents that they open.
pub const GROUPS: u64 = 5;
/// Alerts a message.
const ALERTS: u64 = 4;

/// What the platform acknowledged.
#[derive(Debug, Default)]
pub struct Promises {
    /// External id of the opening, the record's number, its revision after the last good answer.
    pub incidents: Vec<Promise>,
    /// Fingerprints of alerts that were accepted.
    pub alerts: Vec<String>,
}

#[derive(Debug, Default, Clone)]
pub struct Promise {
    pub external_id: String,
    pub number: String,
    pub revision: u64,
}

/// Callers that work until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    promises: Arc<Mutex<Promises>>,
    tasks: JoinSet<()>,
}

impl Load {
    /// So many agents and as many monitoring tools.
    pub fn start(agent: &Door, monitor: &Door, callers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let promises = Arc::new(Mutex::new(Promises::default()));
        let mut tasks = JoinSet::new();
        let counter = Arc::new(AtomicU64::new(0));
        for _ in 0..callers {
            let caller = Caller {
                agent: agent.clone(),
                monitor: monitor.clone(),
                stop: Arc::clone(&stop),
                promises: Arc::clone(&promises),
                counter: Arc::clone(&counter),
            };
            let other = caller.clone();
            tasks.spawn(async move { while caller.work_an_incident().await.is_some() {} });
            tasks.spawn(async move { while other.send_alerts().await.is_some() {} });
        }
        Self { stop, promises, tasks }
    }

    /// How many incidents were promised so far.
    pub fn count(&self) -> usize {
        self.promises.lock().expect("no caller panics").incidents.len()
    }

    /// Lets every caller finish what it does; what they were promised.
    pub async fn stop(mut self) -> Promises {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no caller panics");
        }
        std::mem::take(&mut *self.promises.lock().expect("no caller panics"))
    }
}

#[derive(Clone)]
struct Caller {
    agent: Door,
    monitor: Door,
    stop: Arc<AtomicBool>,
    promises: Arc<Mutex<Promises>>,
    counter: Arc<AtomicU64>,
}

impl Caller {
    /// Opens an incident and takes three steps with it. `None` when it is time to stop.
    async fn work_an_incident(&self) -> Option<()> {
        let ordinal = self.next()?;
        let external_id = format!("load-{ordinal}");
        let body = json!({ "title": "Under load", "impact": "low", "urgency": "low", "external_id": external_id });
        let opened = self.insist(&self.agent, "/api/v1/incidents", &external_id, &body).await;
        let number = opened["number"].as_str().expect("a record has a number").to_owned();
        let position = {
            let mut promises = self.promises.lock().expect("no caller panics");
            let revision = revision(&opened);
            promises.incidents.push(Promise { external_id, number: number.clone(), revision });
            promises.incidents.len() - 1
        };
        let steps = [
            ("assign", json!({ "group": "GRP0000001" })),
            ("start", json!({})),
            ("hold", json!({ "hold_reason": "supplier" })),
        ];
        for (transition, with) in steps {
            let path = format!("/api/v1/incidents/{number}/transitions/{transition}");
            let key = format!("{ordinal}-{transition}");
            let taken = self.insist(&self.agent, &path, &key, &with).await;
            let mut promises = self.promises.lock().expect("no caller panics");
            promises.incidents[position].revision = revision(&taken);
        }
        Some(())
    }

    /// Sends some new alerts, again and again until they are accepted, as Alertmanager does.
    async fn send_alerts(&self) -> Option<()> {
        let ordinal = self.next()?;
        let keys: Vec<String> = (0..ALERTS).map(|n| format!("key-{ordinal}-{n}")).collect();
        let labels = json!({ "alertname": format!("Group{}", ordinal % GROUPS), "service": "SVC-MAIL", "severity": "warning" });
        let alerts: Vec<Value> =
            keys.iter().map(|key| alert(key, &labels, "2026-03-14T22:05:00Z", None)).collect();
        let _ = self.insist(&self.monitor, ALERTMANAGER, &keys[0], &webhook(&alerts)).await;
        self.promises.lock().expect("no caller panics").alerts.extend(keys);
        Some(())
    }

    fn next(&self) -> Option<u64> {
        let goes_on = !self.stop.load(Ordering::SeqCst);
        goes_on.then(|| self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// Posts with an idempotency key until there is a good answer. Killed connections, 502 and 503
    /// are what a caller must expect; any other refusal is a fault of the platform.
    async fn insist(&self, door: &Door, path: &str, key: &str, body: &Value) -> Value {
        let mut pauses = interval(AGAIN);
        loop {
            pauses.tick().await;
            let request = door.request(Method::POST, path).header("idempotency-key", key);
            let Ok(answer) = door.try_send(request.json(body)).await else { continue };
            let comes_again = [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE];
            if !comes_again.contains(&answer.status) {
                return answer.good();
            }
        }
    }
}

pub fn revision(record: &Value) -> u64 {
    record["rev"].as_u64().expect("a record has a revision")
}
