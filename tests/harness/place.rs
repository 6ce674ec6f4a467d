//! Where the repository and the real data lie.

use std::path::PathBuf;

/// The root of the repository.
///
/// # Panics
/// Never: this package is a folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the repository")
        .to_owned()
}

/// A file of real data: in `STEWARD_DATA`, else in `../shared/data` beside the repository.
///
/// `None` when it is not there, said loudly: the data is not ours to ship, so its want is no fault.
#[must_use]
pub fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STEWARD_DATA")
        .map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("NOT RUN, because {} is not there; set STEWARD_DATA to its folder", path.display());
    None
}
