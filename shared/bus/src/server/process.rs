//! One run of nats-server: from the start of its process to its end.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::Instant,
};

use super::{Ground, gist};

/// Reading a large store back takes longer than anything else; beyond this something is wrong.
const READY_WITHIN: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: u32,
    /// Ends the server when we are gone without a word: its standard input is a pipe from us.
    watcher: Option<Child>,
}

impl Process {
    /// Starts the server and waits until it greets; answers its port, too.
    pub async fn start(ground: &Ground, port: Option<u16>) -> Result<(Self, u16), String> {
        let fault = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        ground.write_config(port).map_err(|error| fault("its configuration", &error))?;
        let ports = ground.ports_folder();
        // Left-overs of earlier runs: nobody reads them, and a reused process id must not match.
        let _ = std::fs::remove_dir_all(&ports);
        std::fs::create_dir_all(&ports).map_err(|error| fault("its folder of ports", &error))?;
        let mut command = Command::new(&ground.binary);
        command
            .arg("--config")
            .arg(ground.config_path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // In a group of its own, so that Ctrl-C in a terminal reaches us first and not it.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(|error| fault("it cannot be run", &error))?;
        // A child that has not been waited for has an id.
        let pid = child.id().unwrap_or_default();
        let mut process = Self { child, pid, watcher: watch_over(pid) };
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("it ended with {status} ({})", last_words(ground)));
            }
            if let Some(port) = written_port(&ports, pid)
                && greets(port).await
            {
                return Ok((process, port));
            }
            if Instant::now() > deadline {
                return Err(format!("it was not ready within {} s", READY_WITHIN.as_secs()));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Resolves when the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = self.child.wait().await.unwrap_or_default();
        // Before its id is given to another process, nobody may be left who would end that one.
        if let Some(mut watcher) = self.watcher.take() {
            let _ = watcher.kill().await;
        }
        status
    }

    /// Asks it to end, and kills it when it has not within `patience`.
    pub async fn stop(mut self, patience: Duration) {
        signal(self.pid, "TERM");
        if tokio::time::timeout(patience, self.ended()).await.is_err() {
            let _ = self.child.start_kill();
            self.ended().await;
        }
    }
}

/// Sends a signal to a process, through the shell's own `kill`; process 0 is nobody.
pub fn signal(pid: u32, name: &str) {
    if pid == 0 {
        return;
    }
    let _ = std::process::Command::new("sh")
        .args(["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A shell that waits for the end of its input, which comes when we end in whatever way, and then
/// ends the server. Without a shell the next start does it.
fn watch_over(pid: u32) -> Option<Child> {
    let mut command = Command::new("sh");
    command
        .args(["-c", "while read -r _; do :; done; kill -TERM \"$1\"", "sh", &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().ok()
}

/// Ends the server that a killed Steward left behind in this folder, if it is still there.
pub async fn end_left_over(ground: &Ground) {
    let Some(pid) = std::fs::read_to_string(ground.pid_path())
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
    else {
        return;
    };
    let deadline = Instant::now() + super::STOP_WITHIN;
    let mut name = "TERM";
    while runs_on(pid, &ground.config_path()).await {
        signal(pid, name);
        if Instant::now() > deadline {
            name = "KILL";
        }
        tokio::time::sleep(4 * GLANCE).await;
    }
}

/// Whether `pid` is a server with our configuration: the number alone may be anybody's by now.
async fn runs_on(pid: u32, config: &Path) -> bool {
    let command_line = match std::fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => line,
        Err(_) if Path::new("/proc/self").exists() => return false,
        Err(_) => match Command::new("ps")
            .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
            .output()
            .await
        {
            Ok(output) => output.stdout,
            Err(_) => return false,
        },
    };
    String::from_utf8_lossy(&command_line).contains(&*config.to_string_lossy())
}

/// The port that the server wrote down for its clients.
fn written_port(ports: &Path, pid: u32) -> Option<u16> {
    let suffix = format!("_{pid}.ports");
    let file = std::fs::read_dir(ports)
        .ok()?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().ends_with(&suffix))?;
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
    written["nats"][0].as_str()?.rsplit_once(':')?.1.parse().ok()
}

/// A server that is ready says INFO before anything is asked of it.
async fn greets(port: u16) -> bool {
    let greeting = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        line.starts_with("INFO").then_some(())
    };
    matches!(tokio::time::timeout(Duration::from_secs(1), greeting).await, Ok(Some(())))
}

fn last_words(ground: &Ground) -> String {
    let log = std::fs::read_to_string(ground.log_path()).unwrap_or_default();
    gist(&log)
}
