//! What a process and its children use: processor time and resident memory, read from `/proc`.

use std::{collections::BTreeMap, fs, time::Duration};

/// Linux counts processor time for user space in hundredths of a second on every machine.
const TICKS_A_SECOND: u64 = 100;

/// Processor time used so far by `process` and all its descendants, the ended ones included.
pub fn processor_time(process: u32) -> Duration {
    let all = processes();
    let ticks: u64 =
        family(&all, process).iter().filter_map(|one| all.get(one)).map(|one| one.ticks).sum();
    Duration::from_millis(ticks * 1000 / TICKS_A_SECOND)
}

/// Processor time used so far by `process` alone.
pub fn own_processor_time(process: u32) -> Duration {
    Duration::from_millis(read(process).map_or(0, |one| one.ticks) * 1000 / TICKS_A_SECOND)
}

/// Resident memory, in bytes, of one process without its children.
pub fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The processes that `process` started, directly or not, and itself.
pub fn family_of(process: u32) -> Vec<u32> {
    family(&processes(), process)
}

struct Process {
    parent: u32,
    /// User and system time, its own and that of children that ended.
    ticks: u64,
}

fn processes() -> BTreeMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process: u32| Some((process, read(process)?)))
        .collect()
}

fn read(process: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the numbers follow its last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |position: usize| fields.get(position)?.parse::<u64>().ok();
    let ticks = (11..=14).filter_map(number).sum();
    Some(Process { parent: u32::try_from(number(1)?).ok()?, ticks })
}

fn family(all: &BTreeMap<u32, Process>, head: u32) -> Vec<u32> {
    let mut members = vec![head];
    let mut position = 0;
    while position < members.len() {
        let parent = members[position];
        members.extend(all.iter().filter(|(_, one)| one.parent == parent).map(|(id, _)| *id));
        position += 1;
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let me = std::process::id();
        assert!(resident(me).is_some_and(|bytes| bytes > 100_000));
        assert!(family_of(me).contains(&me));
        // Only that it can be read: how much it is depends on the machine.
        let _ = processor_time(me);
    }
}
