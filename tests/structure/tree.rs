//! The repository as files: what the checks of its shape read.

use std::{fs, path::Path};

use acceptance::repository;

/// Folders that hold nothing that somebody wrote.
const NOT_OURS: [&str; 4] = ["target", ".git", ".steward", "node_modules"];

/// A text file and its path from the root of the repository, with `/` between folders.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Every Rust file of the repository, sorted by path.
pub fn rust_files() -> Vec<Source> {
    let root = repository();
    let mut found = Vec::new();
    walk(&root, &mut |path| {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("a Rust file is readable UTF-8");
            found.push(Source { path: relative(&root, path), text });
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "only {} Rust files found below {}", found.len(), root.display());
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder of the repository is readable") {
        let path = entry.expect("its entries are readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&path, visit);
            }
        } else {
            visit(&path);
        }
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).expect("the file lies below the root").components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
