//! Alerts as Alertmanager's webhook sends them, and the real Alertmanager.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{free_port, skipped};

use crate::{Door, until};

/// One alert of a webhook call. `ends_at` is given when it has ended.
#[must_use]
pub fn alert(fingerprint: &str, labels: &Value, starts_at: &str, ends_at: Option<&str>) -> Value {
    json!({
        "status": if ends_at.is_some() { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": { "summary": format!("{} of the test", labels["alertname"]) },
        "startsAt": starts_at,
        "endsAt": ends_at.unwrap_or("0001-01-01T00:00:00Z"),
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint,
    })
}

/// A webhook call, version 4.
#[must_use]
pub fn webhook(alerts: &[Value]) -> Value {
    json!({
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "steward",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": alerts,
    })
}

/// Where the webhook is.
pub const ALERTMANAGER: &str = "/api/v1/intake/alertmanager";

/// A running Alertmanager of the Debian package; it ends with this value.
pub struct Alertmanager {
    child: Child,
    door: Door,
    // Kept for as long as it writes there.
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one that tells `steward` with `token`, or says loudly why there is none.
    ///
    /// # Panics
    /// When there is none and `STEWARD_TEST_REQUIRE_ALL` is `1`.
    pub async fn start(steward: &str, token: &str) -> Option<Self> {
        let Some(binary) = binary() else {
            skipped(
                "a test with the real Alertmanager",
                "prometheus-alertmanager is not installed",
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("a scratch folder");
        let file = folder.path().join("alertmanager.yml");
        fs::write(&file, settings(steward, token)).expect("the settings can be written");
        let port = free_port();
        let log = fs::File::create(folder.path().join("log")).expect("the log can be written");
        let child = Command::new(binary)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be shared"))
            .stderr(log)
            .spawn()
            .expect("Alertmanager starts");
        let door = Door::new(&format!("http://127.0.0.1:{port}"), None);
        let alertmanager = Self { child, door, _folder: folder };
        until("Alertmanager is ready", Duration::from_secs(30), || {
            let door = alertmanager.door.clone();
            async move {
                let asked = door.try_send(door.request(Method::GET, "/-/ready")).await;
                asked.is_ok_and(|answer| answer.status.is_success())
            }
        })
        .await;
        Some(alertmanager)
    }

    /// Tells it of an alert, as Prometheus does. With `ends_at` in the past the alert has ended.
    pub async fn tell(&self, labels: &Value, ends_at: Option<&str>) {
        let mut alert = json!({ "labels": labels, "annotations": { "summary": "A test" } });
        if let Some(ends_at) = ends_at {
            alert["endsAt"] = ends_at.into();
        }
        let _ = self.door.post("/api/v2/alerts", &json!([alert])).await.good();
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("prometheus-alertmanager"))
        .find(|file| file.is_file())
}

/// It groups at once and repeats every second, so that a test sees a repetition soon.
fn settings(steward: &str, token: &str) -> String {
    format!(
        "route: {{ receiver: steward, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1s }}\n\
         receivers:\n\
         - name: steward\n  \
           webhook_configs:\n  \
           - url: {steward}{ALERTMANAGER}\n    \
             send_resolved: true\n    \
             http_config: {{ authorization: {{ type: Bearer, credentials: {token} }} }}\n"
    )
}
