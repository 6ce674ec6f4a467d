//! What an operator may set, in layers: defaults, a file, the environment, flags.
//!
//! Every fault of every layer is told at once, before anything is opened.

mod secret;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::SocketAddr,
    path::PathBuf,
};

use config::{Environment, File, FileFormat, Value};
use serde::Deserialize;

pub use secret::Secret;

/// Every key with its default; what is not in it is no key.
const DEFAULTS: &str = include_str!("config/defaults.toml");

/// The whole configuration of one process; `deploy/config/local.toml` explains every key.
#[derive(Clone, Debug)]
pub struct Config {
    pub service: Service,
    pub database: Database,
    pub bus: Bus,
    pub identity: Identity,
    pub journal: Journal,
    pub telemetry: Telemetry,
    pub limits: Limits,
    pub notify: Notify,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Where HTTP is served; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the gateway reaches this service; empty means `http://` and the listen address.
    pub public_url: String,
    /// Where files are kept: SQLite databases, keys, the last good descriptors.
    pub data_dir: PathBuf,
    /// How long requests in flight may take to finish after SIGTERM.
    pub drain_seconds: u64,
    /// A folder with `processes/` and `schemes/`, which feeds what is in force at each start.
    #[serde(deserialize_with = "empty_is_none")]
    pub definitions_dir: Option<PathBuf>,
    /// What somebody publishes is in force once another person has approved it.
    pub publishing_needs_another: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:` or `postgres:` URL; empty means a SQLite file in the data folder.
    pub url: Secret,
    /// Connections for reading; on SQLite at most two a processor.
    pub connections: u32,
    /// Batches committed at the same time (PostgreSQL; SQLite has one writer).
    pub writers: usize,
    /// Commands of one transaction at most.
    pub max_batch: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// `nats://user:password@host:4222`, several separated by commas; empty means no bus: what
    /// is said waits in the outbox.
    pub url: Secret,
    /// The operator's word that an acknowledged message is on disk (`sync_interval: always`).
    pub synced: bool,
    /// Copies of each stream.
    pub replicas: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Ed25519 public key of the gateway, as hex; empty means `identity.pub` in the data folder.
    #[serde(deserialize_with = "empty_is_none")]
    pub public_key_file: Option<PathBuf>,
    /// Ed25519 private key (PKCS#8, hex), of the gateway alone; empty means `identity.key` in the
    /// data folder, made at the first start.
    #[serde(deserialize_with = "empty_is_none")]
    pub private_key_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Between two signed checkpoints, in minutes; 0 makes none.
    pub checkpoint_minutes: u64,
    /// Ed25519 private key (PKCS#8, hex) of the service; empty means `{service}-journal.key` in the
    /// data folder, made at the first start.
    #[serde(deserialize_with = "empty_is_none")]
    pub private_key_file: Option<PathBuf>,
    /// Its public half, as hex; empty means `{service}-journal.pub` in the data folder.
    #[serde(deserialize_with = "empty_is_none")]
    pub public_key_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// `http://collector:4318`; empty sends nothing.
    pub otlp_endpoint: String,
    pub log_format: LogFormat,
    /// `info`, or per part: `info,store=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A request's body.
    pub body_bytes: usize,
    /// A file that is attached to a record.
    pub attachment_bytes: usize,
    /// Requests that a service works on at the same time; more are answered 503.
    pub requests_in_flight: usize,
    /// How often an event is tried before it is a dead letter.
    pub delivery_tries: u32,
    /// How long idempotency keys and inbox rows are kept.
    pub keep_keys_hours: u32,
}

/// How people are told, by the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// `smtp://user:password@host:587?tls=required`, `smtps://…`; empty sends no mail.
    pub smtp_url: Secret,
    /// Who the letters are from.
    pub from: String,
    /// How often a notification is tried before it is given up.
    pub tries: u32,
    /// Where webhooks are, by the names that definitions call them: they reach nothing else.
    pub webhooks: BTreeMap<String, Webhook>,
}

/// Who takes notifications as HTTP requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: String,
    /// What requests are signed with.
    pub secret: Secret,
    /// Names whose notices it is given, too: `role:incident_manager`.
    #[serde(default)]
    pub told_with: Vec<String>,
}

/// Everything that is wrong with a configuration, one sentence each.
#[derive(Debug)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used: ")?;
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Faults {}

type Table = config::Map<String, Value>;

impl Config {
    /// Reads all layers; later ones win: defaults, `file`, `STEWARD__SECTION__KEY`, `flags`
    /// (`("service.listen", "127.0.0.1:8080")`).
    ///
    /// # Errors
    /// Every unknown key and every value that cannot be used, with where it came from.
    pub fn load(file: Option<&std::path::Path>, flags: &[(&str, String)]) -> Result<Self, Faults> {
        let layer = file.map(|path| File::from(path).format(FileFormat::Toml).required(true));
        Self::build(layer, std::env::vars().collect(), flags)
    }

    /// The defaults with `flags` over them: what tests start from, whatever the environment says.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of(flags: &[(&str, String)]) -> Result<Self, Faults> {
        Self::build(None::<File<config::FileSourceString, FileFormat>>, HashMap::new(), flags)
    }

    /// Reads `text` as the file layer.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, flags: &[(&str, String)]) -> Result<Self, Faults> {
        Self::build(Some(File::from_str(text, FileFormat::Toml)), HashMap::new(), flags)
    }

    fn build<T>(
        file: Option<T>,
        environment: HashMap<String, String>,
        flags: &[(&str, String)],
    ) -> Result<Self, Faults>
    where
        T: config::Source + Send + Sync + 'static,
    {
        let fault = |error: config::ConfigError| Faults(vec![error.to_string()]);
        let defaults = config::Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .build()
            .and_then(|config| config.cache.into_table())
            .map_err(fault)?;
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(file);
        }
        builder = builder.add_source(
            Environment::with_prefix("STEWARD")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true)
                .source(Some(environment)),
        );
        for (key, value) in flags {
            builder = builder.set_override(*key, value.clone()).map_err(fault)?;
        }
        let given = builder.build().and_then(|config| config.cache.into_table()).map_err(fault)?;
        Self::check(&defaults, given)
    }

    fn check(defaults: &Table, mut given: Table) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let config = Self {
            service: section("service", defaults, &mut given, &mut faults)?,
            database: section("database", defaults, &mut given, &mut faults)?,
            bus: section("bus", defaults, &mut given, &mut faults)?,
            identity: section("identity", defaults, &mut given, &mut faults)?,
            journal: section("journal", defaults, &mut given, &mut faults)?,
            telemetry: section("telemetry", defaults, &mut given, &mut faults)?,
            limits: section("limits", defaults, &mut given, &mut faults)?,
            notify: section("notify", defaults, &mut given, &mut faults)?,
        };
        faults.extend(given.keys().map(|name| format!("there is no section `{name}`")));
        config.bounds(&mut faults);
        faults.sort();
        if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
    }

    /// What types cannot say.
    fn bounds(&self, faults: &mut Vec<String>) {
        let mut at_least_one = |key: &str, value: usize| {
            if value == 0 {
                faults.push(format!("{key} must be at least 1"));
            }
        };
        at_least_one("database.connections", self.database.connections as usize);
        at_least_one("database.writers", self.database.writers);
        at_least_one("database.max_batch", self.database.max_batch);
        at_least_one("bus.replicas", self.bus.replicas);
        at_least_one("limits.requests_in_flight", self.limits.requests_in_flight);
        at_least_one("notify.tries", self.notify.tries as usize);
        at_least_one("limits.delivery_tries", self.limits.delivery_tries as usize);
        if self.limits.body_bytes < 1024 {
            faults.push("limits.body_bytes must be at least 1024".to_owned());
        }
        if self.limits.attachment_bytes < self.limits.body_bytes {
            faults.push("limits.attachment_bytes must be at least limits.body_bytes".to_owned());
        }
        if self.limits.keep_keys_hours < 24 {
            faults.push("limits.keep_keys_hours must be at least 24".to_owned());
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.telemetry.level) {
            faults.push(format!("telemetry.level: {error}"));
        }
        let endpoint = &self.telemetry.otlp_endpoint;
        if !endpoint.is_empty() && !endpoint.starts_with("http") {
            faults.push(format!("telemetry.otlp_endpoint: `{endpoint}` is no http URL"));
        }
    }

    /// The database of `service`: as configured, or a SQLite file in the data folder.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        let url = self.database.url.reveal();
        if url.is_empty() {
            let file = self.service.data_dir.join(format!("{service}.sqlite"));
            return format!("sqlite://{}?mode=rwc", file.display());
        }
        url.replace("{service}", service)
    }

    /// The files of the key that signs the checkpoints of `service`: the private and the public half.
    #[must_use]
    pub fn journal_keys(&self, service: &str) -> (PathBuf, PathBuf) {
        let file = |given: &Option<PathBuf>, half: &str| match given {
            Some(path) => PathBuf::from(path.to_string_lossy().replace("{service}", service)),
            None => self.service.data_dir.join(format!("{service}-journal.{half}")),
        };
        (file(&self.journal.private_key_file, "key"), file(&self.journal.public_key_file, "pub"))
    }
}

/// One section: each given key is tried alone over the defaults, so that every fault is found.
fn section<T: for<'de> Deserialize<'de>>(
    name: &str,
    defaults: &Table,
    given: &mut Table,
    faults: &mut Vec<String>,
) -> Result<T, Faults> {
    let broken = |error: config::ConfigError| Faults(vec![format!("{name}: {error}")]);
    let default = match defaults.get(name) {
        Some(value) => value.clone().into_table().map_err(broken)?,
        None => Table::new(),
    };
    let mut sound = default.clone();
    let layer = match given.remove(name).map(Value::into_table).transpose() {
        Ok(layer) => layer.unwrap_or_default(),
        Err(_) => {
            faults.push(format!("`{name}` must be a section"));
            Table::new()
        }
    };
    for (key, value) in layer {
        let origin = value.origin().map(|from| format!(" (from {from})")).unwrap_or_default();
        let secret = key.strip_suffix("_file").filter(|secret| {
            !default.contains_key(&key)
                && secret::KEYS.contains(&format!("{name}.{secret}").as_str())
        });
        if let Some(secret) = secret {
            match value.into_string().map_err(|error| error.to_string()).and_then(secret::read) {
                Ok(text) => drop(sound.insert(secret.to_owned(), Value::from(text))),
                Err(error) => faults.push(format!("{name}.{key}{origin}: {error}")),
            }
            continue;
        }
        if !default.contains_key(&key) {
            faults.push(format!("{name}.{key}{origin}: there is no such key"));
            continue;
        }
        let mut trial = default.clone();
        trial.insert(key.clone(), value.clone());
        match Value::from(trial).try_deserialize::<T>() {
            Ok(_) => drop(sound.insert(key, value)),
            Err(error) => faults.push(format!("{name}.{key}{origin}: {error}")),
        }
    }
    Value::from(sound).try_deserialize::<T>().map_err(broken)
}

fn empty_is_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(from)?;
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

#[cfg(test)]
mod tests;
