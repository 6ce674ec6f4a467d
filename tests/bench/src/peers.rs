//! `peers`: the same work as others do it, on the same machine and PostgreSQL.
//!
//! A ticket is opened, beside Request Tracker; a durable step is taken, beside Restate, DBOS and Temporal: each by
//! gateway and incident, a process each, as the others are one product without neighbours that listen. The
//! others are started by their scripts, `NAME.sh start|bench|stop` in the folder that `STEWARD_PEERS`
//! names, which say `rps: median=671` for each number of connections; the best counts. Where
//! they are not installed, what they once did on this machine is taken, and the table says so.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::Result;

use crate::{
    commands::{self, Desk},
    load::{Outcome, saturate},
    platform::{Platform, bytes},
    scratch::Postgres,
    table::{self, Row, Verdict},
};

/// A peer: its script, what it is called, what it did a second when it was measured here, and how many times
/// that we must do.
struct Peer {
    script: &'static str,
    name: &'static str,
    once: f64,
    must: f64,
    is_ticket: bool,
}

const PEERS: [Peer; 4] = [
    Peer {
        script: "rt5",
        name: "Request Tracker 5, a ticket",
        once: 5.0,
        must: 800.0,
        is_ticket: true,
    },
    Peer {
        script: "restate",
        name: "Restate, a durable step",
        once: 671.0,
        must: 6.0,
        is_ticket: false,
    },
    Peer { script: "dbos", name: "DBOS, a durable step", once: 90.0, must: 45.0, is_ticket: false },
    Peer {
        script: "temporal",
        name: "Temporal dev server, a durable step",
        once: 34.0,
        must: 100.0,
        is_ticket: false,
    },
];
/// Callers at the same time; the best counts, as it does of the others' 1, 8 and 32.
const CONNECTIONS: [usize; 2] = [64, 128];

pub async fn run(span: Duration) -> Result<()> {
    let theirs: Vec<Option<f64>> = PEERS.iter().map(measured).collect();
    let server = Postgres::start()?;
    let template = server.databases("steward")?;
    let platform = Platform::spine(&["--database-url-template", &template]).await?;
    let agent = platform.agent().await?;
    let open = |connections, span| {
        let agent = Arc::clone(&agent);
        saturate(connections, span, move |ordinal| {
            let agent = Arc::clone(&agent);
            async move {
                let body = bytes(&commands::opening(ordinal as usize)["open"]);
                agent.post("/api/v1/incidents", &body).await?.expect(201).map(drop)
            }
        })
    };
    // The first seconds compile statements and warm pages.
    let _ = open(CONNECTIONS[0], Duration::from_secs(2)).await.flawless()?;
    let mut rows = Vec::new();
    let tickets = best(&mut rows, "an incident", |callers| open(callers, span)).await?;
    let desk = Desk::fill(Arc::clone(&agent), 5_000).await?;
    let _ = desk.toggle_by(CONNECTIONS[0], Duration::from_secs(2)).await.flawless()?;
    let steps = best(&mut rows, "a durable step", |callers| desk.toggle_by(callers, span)).await?;
    let mut verdicts = Vec::new();
    for (peer, measured) in PEERS.iter().zip(theirs) {
        let (rate, how) = match measured {
            Some(rate) => (rate, ""),
            None => (peer.once, " (not installed: as once measured here)"),
        };
        rows.push(Row::rate(format!("{}{how}", peer.name), rate));
        let ours = if peer.is_ticket { tickets } else { steps };
        verdicts.push(Verdict::at_least(format!("peers, {}", peer.name), ours / rate, peer.must));
    }
    table::print(&rows, &verdicts);
    Ok(())
}

/// What Steward does a second with the number of callers that suits it best; a row for each number.
async fn best<F>(rows: &mut Vec<Row>, what: &str, run: impl Fn(usize) -> F) -> Result<f64>
where
    F: Future<Output = Outcome>,
{
    let mut best = 0.0;
    for connections in CONNECTIONS {
        let outcome = run(connections).await.flawless()?;
        rows.push(Row::of(format!("Steward, {what}, {connections} connections"), &outcome));
        best = outcome.rate().max(best);
    }
    Ok(best)
}

/// What a peer does a second now, where its script can start it.
fn measured(peer: &Peer) -> Option<f64> {
    let script =
        PathBuf::from(std::env::var_os("STEWARD_PEERS")?).join(format!("{}.sh", peer.script));
    if !script.is_file() || !does(&script, "start").0 {
        eprintln!("{} is not measured: {} does not start it", peer.name, script.display());
        return None;
    }
    let (_, said) = does(&script, "bench");
    let _ = does(&script, "stop");
    let rates = said.split("median=").skip(1);
    let rates = rates.filter_map(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    rates.filter(|rate| *rate > 0.0).reduce(f64::max)
}

fn does(script: &Path, what: &str) -> (bool, String) {
    match Command::new("bash").arg(script).arg(what).output() {
        Ok(output) => {
            (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(_) => (false, String::new()),
    }
}
