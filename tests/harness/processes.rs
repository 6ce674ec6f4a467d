//! Processes below a process, so that a test can kill the one it means.

use std::{collections::BTreeMap, fs, process::Command};

/// The descendants of `head` whose program is called `name`, as Linux shows them.
#[must_use]
pub fn descendants(head: u32, name: &str) -> Vec<u32> {
    let mut parents = BTreeMap::new();
    let mut names = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|text| text.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // `12 (name) S 1 …`: the name may hold anything, parentheses included.
        let Some((before, after)) = stat.rsplit_once(')') else { continue };
        let called = before.split_once('(').map_or("", |(_, called)| called);
        let parent = after.split_whitespace().nth(1).and_then(|text| text.parse::<u32>().ok());
        parents.insert(process, parent.unwrap_or_default());
        names.insert(process, called.to_owned());
    }
    let is_below = |process: u32| {
        let mut above = parents.get(&process).copied().unwrap_or_default();
        while above != 0 && above != head {
            above = parents.get(&above).copied().unwrap_or_default();
        }
        above == head
    };
    let called = |process: &&u32| names.get(process).is_some_and(|called| called == name);
    parents.keys().filter(called).copied().filter(|process| is_below(*process)).collect()
}

/// Sends a signal by its name (`KILL`, `TERM`); a process that is gone is no fault.
pub fn signal(process: u32, name: &str) {
    // The shell's own `kill`: not every machine has a program of that name.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
}
