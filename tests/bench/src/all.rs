//! `idle-all` and `start-all`: what all services together hold, and how soon they are there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bus::server::{Search, Server};

use crate::{
    load::{CALM, pause},
    platform::Platform,
    scratch,
    table::{self, Row, Verdict},
    usage,
};

/// Starts, of which the middle one counts.
const STARTS: usize = 5;
const MIB: f64 = (1 << 20) as f64;

/// Resident memory of all services in one process, without the nats-server, when nothing happens.
pub async fn idle() -> Result<()> {
    let up = Platform::up(&[]).await?;
    pause(CALM).await;
    let memory = usage::resident(up.process()).context("the process is gone")?;
    let row =
        Row { what: "`up`, seven services, without nats-server".to_owned(), ..Row::default() };
    let verdict = Verdict::at_most("idle-all, MiB", memory as f64 / MIB, 130.0);
    table::print(&[row.holding(Some(memory))], &[verdict]);
    Ok(())
}

/// From the start of the process to all services ready, on the data of the demonstration, beside what its
/// nats-server alone takes on the same streams.
pub async fn start() -> Result<()> {
    let folder = Arc::new(scratch::folder()?);
    let (made, _) = Platform::up_on(&folder, &["--demo"]).await?;
    drop(made);
    let mut ours = Vec::new();
    for _ in 0..STARTS {
        let (_, took) = Platform::up_on(&folder, &[]).await?;
        ours.push(took);
    }
    let binary = Search::from_env().find(&mut |sentence| eprintln!("{sentence}")).await?;
    let mut theirs = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let server = Server::start(&binary, &folder.path().join("data/nats")).await?;
        theirs.push(began.elapsed());
        server.stop().await;
    }
    let (ours, theirs) = (middle(ours), middle(theirs));
    let line = |what: &str, took| Row { what: what.to_owned(), p50: Some(took), ..Row::default() };
    let rows = [
        line("nats-server on the streams of a month, start to ready", theirs),
        line("`up` on the records of a month, start to all ready", ours),
    ];
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    table::print(&rows, &[Verdict::at_most("start-all", ratio, 30.0)]);
    Ok(())
}

fn middle(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}
