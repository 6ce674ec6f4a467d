//! What can be said on the command line.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use kernel::Clock;

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
    /// `manual` stands still until POST /api/v1/clock moves it; `manual:2026-03-14T22:00:00Z` says
    /// where it begins.
    #[arg(long, global = true, default_value = "system", value_parser = read_clock)]
    pub clock: ClockChoice,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine (the default).
    Up,
    /// Run one service; the rest runs elsewhere.
    Serve { service: ServiceName },
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
