//! Steward as a process of its own, to be started, killed and started again on the same data.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{Door, until};

const TOKEN: &str = "administrator-of-the-tests";
/// How long a start may take: a debug build on a busy machine.
const READY: Duration = Duration::from_secs(60);

/// A port that nothing listens on right now.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Further arguments and environment of `steward up`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
}

impl Options {
    /// A clock that the test moves, beginning at the start's moment.
    #[must_use]
    pub fn manual_clock() -> Self {
        Self::default().with(&["--clock", "manual"])
    }

    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }
}

/// `steward up` on a folder of its own. It ends with this value.
pub struct Platform {
    folder: TempDir,
    options: Options,
    port: u16,
    child: Option<Child>,
    door: Door,
}

impl Platform {
    /// Starts it and waits until it is ready.
    pub async fn up(options: Options) -> Self {
        let port = free_port();
        let door = Door::new(&format!("http://127.0.0.1:{port}"), Some(TOKEN));
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut platform = Self { folder, options, port, child: None, door };
        platform.start().await;
        platform
    }

    /// The administrator's door.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The process, while it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it on the data that is there, and waits until it is ready.
    pub async fn start(&mut self) {
        let log = self.folder.path().join("log.txt");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .expect("the log can be written");
        let child = Command::new(binary())
            .args(["up", "--port", &self.port.to_string(), "--data-dir"])
            .arg(self.folder.path().join("data"))
            .args(&self.options.arguments)
            .env("STEWARD_ADMIN_TOKEN", TOKEN)
            .envs(self.options.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the log's handle can be shared"))
            .stderr(file)
            .spawn()
            .expect("the steward binary starts");
        self.child = Some(child);
        until("the platform is ready", READY, || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "steward ended: {ended:?}\n{}", self.log());
            let request = self.door.request(reqwest::Method::GET, "/readyz");
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
    pub async fn stop(&mut self, deadline: Duration) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("the platform runs");
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "kill -TERM");
        let mut ended = None;
        until("the platform has stopped", deadline, || {
            ended = child.try_wait().ok().flatten();
            let has_ended = ended.is_some();
            async move { has_ended }
        })
        .await;
        ended.expect("it has ended")
    }

    /// Runs `steward verify` on its data: whether all is sound, and what it said.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn verify(&self) -> (bool, String) {
        let data = self.folder.path().join("data");
        let verify =
            move || Command::new(binary()).args(["verify", "--data-dir"]).arg(data).output();
        let output = tokio::task::spawn_blocking(verify).await.expect("it is not cancelled");
        let output = output.expect("the steward binary starts");
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (output.status.success(), said.concat())
    }

    /// What it has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        self.kill();
    }
}

/// The binary under test: beside the test's own, or what `STEWARD_BINARY` names.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("STEWARD_BINARY") {
        return path.into();
    }
    let mine = std::env::current_exe().expect("a process has a file");
    // target/debug/deps/stories-… beside target/debug/steward-under-test
    let folder = mine.ancestors().nth(2).expect("a test lies two folders deep");
    folder.join("steward-under-test")
}
