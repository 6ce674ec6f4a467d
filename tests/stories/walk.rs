//! The walk through a process change that the README links: its commands, and what they print.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use acceptance::{Options, Platform, binary, repository};
use serde_json::json;

/// Runs every command of the page in its order, and compares what it prints with what the page says.
/// With `STEWARD_WRITE_WALK=1` the page says what was printed from then on.
#[tokio::test]
async fn the_page_says_what_the_commands_print() {
    let platform = Platform::up(Options::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    symlink(binary(), folder.path().join("steward")).expect("a link to the binary");
    prepare(&platform).await;
    let file = repository().join("docs/change-a-process.md");
    let page = std::fs::read_to_string(&file).expect("the page is there");
    let (base, token) =
        (platform.door().base().to_owned(), platform.door().token().expect("a token").to_owned());
    let place = folder.path().to_owned();
    let read = page.clone();
    let said = tokio::task::spawn_blocking(move || told(&read, &place, &base, &token)).await;
    let said = said.expect("the commands end");
    if std::env::var_os("STEWARD_WRITE_WALK").is_some() {
        std::fs::write(&file, &said).expect("the page can be written");
    }
    assert_eq!(page, said);
    let (is_sound, report) = platform.verify().await;
    assert!(is_sound, "{report}");
}

/// `steward schema | head -1`
#[test]
fn a_tool_ends_quietly_when_nobody_reads_on() {
    let mut tool = Command::new(binary())
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(tool.stdout.take());
    let ended = tool.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

/// Two open incidents, one of them on hold.
async fn prepare(platform: &Platform) {
    let agent = platform.person("Lena", &["agent"]).await;
    for title in ["No mail since nine", "Till 3 prints nothing"] {
        let body =
            json!({ "title": title, "impact": "low", "urgency": "low", "group": "GRP0000001" });
        let opened = agent.post("/api/v1/incidents", &body).await;
        assert_eq!(opened.status, 201, "{opened:?}");
    }
    for (step, body) in [
        ("assign", json!({ "group": "GRP0000001" })),
        ("start", json!({})),
        ("hold", json!({ "hold_reason": "supplier" })),
    ] {
        let path = format!("/api/v1/incidents/INC0000002/transitions/{step}");
        let taken = agent.post(&path, &body).await;
        assert_eq!(taken.status, 200, "{taken:?}");
    }
}

/// The page with what its commands print now.
fn told(page: &str, folder: &Path, url: &str, token: &str) -> String {
    let mut said = String::new();
    let mut is_console = false;
    let mut is_output = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
            is_output = false;
        }
        match line.strip_prefix("$ ").filter(|_| is_console) {
            Some(command) => {
                is_output = true;
                said.push_str(&format!("{line}\n{}", run(command, folder, url, token)));
            }
            None if is_output => {}
            None => said.push_str(&format!("{line}\n")),
        }
    }
    said
}

fn run(command: &str, folder: &Path, url: &str, token: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("STEWARD_URL", url)
        .env("STEWARD_TOKEN", token)
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
