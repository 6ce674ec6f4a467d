//! `idle`: what Steward holds in memory when nothing happens.

use anyhow::{Context, Result};

use crate::{
    load::{CALM, pause},
    platform::Platform,
    scratch::Nats,
    table::{self, Row, Verdict},
    usage,
};

/// Resident memory of `up` without its nats-server, and of one `serve`.
pub async fn run() -> Result<()> {
    let up = Platform::up(&[]).await?;
    let nats = Nats::start().await?;
    let url = nats.address().expose();
    let gateway = Platform::gateway(&url).await?;
    let incident = gateway.beside("incident", &url, &[]).await?;
    pause(CALM).await;
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    for (what, platform, limit) in [("up", &up, 80.0), ("serve incident", &incident, 40.0)] {
        let memory = usage::resident(platform.process()).context("the process is gone")?;
        let row = Row { what: format!("`{what}`, without nats-server"), ..Row::default() };
        rows.push(row.holding(Some(memory)));
        let name = format!("idle, `{what}`, MiB");
        verdicts.push(Verdict::at_most(name, memory as f64 / f64::from(1 << 20), limit));
    }
    table::print(&rows, &verdicts);
    Ok(())
}
