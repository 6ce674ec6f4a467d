//! The served OpenAPI document, held against the platform by a fuzzer that believes it.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Command, Stdio},
};

use acceptance::{Options, Platform};
use serde_json::Value;

/// Seconds that the fuzzer may take.
const SECONDS: &str = "60";

/// The fuzzer: what `STEWARD_SCHEMATHESIS` names, else the one on the PATH.
fn fuzzer() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("STEWARD_SCHEMATHESIS") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| Some(folder.join("schemathesis")).filter(|file| file.is_file()))
}

#[tokio::test]
async fn the_fuzzer_finds_no_server_error_and_no_breach_of_the_schema() {
    let Some(fuzzer) = fuzzer() else {
        let sentence = "schemathesis is not installed (pip install schemathesis)";
        assert!(std::env::var("STEWARD_TEST_REQUIRE_ALL").as_deref() != Ok("1"), "{sentence}");
        eprintln!("SKIPPED: the fuzzing of the API, because {sentence}");
        return;
    };
    let platform = Platform::up(Options::default()).await;
    // Whoever the fuzzer speaks for may do all that any role may, so that little is refused unread.
    let processes = platform.door().get("/api/v1/processes").await.good();
    let everybody: BTreeSet<&str> = processes["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|process| process["roles"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let everybody: Vec<&str> = everybody.into_iter().collect();
    assert!(everybody.contains(&"administrator"), "{everybody:?}");
    let door = platform.person("Ada", &everybody).await;
    let token = door.token().expect("a person has a key").to_owned();
    let document = format!("{}/api/v1/openapi.json", platform.door().base());
    let folder = platform.folder().to_owned();
    let run = move || {
        Command::new(fuzzer)
            .args(["run", &document, "--header", &format!("Authorization: Bearer {token}")])
            .args(["--phases", "examples,coverage,fuzzing", "--max-time", SECONDS])
            .args(["--checks", CHECKS, "--generation-deterministic", "--no-color"])
            // A stream without end.
            .args(["--exclude-path", "/api/v1/events", "--suppress-health-check", "all"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
    };
    let output = tokio::task::spawn_blocking(run).await.expect("it is not cancelled");
    let output = output.expect("the fuzzer runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(platform.door().get("/readyz").await.status, 200);
}

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";
