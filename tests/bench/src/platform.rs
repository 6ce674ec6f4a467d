//! Steward as a child process of the bench: this very binary, called by its own name.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    http::Client,
    scratch::{self, Nats},
    usage,
};

/// The bench's first argument that makes it be Steward.
pub const AS_STEWARD: &str = "steward";
const TOKEN: &str = "administrator-of-the-bench";
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process of Steward on a folder of its own; it ends with this value.
pub struct Platform {
    child: Child,
    port: u16,
    /// What runs beside it for as long as it does, and is stopped after it.
    companions: Vec<Platform>,
    bus: Option<Nats>,
    // Kept for as long as the process writes there.
    folder: Arc<TempDir>,
}

impl Platform {
    /// `steward up` with further arguments.
    pub async fn up(arguments: &[&str]) -> Result<Self> {
        let mut all = vec!["up"];
        all.extend(arguments);
        Self::start(Arc::new(scratch::folder()?), &all).await
    }

    /// `steward up` on a folder that may have data; answers how long it took to be ready, too.
    pub async fn up_on(folder: &Arc<TempDir>, arguments: &[&str]) -> Result<(Self, Duration)> {
        let began = Instant::now();
        let all = [&["up"], arguments].concat();
        let platform = Self::start(Arc::clone(folder), &all).await?;
        Ok((platform, began.elapsed()))
    }

    /// `steward serve gateway`.
    pub async fn gateway(nats: &str) -> Result<Self> {
        let folder = Arc::new(scratch::folder()?);
        Self::start(folder, &["serve", "gateway", "--nats-url", nats]).await
    }

    /// The gateway with a nats-server: who takes alerts, without who works on them.
    pub async fn intake(arguments: &[&str]) -> Result<Self> {
        let bus = Nats::start().await?;
        let address = bus.address().expose();
        let arguments = [&["serve", "gateway", "--nats-url", &address], arguments].concat();
        let mut gateway = Self::start(Arc::new(scratch::folder()?), &arguments).await?;
        gateway.bus = Some(bus);
        Ok(gateway)
    }

    /// The gateway and incident, a process each, with a nats-server: what the spine of the platform is.
    pub async fn spine(arguments: &[&str]) -> Result<Self> {
        let mut gateway = Self::intake(arguments).await?;
        let address = gateway.bus.as_ref().map(|bus| bus.address().expose()).unwrap_or_default();
        let incident = gateway.beside("incident", &address, arguments).await?;
        gateway.companions.push(incident);
        Ok(gateway)
    }

    /// One service more on the same data folder, where the gateway's public key is.
    pub async fn beside(&self, service: &str, nats: &str, more: &[&str]) -> Result<Self> {
        let arguments = [&["serve", service, "--nats-url", nats], more].concat();
        Self::start(Arc::clone(&self.folder), &arguments).await
    }

    /// Any subcommand that listens on a port; waits until it is ready.
    async fn start(folder: Arc<TempDir>, arguments: &[&str]) -> Result<Self> {
        let port = scratch::free_port()?;
        let log = std::fs::File::create(folder.path().join(format!("{port}.log")))?;
        let child = Command::new(std::env::current_exe()?)
            .arg(AS_STEWARD)
            .args(arguments)
            .args(["--port", &port.to_string(), "--data-dir"])
            .arg(folder.path().join("data"))
            .env("STEWARD_ADMIN_TOKEN", TOKEN)
            .env("STEWARD__SERVICE__LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut platform = Self { child, port, companions: Vec::new(), bus: None, folder };
        let (began, door) = (Instant::now(), platform.door(TOKEN));
        while !door.get("/readyz").await.is_ok_and(|answer| answer.status == 200) {
            if platform.child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                bail!("steward {arguments:?} is not ready:\n{}", platform.log());
            }
            tokio::task::yield_now().await;
            std::thread::park_timeout(Duration::from_millis(2));
        }
        Ok(platform)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{}.log", self.port)))
            .unwrap_or_default()
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The services that run beside it.
    pub fn beside_it(&self) -> impl Iterator<Item = u32> {
        self.companions.iter().map(Self::process)
    }

    /// Processor time used so far by all its processes and their nats-server.
    pub fn processor_time(&self) -> Duration {
        let bus = self.bus.as_ref().and_then(|_| self.nats());
        let all = self.beside_it().chain([self.process()]).chain(bus);
        all.map(usage::processor_time).sum()
    }

    /// Resident memory of all its processes, in bytes; the nats-server left out.
    pub fn resident(&self) -> Option<u64> {
        self.beside_it().chain([self.process()]).map(usage::resident).sum()
    }

    /// The nats-server below it, or below the bench for the spine.
    pub fn nats(&self) -> Option<u32> {
        let is_nats = |process: &u32| {
            std::fs::read_to_string(format!("/proc/{process}/comm"))
                .is_ok_and(|name| name.trim() == "nats-server")
        };
        usage::family_of(if self.bus.is_some() { std::process::id() } else { self.process() })
            .into_iter()
            .find(is_nats)
    }

    pub fn administrator(&self) -> Arc<Client> {
        self.door(TOKEN)
    }

    fn door(&self, token: &str) -> Arc<Client> {
        Arc::new(Client::new(self.address(), token))
    }

    /// `127.0.0.1:8080`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Somebody who works incidents.
    pub async fn agent(&self) -> Result<Arc<Client>> {
        Ok(self.person("Bench", &["agent", "incident_manager"]).await?.0)
    }

    /// Somebody with these roles, and their number.
    pub async fn person(&self, name: &str, roles: &[&str]) -> Result<(Arc<Client>, String)> {
        let (secret, number) = self.secret(name, roles).await?;
        Ok((self.door(&secret), number))
    }

    /// The secret of somebody with these roles, and their number.
    pub async fn secret(&self, name: &str, roles: &[&str]) -> Result<(String, String)> {
        let admin = self.administrator();
        let person = json!({ "name": name, "roles": roles });
        let person = admin.post("/api/v1/persons", &bytes(&person)).await?.json(201)?;
        let number = person["number"].as_str().context("a record has a number")?.to_owned();
        let key =
            json!({ "name": name, "scopes": ["records:read", "records:write"], "person": number });
        Ok((self.key(&key).await?, number))
    }

    /// A monitoring tool.
    pub async fn monitor(&self) -> Result<Arc<Client>> {
        let key = self.key(&json!({ "name": "monitor", "scopes": ["alerts:write"] })).await?;
        Ok(self.door(&key))
    }

    /// Makes a key; its secret.
    async fn key(&self, key: &Value) -> Result<String> {
        let made = self.administrator().post("/api/v1/api-keys", &bytes(key)).await?.json(201)?;
        Ok(made["secret"].as_str().context("a new key shows its secret")?.to_owned())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::env::var_os("BENCH_LOG").is_some() {
            eprintln!("{}", self.log());
        }
        // Asked to stop, so that its nats-server stops too; killed when it does not listen.
        let asked =
            Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        let began = Instant::now();
        while asked.is_ok() && began.elapsed() < Duration::from_secs(8) {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Sends commands by the batch endpoint and answers their records; each must succeed.
pub async fn batch(door: &Client, commands: &[Value]) -> Result<Vec<Value>> {
    let mut records = Vec::with_capacity(commands.len());
    for some in commands.chunks(500) {
        let body = bytes(&json!({ "commands": some }));
        let answer = door.post("/api/v1/incidents/batch", &body).await?.json(200)?;
        for result in answer["results"].as_array().context("a batch answers results")? {
            ensure!(result["problem"].is_null(), "{result}");
            records.push(result["record"].clone());
        }
    }
    Ok(records)
}
