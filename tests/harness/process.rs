//! One process of the binary under test: started, killed, started again on the same data.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use reqwest::Method;

use crate::{Door, signal, until};

/// How long a start may take: a debug build on a busy machine.
const READY: Duration = Duration::from_secs(180);

/// `steward …` with its arguments and environment. It ends with this value.
pub struct Process {
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    /// What it prints, over all its starts.
    log: PathBuf,
    /// Where it says whether it is ready.
    door: Door,
    /// How long a start may take.
    pub(crate) patience: Duration,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn new(
        arguments: Vec<OsString>,
        environment: Vec<(String, String)>,
        log: PathBuf,
        door: Door,
    ) -> Self {
        Self { arguments, environment, log, door, patience: READY, child: None }
    }

    /// Starts it on the data that is there, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead, or is not ready in time.
    pub async fn start(&mut self) {
        let mut options = OpenOptions::new();
        let log = options.create(true).append(true).open(&self.log);
        let log = log.expect("the log can be written");
        let child = Command::new(binary())
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be shared"))
            .stderr(log)
            .spawn()
            .expect("the steward binary starts");
        self.child = Some(child);
        until("steward is ready", self.patience, || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "steward ended: {ended:?}\n{}", self.log());
            let request = self.door.request(Method::GET, "/readyz");
            let door = self.door.clone();
            async move { door.try_send(request).await.is_ok_and(|answer| answer.status.is_success()) }
        })
        .await;
    }

    /// `kill -9`: nothing is said, nothing is saved.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and how the process ended.
    ///
    /// # Panics
    /// When it does not run, or outlives the deadline.
    pub async fn stop(&mut self, deadline: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("the process runs");
        signal(child.id(), "TERM");
        let mut ended = None;
        until("the process has stopped", deadline, || {
            ended = child.try_wait().ok().flatten();
            let has_ended = ended.is_some();
            async move { has_ended }
        })
        .await;
        ended.expect("it has ended")
    }

    /// Its number, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What it has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}\n{}", self.arguments, self.log());
        }
        self.kill();
    }
}

/// Runs a tool of the binary to its end: whether it succeeded, and what it said.
///
/// # Panics
/// When the binary cannot be run.
pub async fn tool(arguments: Vec<OsString>, environment: Vec<(String, String)>) -> (bool, String) {
    let run = move || Command::new(binary()).args(arguments).envs(environment).output();
    let output = tokio::task::spawn_blocking(run).await.expect("it is not cancelled");
    let output = output.expect("the steward binary starts");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    (output.status.success(), said.concat())
}

/// The binary under test: beside the test's own, or what `STEWARD_BINARY` names.
///
/// # Panics
/// When a test does not lie where cargo puts it.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("STEWARD_BINARY") {
        return path.into();
    }
    let mine = std::env::current_exe().expect("a process has a file");
    // target/debug/deps/stories-… beside target/debug/steward-under-test
    let folder = mine.ancestors().nth(2).expect("a test lies two folders deep");
    folder.join("steward-under-test")
}
