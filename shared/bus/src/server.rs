//! A nats-server of our own: found or fetched, started on a loopback port, kept alive, stopped.
//!
//! Nobody else on the machine gets in (a password made for the folder, in a file that only its
//! owner reads), what it acknowledges is on disk (`sync_interval: always`), and it does not outlive
//! us: a watcher ends it when our end of a pipe closes, and a left-over one is ended at the next
//! start.

mod fetch;
mod find;
mod process;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

pub use self::find::{DECLARED, Search, Unavailable};
use self::process::{Process, signal};
use crate::Address;

/// The user that the password is for.
const USER: &str = "steward";
/// A clean stop takes milliseconds; after this it is killed, which loses nothing either.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Between restarts of a server that dies at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A running nats-server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    address: Address,
    pid: Arc<AtomicU32>,
    restarts: Arc<AtomicU64>,
    orders: mpsc::Sender<Order>,
    keeper: JoinHandle<()>,
    /// Held as long as we run: two Stewards on one folder would fight over its server.
    _lock: File,
}

/// Why a nats-server does not run, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("another Steward is running on {}", .0.display())]
    Taken(PathBuf),
    #[error("{what}")]
    Folder { what: String, source: io::Error },
    #[error("nats-server did not start: {0}")]
    Start(String),
}

#[derive(Debug)]
enum Order {
    Down(oneshot::Sender<()>),
    Up(oneshot::Sender<()>),
}

/// What stays the same over all starts of one server. No `Debug`: it holds the password.
struct Ground {
    binary: PathBuf,
    folder: PathBuf,
    password: String,
}

impl Server {
    /// Starts `binary` on a free port of 127.0.0.1 with its data in `folder`, and keeps it running
    /// on that port until [`Server::stop`].
    ///
    /// # Errors
    /// When the folder is taken or cannot be written, or the server ends before it is ready.
    pub async fn start(binary: &Path, folder: &Path) -> Result<Self, ServerError> {
        let (ground, lock) = Ground::prepare(binary, folder)?;
        process::end_left_over(&ground).await;
        let (process, port) = Process::start(&ground, None).await.map_err(ServerError::Start)?;
        let url = format!("nats://{USER}:{}@127.0.0.1:{port}", ground.password);
        ground.write_secret("url", &format!("{url}\n"))?;
        let pid = Arc::new(AtomicU32::new(process.pid()));
        let restarts = Arc::new(AtomicU64::new(0));
        let (orders, received) = mpsc::channel(1);
        let keeper = Keeper {
            ground,
            port,
            pid: Arc::clone(&pid),
            restarts: Arc::clone(&restarts),
            orders: received,
        };
        Ok(Self {
            address: url.parse().map_err(|error| ServerError::Start(format!("{error}")))?,
            pid,
            restarts,
            orders,
            keeper: tokio::spawn(keeper.keep(process)),
            _lock: lock,
        })
    }

    /// Where it listens, with the credentials for it. Also in the file `url` of its folder.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How often it died and was ready again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::SeqCst)
    }

    /// Kills it as a crash would, if it runs now; it is started again at once.
    pub fn crash(&self) {
        signal(self.pid.load(Ordering::SeqCst), "KILL");
    }

    /// Stops it and leaves it down until [`Server::up`]; returns when it is down.
    pub async fn down(&self) {
        self.order(Order::Down).await;
    }

    /// Starts it again after [`Server::down`]; returns when it is ready.
    pub async fn up(&self) {
        self.order(Order::Up).await;
    }

    /// Stops it for good, within 3 seconds.
    pub async fn stop(self) {
        self.down().await;
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<()>) -> Order) {
        let (done, is_done) = oneshot::channel();
        if self.orders.send(order(done)).await.is_ok() {
            // An error means that the keeper is gone, and its server with it.
            let _ = is_done.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.keeper.abort();
        signal(self.pid.load(Ordering::SeqCst), "KILL");
    }
}

impl Ground {
    fn prepare(binary: &Path, folder: &Path) -> Result<(Self, File), ServerError> {
        let fault = |what: &str| {
            let what = format!("{what} in {}", folder.display());
            move |source| ServerError::Folder { what, source }
        };
        make_private_folder(folder).map_err(fault("cannot make the folder of nats-server"))?;
        let folder = folder.canonicalize().map_err(fault("cannot resolve the path"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .map_err(fault("cannot write the lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ServerError::Taken(folder)),
            Err(TryLockError::Error(source)) => return Err(fault("cannot take the lock")(source)),
        }
        let password = match std::fs::read_to_string(folder.join("password")) {
            Ok(kept) if !kept.trim().is_empty() => Some(kept.trim().to_owned()),
            _ => None,
        };
        let mut ground = Self { binary: binary.to_owned(), folder, password: String::new() };
        ground.password = match password {
            Some(kept) => kept,
            None => {
                let mut random = [0_u8; 24];
                getrandom::fill(&mut random).map_err(|error| {
                    fault("no randomness for a password")(io::Error::other(error.to_string()))
                })?;
                let made = hex::encode(random);
                ground.write_secret("password", &made)?;
                made
            }
        };
        Ok((ground, lock))
    }

    fn config_path(&self) -> PathBuf {
        self.folder.join("nats-server.conf")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("nats-server.log")
    }

    fn pid_path(&self) -> PathBuf {
        self.folder.join("nats-server.pid")
    }

    fn ports_folder(&self) -> PathBuf {
        self.folder.join("ports")
    }

    /// `port` -1 lets the server choose a free one.
    fn write_config(&self, port: Option<u16>) -> Result<(), ServerError> {
        let port = port.map_or(-1, i32::from);
        let store = quoted(&self.folder.join("jetstream"));
        let log = quoted(&self.log_path());
        let pid = quoted(&self.pid_path());
        let ports = quoted(&self.ports_folder());
        let password = &self.password;
        self.write_secret(
            "nats-server.conf",
            &format!(
                "# Written at every start of Steward; changes here are lost.\n\
                 listen: \"127.0.0.1:{port}\"\n\
                 server_name: steward\n\
                 log_file: {log}\n\
                 logfile_size_limit: 10MB\n\
                 logfile_max_num: 3\n\
                 pid_file: {pid}\n\
                 ports_file_dir: {ports}\n\
                 # An event carries its record, at most 256 KiB, and what changed in it: old and new.\n\
                 max_payload: 2MB\n\
                 authorization {{ user: {USER}, password: \"{password}\" }}\n\
                 # An acknowledgement means: on disk.\n\
                 jetstream {{ store_dir: {store}, sync_interval: always }}\n"
            ),
        )
    }

    /// Writes a file that only its owner may read.
    fn write_secret(&self, name: &str, text: &str) -> Result<(), ServerError> {
        let path = self.folder.join(name);
        let fault = |source| ServerError::Folder {
            what: format!("cannot write {}", path.display()),
            source,
        };
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(fault)?;
        file.write_all(text.as_bytes()).map_err(fault)
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut maker = std::fs::DirBuilder::new();
    maker.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
    maker.create(folder)
}

/// A path as a string of nats-server's configuration language.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// The last line of what a program said, cut to 300 characters.
fn gist(said: &str) -> String {
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
    line.trim().chars().take(300).collect()
}

/// Restarts the server when it dies.
struct Keeper {
    ground: Ground,
    port: u16,
    pid: Arc<AtomicU32>,
    restarts: Arc<AtomicU64>,
    orders: mpsc::Receiver<Order>,
}

impl Keeper {
    async fn keep(mut self, first: Process) {
        let mut running = Some(first);
        let mut pause = Duration::from_millis(20);
        loop {
            let order = match &mut running {
                Some(process) => tokio::select! {
                    ended = process.ended() => {
                        tracing::warn!(status = %ended, "nats-server ended and is started again");
                        self.pid.store(0, Ordering::SeqCst);
                        running = self.again(&mut pause).await;
                        self.restarts.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                    order = self.orders.recv() => order,
                },
                None => self.orders.recv().await,
            };
            match order {
                None => return,
                Some(Order::Down(done)) => {
                    if let Some(process) = running.take() {
                        process.stop(STOP_WITHIN).await;
                        self.pid.store(0, Ordering::SeqCst);
                    }
                    // The one who asked may have stopped waiting.
                    let _ = done.send(());
                }
                Some(Order::Up(done)) => {
                    if running.is_none() {
                        running = self.again(&mut pause).await;
                    }
                    let _ = done.send(());
                }
            }
        }
    }

    /// Starts it on its old port, as often as it takes. An order to stop is heard between tries.
    async fn again(&mut self, pause: &mut Duration) -> Option<Process> {
        loop {
            match Process::start(&self.ground, Some(self.port)).await {
                Ok((process, _)) => {
                    self.pid.store(process.pid(), Ordering::SeqCst);
                    *pause = Duration::from_millis(20);
                    return Some(process);
                }
                Err(reason) => tracing::error!(reason, "nats-server cannot be started"),
            }
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                order = self.orders.recv() => match order {
                    Some(Order::Up(done)) => { let _ = done.send(()); }
                    Some(Order::Down(done)) => { let _ = done.send(()); return None; }
                    None => return None,
                },
            }
            *pause = (*pause * 2).min(LONGEST_PAUSE);
        }
    }
}
