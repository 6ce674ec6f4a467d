//! `steward fetch`, `publish`, `diff` and `merge`: how a team changes its process.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::remote::Caller;

/// What is published under a name: a process, or a scheme of a service.
fn root(name: &str, service: Option<&str>) -> String {
    match service {
        Some(service) => format!("services/{service}/schemes/{name}"),
        None => format!("processes/{name}"),
    }
}

/// Prints the text of a version, and says on the side which it is.
pub async fn fetch(
    caller: &Caller,
    name: &str,
    service: Option<&str>,
    version: &str,
) -> anyhow::Result<()> {
    let root = root(name, service);
    let text = caller.get(&format!("{root}/versions/{version}")).await?;
    let known = caller.get(&format!("{root}/versions")).await?.json();
    let tag = text.headers.get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let digest = tag.trim_matches('"');
    let number = known["items"].as_array().into_iter().flatten();
    let number =
        number.filter(|item| item["digest"] == digest).find_map(|item| item["version"].as_u64());
    eprintln!("{name}: version {}", number.unwrap_or_default());
    print!("{}", text.text);
    Ok(())
}

/// Puts a file in force in place of the version that it was made from.
pub async fn publish(
    caller: &Caller,
    file: &Path,
    base: &str,
    takes: Option<u32>,
    service: Option<&str>,
) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let read = engine::yaml_as_json(&text).unwrap_or_default();
    let name = match (read["process"].as_str(), read["scheme"].as_str(), service) {
        (Some(process), _, None) => process,
        (None, Some(scheme), Some(_)) => scheme,
        (None, Some(_), None) => bail!("say with --service whose scheme it is"),
        _ => bail!("{} names no process and no scheme", file.display()),
    };
    let root = root(name, service);
    let before = caller.get(&format!("{root}/versions/{base}")).await?;
    let tag = before.headers.get("etag").and_then(|tag| tag.to_str().ok());
    let tag = tag.map(|tag| ("if-match", tag));
    let path = takes.map_or(root.clone(), |takes| format!("{root}?takes={takes}"));
    let answer = caller.send(Method::PUT, &path, tag, text).await?.good()?;
    let (status, said) = (answer.status, answer.json());
    let word = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    if status == StatusCode::ACCEPTED {
        println!("{name}: {} waits for somebody else to approve it", word("number"));
    } else if said["publication"].is_null() {
        println!("{name}: version {} is in force already", said["version"]);
    } else {
        println!("{name}: version {} is in force ({})", said["version"], word("publication"));
    }
    Ok(())
}

/// Prints what differs between two versions.
pub async fn diff(
    caller: &Caller,
    name: &str,
    service: Option<&str>,
    (from, to): (&str, &str),
) -> anyhow::Result<()> {
    let root = root(name, service);
    let said = caller.get(&format!("{root}/difference?from={from}&to={to}")).await?.json();
    for change in said["changes"].as_array().into_iter().flatten() {
        let side = |name: &str| match &change[name] {
            Value::Null => "nothing".to_owned(),
            value => value.to_string(),
        };
        println!(
            "{}: {} becomes {}",
            change["path"].as_str().unwrap_or_default(),
            side("was"),
            side("is")
        );
    }
    print!("{}", said["text"].as_str().unwrap_or_default());
    Ok(())
}

/// Prints the version in force brought together with the one that ships now.
pub async fn merge(caller: &Caller, name: &str, service: Option<&str>) -> anyhow::Result<()> {
    let said = caller.get(&format!("{}/merge", root(name, service))).await?.json();
    print!("{}", said["text"].as_str().unwrap_or_default());
    let conflicts = said["conflicts"].as_array().map_or(&[][..], Vec::as_slice);
    for conflict in conflicts {
        let path = conflict["path"].as_str().unwrap_or_default();
        eprintln!("{}: {path} was changed by both", conflict["line"]);
    }
    let (local, upstream) = (&said["local"], &said["upstream"]);
    eprintln!("{name}: version {local} with what ships as version {upstream}");
    anyhow::ensure!(conflicts.is_empty(), "{} places are to be decided", conflicts.len());
    Ok(())
}
