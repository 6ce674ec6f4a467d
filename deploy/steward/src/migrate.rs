//! `steward migrate`: what would become of the records of a process, and then their way over.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Map, Value, json};

use crate::remote::Caller;

/// How often the migration is looked at, and how long it is waited for.
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(3_600);

/// `old=new`; nothing after the sign leaves a field behind.
fn mapping(pairs: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut map = Map::new();
    for pair in pairs {
        let Some((from, to)) = pair.split_once('=') else { bail!("`{pair}` is not like old=new") };
        map.insert(from.to_owned(), if to.is_empty() { Value::Null } else { to.into() });
    }
    Ok(map)
}

pub async fn run(
    caller: &Caller,
    process: &str,
    to: Option<u32>,
    (states, fields): (&[String], &[String]),
    is_meant: bool,
) -> anyhow::Result<()> {
    let path = format!("processes/{process}/migrate");
    let wish = |dry_run: bool| {
        anyhow::Ok(json!({
            "to": to,
            "states": mapping(states)?,
            "fields": mapping(fields)?,
            "dry_run": dry_run,
        }))
    };
    if !is_meant {
        let said = caller.post(&path, &wish(true)?).await?.json();
        println!(
            "{} records would go over to version {}, {} would not",
            said["would_move"], said["to"], said["would_refuse"]
        );
        told(&said["refused"]);
        return Ok(());
    }
    let asked = caller.post(&path, &wish(false)?).await?;
    let place = asked.headers.get("location").and_then(|place| place.to_str().ok());
    let place =
        place.and_then(|place| place.strip_prefix("/api/v1/")).unwrap_or_default().to_owned();
    let begun = Instant::now();
    loop {
        let now = caller.get(&place).await?.json();
        let (number, state) = (now["number"].as_str(), now["state"].as_str());
        if state != Some("running") {
            println!(
                "{}: {}; {} open records stand on version {}, {} were refused",
                number.unwrap_or_default(),
                state.unwrap_or_default(),
                now["data"]["standing"],
                now["data"]["to"],
                now["data"]["refused"]
            );
            told(&now["data"]["because"]);
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!("{} still runs; see /api/v1/{place}", number.unwrap_or_default());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Why records stay where they are, a line each fault.
fn told(refused: &Value) {
    for record in refused.as_array().into_iter().flatten() {
        for fault in record["because"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (number, state) = (text(&record["number"]), text(&record["state"]));
            println!("  {number} ({state}): {}: {}", text(&fault["path"]), text(&fault["message"]));
        }
    }
}
