//! Measures Steward beside the limit of the machine it runs on, in the same run.
//!
//! `cargo run --release -p bench -- <name> [seconds]`; without a name it says which there are.

mod act;
mod alerts;
mod all;
mod chain;
mod clocks;
mod commands;
mod definitions;
mod engine;
mod filter;
mod fixture;
mod flat;
mod histogram;
mod http;
mod idle;
mod interaction;
mod limits;
mod load;
mod peers;
mod platform;
mod promises;
mod rules;
mod scratch;
mod table;
mod usage;
mod variants;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

const NAMES: &str = "load engine filter limits act commands commands-sqlite commands-all commands-format alerts alerts-to-incident latency flat idle clock-fn keeping-up clocks compliance chain idle-all start-all interaction peers";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    if name == platform::AS_STEWARD {
        return steward::run(steward::cli::Arguments::parse_from(arguments)).await;
    }
    let seconds = arguments.get(1).map_or(Ok(5), |text| text.parse())?;
    let span = Duration::from_secs(seconds);
    match name {
        "load" => definitions::load(span),
        "engine" => engine::run(span).await,
        "filter" => filter::run(span).await,
        "limits" => limits::all(span).await,
        "act" => act::run(span).await,
        "commands" => commands::on_postgres(span).await,
        "commands-sqlite" => commands::on_sqlite(span).await,
        "commands-all" => commands::of_all(span).await,
        "commands-format" => commands::of_format(span).await,
        "alerts" => alerts::accepted(span).await,
        "alerts-to-incident" => alerts::to_incident(span).await,
        "latency" => alerts::latency(span).await,
        "flat" => flat::run(span).await,
        "idle" => idle::run().await,
        "clock-fn" => clocks::function(span),
        "keeping-up" => clocks::keeping_up(span).await,
        "clocks" => promises::firing(span).await,
        "compliance" => promises::compliance(span).await,
        "chain" => chain::run().await,
        "idle-all" => all::idle().await,
        "start-all" => all::start().await,
        "interaction" => interaction::run().await,
        "peers" => peers::run(span).await,
        _ => bail!("which one? {NAMES}"),
    }
}
