//! Steward as it is deployed: the gateway and each replica of a service a process of its own.

use std::{ops::Deref, path::Path, time::Duration};

use tempfile::TempDir;
use testkit::{Nats, free_port};

use crate::{
    Balancer, Door,
    platform::TOKEN,
    process::{Process, tool},
    until,
};

/// How long the gateway may take to learn of the service.
const FOUND: Duration = Duration::from_secs(30);
const DATABASE: &str = "STEWARD__DATABASE__URL";
const VERIFIES: &str = "STEWARD__JOURNAL__PUBLIC_KEY_FILE";

/// Where each service keeps its records: a URL; empty, a SQLite file in its data folder.
#[derive(Clone, Debug, Default)]
pub struct Databases {
    pub gateway: String,
    pub incident: String,
}

/// `steward serve` for each service, used through the administrator's door. All of it ends with
/// this value.
pub struct Cluster {
    pub gateway: Process,
    /// The replicas of the incident service.
    pub incidents: Vec<Process>,
    pub nats: Nats,
    databases: Databases,
    door: Door,
    // What the gateway connects to where there are several replicas.
    _balancer: Balancer,
    // After the processes, which write there.
    folder: TempDir,
}

impl Cluster {
    /// Starts all of it and waits until the gateway knows the way to the service.
    ///
    /// # Panics
    /// When anything is not ready in time, or several replicas are to share a SQLite file.
    pub async fn start(replicas: usize, databases: Databases) -> Self {
        assert!(replicas == 1 || !databases.incident.is_empty(), "replicas share a database");
        let nats = Nats::start().await;
        let folder = tempfile::tempdir().expect("a scratch folder");
        let bus = nats.address().expose();
        let (door_port, data) = (free_port(), folder.path().join("gateway"));
        let settings = [("STEWARD_ADMIN_TOKEN", TOKEN), (DATABASE, &databases.gateway)];
        let mut gateway = serving("gateway", &data, door_port, &bus, &settings);
        // First, because it makes the key that the services verify with.
        gateway.start().await;
        let key = data.join("identity.pub").display().to_string();
        let balancer = Balancer::start().await;
        let balanced = if replicas > 1 { balancer.url() } else { String::new() };
        // The first replica makes the key that all of them sign the journal with.
        let signs = folder.path().join("incident-journal.key").display().to_string();
        let verifies = public_half(folder.path());
        let settings = [
            ("STEWARD__JOURNAL__PRIVATE_KEY_FILE", signs.as_str()),
            (VERIFIES, &verifies),
            ("STEWARD__IDENTITY__PUBLIC_KEY_FILE", key.as_str()),
            ("STEWARD__SERVICE__PUBLIC_URL", &balanced),
            (DATABASE, &databases.incident),
        ];
        let mut incidents = Vec::new();
        for replica in 0..replicas {
            let (port, data) = (free_port(), folder.path().join(format!("incident-{replica}")));
            let mut incident = serving("incident", &data, port, &bus, &settings);
            incident.start().await;
            balancer.add(port);
            incidents.push(incident);
        }
        let door = Door::new(&base(door_port), Some(TOKEN));
        until("the gateway finds the service", FOUND, || async {
            door.get("/api/v1/incidents").await.status.is_success()
        })
        .await;
        Self { gateway, incidents, nats, databases, door, _balancer: balancer, folder }
    }

    /// The administrator's door.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Runs `steward verify` on the data of each service: whether all is sound, and what it said.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn verify(&self) -> (bool, String) {
        let services = [
            ("gateway", "gateway", &self.databases.gateway, String::new()),
            ("incident", "incident-0", &self.databases.incident, public_half(self.folder.path())),
        ];
        let (mut are_sound, mut all_said) = (true, String::new());
        for (name, data, database, key) in services {
            let data = self.folder.path().join(data);
            let arguments = ["verify".into(), name.into(), "--data-dir".into(), data.into()];
            let environment =
                vec![(DATABASE.to_owned(), database.clone()), (VERIFIES.to_owned(), key)];
            let (is_sound, said) = tool(arguments.to_vec(), environment).await;
            are_sound &= is_sound;
            all_said.push_str(&said);
        }
        (are_sound, all_said)
    }
}

impl Deref for Cluster {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// `steward serve` on a port, with its log beside its data folder.
fn serving(name: &str, data: &Path, port: u16, bus: &str, settings: &[(&str, &str)]) -> Process {
    let listen = format!("127.0.0.1:{port}");
    let common = [
        ("STEWARD__SERVICE__LISTEN", listen.as_str()),
        ("STEWARD__BUS__URL", bus),
        ("STEWARD__BUS__SYNCED", "true"),
    ];
    let environment = common.iter().chain(settings);
    let environment =
        environment.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let arguments = ["serve".into(), name.into(), "--data-dir".into(), data.into()];
    let door = Door::new(&base(port), None);
    Process::new(arguments.to_vec(), environment, data.with_extension("log"), door)
}

/// The public half of the key that the incident service signs its journal with.
fn public_half(folder: &Path) -> String {
    folder.join("incident-journal.pub").display().to_string()
}

fn base(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
