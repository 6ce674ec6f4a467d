//! The console's files as a browser gets them.

use std::fs;

use gateway::Console;
use reqwest::{Method, StatusCode};

use crate::desk::{Desk, Wishes};

/// A gateway with a console of three files, one of them packed.
async fn desk_with_console() -> (Desk, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("assets")).expect("made");
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("index.html", "<!doctype html><title>Steward</title>");
    write("secret.txt", "not ours to show");
    write("assets/main-1a2b.js", "plain");
    write("assets/main-1a2b.js.br", "brotli");
    write("assets/main-1a2b.js.gz", "gzip");
    let console = Console::at(Some(folder.path().to_owned()));
    let desk = Desk::with(Wishes { console, ..Wishes::default() }).await;
    (desk, folder)
}

#[tokio::test]
async fn every_place_is_the_one_page_and_nothing_stands_inline() {
    let (desk, _folder) = desk_with_console().await;
    for place in ["/", "/incidents", "/incidents/INC0000042?tab=history"] {
        let page = desk.request(Method::GET, place).header("accept", "text/html").send().await;
        let page = page.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{place}");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(page.text().await.unwrap().contains("Steward"));
    }
    // What a program asks for and nobody has is a problem, not a page; so is all of the API.
    let asked = desk.request(Method::GET, "/nothing").header("accept", "application/json");
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let asked = desk.request(Method::GET, "/api/v1/nothing").header("accept", "text/html");
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_built_file_is_packed_as_the_browser_takes_it_and_kept_for_ever() {
    let (desk, _folder) = desk_with_console().await;
    for (accepted, coding, expected) in [
        ("gzip, deflate, br", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "gzip"),
        ("identity", None, "plain"),
    ] {
        let file = desk.request(Method::GET, "/assets/main-1a2b.js");
        let file = file.header("accept-encoding", accepted).send().await.unwrap();
        assert_eq!(file.status(), StatusCode::OK);
        assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(file.headers()["content-type"], "text/javascript; charset=utf-8");
        assert_eq!(file.headers()["vary"], "accept-encoding");
        let found = file.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, coding, "{accepted}");
        assert_eq!(file.text().await.unwrap(), expected, "{accepted}");
    }
}

#[tokio::test]
async fn nothing_beside_the_built_files_is_shown() {
    let (desk, _folder) = desk_with_console().await;
    for path in ["/assets/..%2fsecret.txt", "/assets/.hidden", "/assets/other.js"] {
        let answer = desk.request(Method::GET, path).send().await.unwrap();
        assert_ne!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn without_the_files_a_page_says_why_and_comes_again() {
    let console = Console::at(None);
    console.say("Node <20> is missing.".to_owned());
    let desk = Desk::with(Wishes { console, ..Wishes::default() }).await;
    let page = desk.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["cache-control"], "no-store");
    let text = page.text().await.unwrap();
    assert!(text.contains("Node &lt;20&gt; is missing.") && text.contains("refresh"), "{text}");
}
