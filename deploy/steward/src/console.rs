//! The web console, built with npm where it is not built yet. Nobody waits for it: the platform runs.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::SystemTime,
};

use anyhow::Context as _;
use gateway::Console;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

/// Where the console's sources are, if this binary runs beside the checkout that it was made from.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../services/gateway/console");
/// What the built files come from.
const INPUTS: [&str; 5] = ["index.html", "package-lock.json", "public", "src", "vite.config.ts"];
/// The oldest Node that builds it: major and minor.
const NODE: (u32, u32) = (20, 19);
/// Said where there is none, or too old a one.
const GET_NODE: &str = "The console is built with Node 20.19 or newer and its npm: install them (`apt-get install \
                        nodejs npm`, or the packages of the Node project), then start again.";
/// So much of npm's last words is told when it fails.
const LAST_WORDS: usize = 12;

/// The console's files: in the folder that was given, else where the checkout builds them.
pub fn console(given: Option<&Path>) -> Console {
    Console::at(given.map(Path::to_owned).or_else(|| sources().map(|sources| sources.join("dist"))))
}

fn sources() -> Option<PathBuf> {
    let sources = PathBuf::from(SOURCES);
    sources.join("package.json").is_file().then_some(sources)
}

/// Builds the console if its sources are at hand and newer than what was built; `say` hears how far
/// it is, and the page in its place does, too.
pub async fn build(console: Console, mut say: impl FnMut(String)) {
    let Some(sources) = sources() else {
        console.say("This installation has no console: name its folder with --console.".to_owned());
        return;
    };
    if is_built(&sources) {
        return;
    }
    let mut tell = |sentence: String| {
        console.say(sentence.clone());
        say(sentence);
    };
    if !has_node().await {
        tell(GET_NODE.to_owned());
        return;
    }
    match steps(&sources, &mut tell).await {
        Ok(()) => tell("The console is built.".to_owned()),
        Err(error) => tell(format!("The console could not be built: {error:#}")),
    }
}

async fn steps(sources: &Path, tell: &mut impl FnMut(String)) -> anyhow::Result<()> {
    let installed = changed(&sources.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < changed(&sources.join("package-lock.json")) {
        tell("Fetching the console's libraries (npm ci), once: about a minute.".to_owned());
        npm(sources, &["ci", "--no-audit", "--no-fund"]).await?;
    }
    tell("Building the console (npm run build): a quarter of a minute.".to_owned());
    npm(sources, &["run", "build"]).await
}

/// Whether nothing that the files come from is newer than they are.
fn is_built(sources: &Path) -> bool {
    let Some(built) = changed(&sources.join("dist/index.html")) else { return false };
    INPUTS.iter().filter_map(|input| newest(&sources.join(input))).all(|input| input <= built)
}

fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return changed(path);
    }
    let entries = std::fs::read_dir(path).ok()?.filter_map(Result::ok);
    entries.filter_map(|entry| newest(&entry.path())).max()
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

async fn has_node() -> bool {
    let asked = Command::new("node").arg("--version").stdin(Stdio::null()).output().await;
    let has_npm = Command::new("npm").arg("--version").stdin(Stdio::null()).output().await;
    asked.is_ok_and(|answer| is_new_enough(&String::from_utf8_lossy(&answer.stdout)))
        && has_npm.is_ok_and(|answer| answer.status.success())
}

/// `v20.19.2`
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= NODE,
        _ => false,
    }
}

async fn npm(sources: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let words = arguments.join(" ");
    let mut child = Command::new("npm")
        .args(arguments)
        .current_dir(sources)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("npm {words} cannot be started"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(last_words(out), last_words(err));
    let status = child.wait().await?;
    anyhow::ensure!(
        status.success(),
        "npm {words} failed in {}:\n{}",
        sources.display(),
        [out, err].concat().join("\n")
    );
    Ok(())
}

async fn last_words(from: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<String> {
    let Some(from) = from else { return Vec::new() };
    let mut lines = BufReader::new(from).lines();
    let mut kept = std::collections::VecDeque::new();
    while let Ok(Some(line)) = lines.next_line().await {
        kept.push_back(line);
        if kept.len() > LAST_WORDS {
            kept.pop_front();
        }
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_told_from_a_new_one() {
        for (version, expected) in [
            ("v20.19.0\n", true),
            ("v22.1.0", true),
            ("v20.18.9", false),
            ("v18.20.1", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }

    #[test]
    fn a_changed_source_is_built_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(&file, "").expect("written");
            file
        };
        let source = write("src/list/page.tsx");
        assert!(!is_built(folder.path()));
        let built = write("dist/index.html");
        let at = changed(&built).expect("a time");
        let set = |file: &Path, seconds: u64, later: bool| {
            let span = std::time::Duration::from_secs(seconds);
            let time = if later { at + span } else { at - span };
            let file = std::fs::File::options().write(true).open(file).expect("there");
            file.set_modified(time).expect("set");
        };
        set(&source, 10, false);
        assert!(is_built(folder.path()));
        set(&source, 10, true);
        assert!(!is_built(folder.path()));
    }
}
