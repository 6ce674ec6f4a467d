//! `steward up`: everything in one process, on a folder of its own.

use std::{ops::Deref, path::Path, process::ExitStatus, time::Duration};

use tempfile::TempDir;
use testkit::free_port;

use crate::{
    Door,
    process::{Process, tool},
};

/// What the administrator shows.
pub(crate) const TOKEN: &str = "administrator-of-the-tests";

/// Further arguments and environment of `steward up`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// How long a start may take, where that is more than usual.
    pub patience: Option<Duration>,
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

/// `steward up`, used through its administrator's door. It ends with this value.
pub struct Platform {
    process: Process,
    door: Door,
    // After the process, which writes there.
    folder: TempDir,
}

impl Platform {
    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it is not ready in time.
    pub async fn up(options: Options) -> Self {
        let mut platform = Self::new(options);
        platform.start().await;
        platform
    }

    /// One that is yet to be started.
    ///
    /// # Panics
    /// When there is no scratch folder to be had.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let port = free_port();
        let door = Door::new(&format!("http://127.0.0.1:{port}"), Some(TOKEN));
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut arguments = vec!["up".into(), "--port".into(), port.to_string().into()];
        arguments.extend(["--data-dir".into(), folder.path().join("data").into()]);
        // A folder that is not there, so that nothing is built with npm.
        arguments.extend(["--console".into(), folder.path().join("console").into()]);
        arguments.extend(options.arguments.into_iter().map(Into::into));
        let mut environment = options.environment;
        environment.push(("STEWARD_ADMIN_TOKEN".to_owned(), TOKEN.to_owned()));
        let log = folder.path().join("log.txt");
        let mut process = Process::new(arguments, environment, log, door.clone());
        process.patience = options.patience.unwrap_or(process.patience);
        Self { process, door, folder }
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

    /// The process, while it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.process.id()
    }

    /// Starts it on the data that is there, and waits until it is ready.
    pub async fn start(&mut self) {
        self.process.start().await;
    }

    /// `kill -9`: nothing is said, nothing is saved.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and how the process ended.
    pub async fn stop(&mut self, deadline: Duration) -> ExitStatus {
        self.process.stop(deadline).await
    }

    /// Runs `steward verify` on its data: whether all is sound, and what it said.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn verify(&self) -> (bool, String) {
        let data = self.folder.path().join("data");
        tool(vec!["verify".into(), "--data-dir".into(), data.into()], Vec::new()).await
    }
}

impl Deref for Platform {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}
