//! `interaction`: how soon the console answers a person at a list of a million records, in a browser on a processor
//! slowed down four times, beside an empty page.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    flat::{MANY, filled},
    scratch::Postgres,
    table::{self, Row, Verdict},
};

const CONSOLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../services/gateway/console");

/// Wants the console built, with its libraries: `npm ci && npm run build`; and chromium.
pub async fn run() -> Result<()> {
    let server = Postgres::start()?;
    let (platform, _) = filled(&server, "many", MANY).await?;
    let (secret, _) = platform.secret("Bench", &["agent", "incident_manager"]).await?;
    let told = Command::new("node")
        .args(["scripts/interaction.mjs", "/incidents"])
        .current_dir(CONSOLE)
        .env("STEWARD_URL", format!("http://{}", platform.address()))
        .env("STEWARD_TOKEN", secret)
        .output()
        .context("node could not be started")?;
    let figures: Value = serde_json::from_slice(&told.stdout)
        .with_context(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
    let figure = |name: &str| figures[name].as_f64().context("the script says its figures");
    let (empty, full) = (figure("empty_ms")?, figure("full_ms")?);
    ensure!(empty > 0.0, "{figures}");
    let row = |what: String, milliseconds: f64| Row {
        what,
        p50: Some(std::time::Duration::from_secs_f64(milliseconds / 1_000.0)),
        ..Row::default()
    };
    let rows = [
        row("the longest interaction at an empty page".to_owned(), empty),
        row(format!("the same at a list of {MANY} records"), full),
    ];
    table::print(&rows, &[Verdict::at_most("interaction", full / empty, 3.0)]);
    Ok(())
}
