//! Servers of our own for the length of a run: PostgreSQL as production sets it, and nats-server.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use bus::{
    Address,
    server::{Search, Server},
};
use tempfile::TempDir;

/// A folder on the disk, not in memory: what is measured is durability.
pub fn folder() -> Result<TempDir> {
    let base =
        if Path::new("/var/tmp").is_dir() { "/var/tmp".into() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("steward-bench-").tempdir_in(base).context("a scratch folder")
}

/// A port that nothing listens on right now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A PostgreSQL cluster that ends with this value. `fsync` and `synchronous_commit` are on.
pub struct Postgres {
    folder: TempDir,
    binaries: PathBuf,
    port: u16,
    as_root: bool,
}

impl Postgres {
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Result<Self> {
        let folder = folder()?;
        let as_root = fs::metadata("/proc/self").is_ok_and(|me| {
            use std::os::unix::fs::MetadataExt;
            me.uid() == 0
        });
        let postgres = Self { folder, binaries: binaries()?, port: free_port()?, as_root };
        if as_root {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(postgres.folder.path()))?;
        }
        let data = postgres.data();
        run(postgres.command("initdb").arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
        ]))?;
        fs::write(data.join("postgresql.auto.conf"), postgres.settings())?;
        run(postgres
            .command("pg_ctl")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(postgres.folder.path().join("log"))
            .args(["-w", "start"]))
        .context("PostgreSQL does not start")?;
        Ok(postgres)
    }

    fn settings(&self) -> String {
        format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n\
             max_connections = 200\nshared_buffers = 1GB\nmax_wal_size = 8GB\n\
             checkpoint_timeout = 30min\nfsync = on\nsynchronous_commit = on\n\
             full_page_writes = on\n",
            self.port,
            self.folder.path().display()
        )
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of PostgreSQL's programs, run as a user that the server accepts.
    fn command(&self, program: &str) -> Command {
        let path = self.binaries.join(program);
        if !self.as_root {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The server's first process.
    pub fn process(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Makes an empty database and answers its URL.
    pub fn database(&self, name: &str) -> Result<String> {
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(name))
    }

    /// A database for each service of the platform, and the template of their URLs.
    pub fn databases(&self, prefix: &str) -> Result<String> {
        for service in steward::SERVICES {
            self.database(&format!("{prefix}_{service}"))?;
        }
        Ok(self.url(&format!("{prefix}_{{service}}")))
    }

    pub fn sql(&self, database: &str, text: &str) -> Result<()> {
        let mut command = Command::new(self.binaries.join("psql"));
        command.arg(self.url(database)).args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text]);
        run(&mut command)
    }

    /// Reads all that is stored, so that it is in memory as that of a busy server is: what was written
    /// minutes ago may have left the page cache.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn warm(&self) -> Result<()> {
        for database in fs::read_dir(self.data().join("base"))? {
            for file in fs::read_dir(database?.path())? {
                // The server's temporary files come and go.
                let Ok(mut file) = fs::File::open(file?.path()) else { continue };
                io::copy(&mut file, &mut io::sink())?;
            }
        }
        Ok(())
    }

    /// Runs `pgbench` with one of our scripts through the socket; answers transactions a second.
    pub fn pgbench(&self, script: &str, clients: usize, span: Duration) -> Result<f64> {
        let path = self.folder.path().join("script.sql");
        fs::write(&path, script)?;
        let output = Command::new(self.binaries.join("pgbench"))
            .args(["-n", "-M", "prepared", "-U", "postgres", "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-j", &clients.min(2).to_string()])
            .args(["-c", &clients.to_string(), "-T", &span.as_secs().to_string(), "-f"])
            .arg(&path)
            .arg("postgres")
            .output()
            .context("pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said.lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok())
            .with_context(|| format!("pgbench said: {said}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let stopped = run(self.command("pg_ctl").arg("-D").arg(&data).args([
            "-m",
            "immediate",
            "-w",
            "stop",
        ]));
        if let Err(why) = stopped {
            eprintln!("PostgreSQL did not stop: {why:#}");
        }
    }
}

/// Where PostgreSQL's programs are: the newest of Debian's folders, else the PATH.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file() && bin.join("pgbench").is_file())
        .collect();
    found.sort();
    match found.pop().or_else(|| on_path("initdb")?.parent().map(Path::to_owned)) {
        Some(bin) => Ok(bin),
        None => bail!("PostgreSQL is not installed: the Debian package is `postgresql`"),
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{command:?}: {why}{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

/// A nats-server whose acknowledgement means disk; it ends with this value.
pub struct Nats {
    server: Server,
    // Kept for as long as the server writes there.
    _folder: TempDir,
}

impl Nats {
    /// # Errors
    /// When there is no nats-server and none can be obtained, or it does not start.
    pub async fn start() -> Result<Self> {
        let binary = Search::from_env().find(&mut |sentence| eprintln!("{sentence}")).await?;
        let folder = folder()?;
        let server = Server::start(&binary, folder.path()).await?;
        Ok(Self { server, _folder: folder })
    }

    pub fn address(&self) -> &Address {
        self.server.address()
    }
}
