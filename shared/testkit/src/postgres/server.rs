//! A PostgreSQL server of our own, in a temporary folder, on a loopback port.
//!
//! PostgreSQL refuses to run as root: there the user `postgres` runs it. A shell that waits on a
//! pipe stops it and removes its folder when this process ends in whatever way.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use uuid::Uuid;

use crate::free_port;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// As in production: for measurements.
    On,
    /// Nothing is lost unless the machine itself fails.
    Off,
}

/// A running server; dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    /// `initdb`, `pg_ctl` and the rest.
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Its standard input closes with us, and then it cleans up.
    watcher: Option<Child>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// A sentence when there is no PostgreSQL on this machine or it does not start.
    pub fn start(sync: Sync) -> Result<Self, String> {
        let binaries = binaries().ok_or("neither PATH nor /usr/lib/postgresql has pg_ctl")?;
        let folder = made_folder()?;
        let port = free_port();
        let password = Uuid::new_v4().simple().to_string();
        let mut server = Self {
            url: format!("postgres://postgres:{password}@127.0.0.1:{port}"),
            watcher: None,
            binaries,
            folder,
            port,
        };
        server.watcher = server.watch();
        server.make_cluster(&password, sync)?;
        server.up()?;
        Ok(server)
    }

    /// `postgres://user:password@127.0.0.1:port`, to which a database's name is added.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An empty database on this server.
    pub async fn database(&self) -> super::Scratch {
        super::Scratch::make(&self.url).await
    }

    /// Starts it after [`Postgres::down`] or [`Postgres::crash`]; returns when it is ready.
    ///
    /// # Errors
    /// What `pg_ctl` says.
    pub fn up(&self) -> Result<(), String> {
        self.control(&["start", "--wait", "--timeout=60", "--log"], Some("log"))
    }

    /// Ends connections and stops.
    ///
    /// # Errors
    /// What `pg_ctl` says.
    pub fn down(&self) -> Result<(), String> {
        self.control(&["stop", "--wait", "--mode=fast"], None)
    }

    /// Stops as in a crash: the next start recovers from the log.
    ///
    /// # Errors
    /// What `pg_ctl` says.
    pub fn crash(&self) -> Result<(), String> {
        self.control(&["stop", "--wait", "--mode=immediate"], None)
    }

    fn control(&self, words: &[&str], file: Option<&str>) -> Result<(), String> {
        let mut command = self.command("pg_ctl");
        command.arg("--pgdata").arg(self.data()).args(words);
        if let Some(file) = file {
            command.arg(self.folder.join(file));
        }
        // A server holds on to what it inherits: with pipes we would wait for its end.
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| format!("pg_ctl cannot be run ({error})"))?;
        if status.success() { Ok(()) } else { Err(format!("pg_ctl {} failed", words[0])) }
    }

    fn make_cluster(&self, password: &str, sync: Sync) -> Result<(), String> {
        let fault = |error| format!("{} cannot be written ({error})", self.folder.display());
        let secret = self.folder.join("password");
        std::fs::write(&secret, password).map_err(fault)?;
        readable_by_its_runner(&secret);
        let made = self
            .command("initdb")
            .args(["--username=postgres", "--auth=md5", "--no-sync", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--pwfile"])
            .arg(&secret)
            .arg("--pgdata")
            .arg(self.data())
            .stdin(Stdio::null())
            .output();
        succeeded("initdb", made)?;
        let switch = if sync == Sync::On { "on" } else { "off" };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n\
             fsync = {switch}\nfull_page_writes = {switch}\nmax_connections = 300\n",
            self.port
        );
        let written = self.folder.join("settings");
        std::fs::write(&written, settings).map_err(fault)?;
        readable_by_its_runner(&written);
        // The cluster belongs to who runs it, hence they append.
        let appended = as_runner("sh")
            .args(["-c", "cat \"$1\" >> \"$2\"", "sh"])
            .arg(&written)
            .arg(self.data().join("postgresql.conf"))
            .output();
        succeeded("writing postgresql.conf", appended)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, name: &str) -> Command {
        as_runner(self.binaries.join(name))
    }

    fn watch(&self) -> Option<Child> {
        let mut command = as_runner("sh");
        command
            .args([
                "-c",
                "while read -r _; do :; done; \"$1\" -D \"$2/data\" -m immediate stop; \
                 rm -rf \"$2\"",
                "sh",
            ])
            .arg(self.binaries.join("pg_ctl"))
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // In a group of its own: Ctrl-C ends the tests, and then it cleans up.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().ok()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            drop(watcher.stdin.take());
            // It ends when all is cleaned up; how is of no interest to anyone.
            let _ = watcher.wait();
        }
    }
}

/// A command as the user who may run PostgreSQL.
fn as_runner(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // A folder that both may enter.
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

fn readable_by_its_runner(file: &Path) {
    if is_root() {
        // Where this fails, initdb says so.
        let _ = Command::new("chown").arg("postgres").arg(file).status();
    }
}

/// A folder that belongs to who runs the server, made by them, and that we may enter.
fn made_folder() -> Result<PathBuf, String> {
    let pattern = std::env::temp_dir().join(format!("steward-postgres-{}", "X".repeat(6)));
    let mut maker = as_runner("mktemp");
    // It may be another program that is missing: the one that runs it as another user.
    let program = maker.get_program().to_string_lossy().into_owned();
    match maker.arg("-d").arg(pattern).output() {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
        }
        other => succeeded(&program, other).and(Err("mktemp named no folder".to_owned())),
    }
}

fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|version| version.path().join("bin"))
        .collect();
    // The newest of the packaged ones, where PATH has none.
    packaged.sort();
    folders.extend(packaged.into_iter().rev());
    folders.into_iter().find(|folder| {
        ["pg_ctl", "initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
    })
}

fn succeeded(what: &str, outcome: std::io::Result<Output>) -> Result<(), String> {
    let output = outcome.map_err(|error| format!("{what} cannot be run ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what} failed: {}", said.trim()))
}
