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
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
    time::interval,
};

/// Agents, and monitoring tools besides.
const CALLERS: usize = 4;
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
    troubles: Arc<Semaphore>,
    tasks: JoinSet<()>,
    callers: Vec<AbortHandle>,
}

impl Load {
    /// Agents work incidents, and monitoring tools send a message of alerts for each answer that an
    /// agent gets: a flood of them would prove no more, and take longer.
    pub fn start(agent: &Door, monitor: &Door) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let promises = Arc::new(Mutex::new(Promises::default()));
        let troubles = Arc::new(Semaphore::new(0));
        let (mut tasks, mut callers) = (JoinSet::new(), Vec::new());
        let counter = Arc::new(AtomicU64::new(0));
        for _ in 0..CALLERS {
            let caller = Caller {
                agent: agent.clone(),
                monitor: monitor.clone(),
                stop: Arc::clone(&stop),
                promises: Arc::clone(&promises),
                troubles: Arc::clone(&troubles),
                counter: Arc::clone(&counter),
            };
            let other = caller.clone();
            callers.push(
                tasks.spawn(async move { while caller.work_an_incident().await.is_some() {} }),
            );
            callers.push(tasks.spawn(async move { while other.send_alerts().await.is_some() {} }));
        }
        Self { stop, promises, troubles, tasks, callers }
    }

    /// How many incidents were promised so far.
    ///
    /// # Panics
    /// When a caller has met what no caller should: its own panic says what.
    pub fn count(&self) -> usize {
        assert!(!self.callers.iter().any(AbortHandle::is_finished), "a caller has given up");
        self.promises.lock().expect("no caller panics").incidents.len()
    }

    /// Lets every caller finish what it does; what they were promised.
    pub async fn stop(mut self) -> Promises {
        self.stop.store(true, Ordering::SeqCst);
        self.troubles.close();
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
    /// What monitoring tools have yet to tell.
    troubles: Arc<Semaphore>,
    counter: Arc<AtomicU64>,
}

impl Caller {
    /// Opens an incident and takes three steps with it. `None` when it is time to stop.
    async fn work_an_incident(&self) -> Option<()> {
        let ordinal = self.next()?;
        let external_id = format!("load-{ordinal}");
        let body = json!({ "title": "Under load", "impact": "low", "urgency": "low", "external_id": external_id });
        let opened = self.insist(&self.agent, "/api/v1/incidents", &external_id, &body).await;
        self.troubles.add_permits(1);
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
            self.troubles.add_permits(1);
            let mut promises = self.promises.lock().expect("no caller panics");
            promises.incidents[position].revision = revision(&taken);
        }
        Some(())
    }

    /// Sends some new alerts, again and again until they are accepted, as Alertmanager does. `None`
    /// when it is time to stop.
    async fn send_alerts(&self) -> Option<()> {
        self.troubles.acquire().await.ok()?.forget();
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
