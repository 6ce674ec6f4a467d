//! What can be said on the command line.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use kernel::Clock;

use crate::remote::Remote;

/// IT service management as ISO/IEC 20000 describes it.
#[derive(Clone, Debug, Parser)]
#[command(name = "steward", version, about, long_about = None)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where databases, keys and the nats-server's data are kept.
    #[arg(long, global = true, default_value = ".steward", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// A configuration file; deploy/config/local.toml explains every key.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The port of the gateway on 127.0.0.1; 0 takes a free one.
    #[arg(long, global = true, default_value_t = 8080)]
    pub port: u16,
    /// Use this running NATS server (2.12 or newer) instead of one of our own.
    #[arg(long, global = true, value_name = "URL")]
    pub nats_url: Option<String>,
    /// Use PostgreSQL: postgres://user@host/steward_{service}, {service} being each service's name.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url_template: Option<String>,
    /// The folder of the built web console; without it, the one that a checkout builds for itself.
    #[arg(long, global = true, env = "STEWARD_CONSOLE", value_name = "DIR")]
    pub console: Option<PathBuf>,
    /// Begin with an organisation that has a month of work behind it, in a data folder of its own.
    #[arg(long, global = true)]
    pub demo: bool,
    /// `manual` stands still until POST /api/v1/clock moves it; `manual:2026-03-14T22:00:00Z` says
    /// where it begins.
    #[arg(long, global = true, default_value = "system", value_parser = read_clock)]
    pub clock: ClockChoice,
}

impl Arguments {
    /// Whether it prints and ends, as when nobody reads on; what runs services goes on whoever reads.
    pub(crate) fn is_tool(&self) -> bool {
        !matches!(self.command, None | Some(Command::Up | Command::Serve { .. }))
    }
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine (the default).
    Up,
    /// Run one service; the rest runs elsewhere.
    Serve { service: ServiceName },
    /// Make or extend the tables of a service's database, or of all, before a newer version runs.
    Prepare { service: Option<ServiceName> },
    /// Make the keys that a platform signs identities and journals with, where they are missing.
    Keys { folder: PathBuf },
    /// Check definition and scheme files, and tell every fault with its line and column.
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print what is worked out from a definition file: its diagram, its RACI matrix, its page.
    Diagram {
        file: PathBuf,
        #[arg(long = "as", value_enum, default_value_t = Picture::Svg)]
        picture: Picture,
    },
    /// Print the JSON Schema of the definition format, for editors.
    Schema,
    /// Print the text of a version of a process that is published, or of a scheme.
    Fetch {
        /// The process, or the scheme.
        name: String,
        /// A number, or `present`, `shipped`, `base`.
        #[arg(long, default_value = "present", value_parser = version)]
        version: String,
        /// The service, for a scheme.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Put a definition in force in place of the version that it was made from.
    Publish {
        /// The text to come into force.
        file: PathBuf,
        /// The version that it was made from, as `fetch` told it.
        #[arg(long, value_name = "VERSION", value_parser = version)]
        base: String,
        /// The shipped version that it was merged with.
        #[arg(long, value_name = "VERSION")]
        takes: Option<u32>,
        /// The service, for a scheme.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Print what differs between two versions.
    Diff {
        /// The process, or the scheme.
        name: String,
        /// A number, or `present`, `shipped`, `base`.
        #[arg(long, value_name = "VERSION", default_value = "shipped", value_parser = version)]
        from: String,
        /// The same.
        #[arg(long, value_name = "VERSION", default_value = "present", value_parser = version)]
        to: String,
        /// The service, for a scheme.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Print the version in force brought together with the one that ships now.
    Merge {
        /// The process, or the scheme.
        name: String,
        /// The service, for a scheme.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Tell which records would go over to another version, and which would not and why.
    Migrate {
        /// The process whose open records are asked for.
        process: String,
        /// The version in force, unless another is named.
        #[arg(long, value_name = "VERSION")]
        to: Option<u32>,
        /// A state that is called otherwise there: old=new.
        #[arg(long = "state", value_name = "OLD=NEW")]
        states: Vec<String>,
        /// A field that is called otherwise there, or left behind: old=new or old=
        #[arg(long = "field", value_name = "OLD=NEW")]
        fields: Vec<String>,
        /// Move them.
        #[arg(long)]
        go: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// List the messages that a service gave up, or try one again.
    DeadLetters {
        /// The service that gave them up.
        service: String,
        /// Try this one again, as the list names it.
        #[arg(long, num_args = 2, value_names = ["CONSUMER", "MESSAGE"])]
        again: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Check every hash chain of a service's journal, or of all, and replay every record.
    Verify { service: Option<ServiceName> },
}

/// What can be drawn of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    Svg,
    Mermaid,
    Raci,
    Page,
}

/// The services that this binary holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceName {
    Gateway,
    Incident,
    Sla,
    Change,
    Release,
    Supplier,
    Governance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChoice {
    System,
    /// Stands still from here on, or from where it stood when it was stopped.
    Manual(DateTime<Utc>),
}

/// Where a manual clock begins when nobody says: early enough for any story of the year.
const BEGINNING: &str = "2026-01-01T00:00:00Z";

fn read_clock(text: &str) -> Result<ClockChoice, String> {
    let instant = match text.split_once(':') {
        None if text == "system" => return Ok(ClockChoice::System),
        None if text == "manual" => BEGINNING,
        Some(("manual", instant)) => instant,
        _ => return Err("it is `system`, `manual` or `manual:` and an instant".to_owned()),
    };
    instant
        .parse()
        .map(ClockChoice::Manual)
        .map_err(|_| format!("`{instant}` is no instant such as {BEGINNING}"))
}

impl ClockChoice {
    pub(crate) fn clock(self) -> Clock {
        match self {
            Self::System => Clock::System,
            Self::Manual(at) => Clock::manual(at),
        }
    }
}

/// A version as people name it: by its number, or as it stands to the others.
fn version(text: &str) -> Result<String, String> {
    let is_number = text.parse::<u32>().is_ok_and(|number| number > 0);
    if is_number || ["present", "shipped", "base"].contains(&text) {
        return Ok(text.to_owned());
    }
    Err("a version is a number such as 2, or one of `present`, `shipped`, `base`".to_owned())
}
