//! How far the history is: a line for each step that was taken, in the data folder.
//!
//! Whoever is killed between a step and its line repeats the step under the same idempotency key, which
//! answers with the record that is there.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Its name in the data folder.
const FILE: &str = "demo.jsonl";
/// Every data folder that was ever started on has this file.
const STARTED_ON: &str = chassis::identity::PUBLIC_KEY_FILE;

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The moment at which the history ends.
    Until(DateTime<Utc>),
    Step {
        id: String,
        at: DateTime<Utc>,
        /// The record that the step opened or found.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    Finished,
}

/// What was done, and where it is written down.
pub struct Progress {
    file: File,
    end: DateTime<Utc>,
    /// Steps that were taken, each with the record that it opened or found.
    taken: BTreeMap<String, Option<String>>,
    stood: Option<DateTime<Utc>>,
    is_finished: bool,
}

impl Progress {
    /// Reads what was done in the folder, or begins a history that ends at `end`.
    ///
    /// # Errors
    /// When the folder holds data that is no demonstration, or the file cannot be read or written.
    pub fn open(folder: &Path, end: DateTime<Utc>) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let is_new = !path.exists();
        anyhow::ensure!(
            !is_new || !folder.join(STARTED_ON).exists(),
            "{} holds data already; --demo makes an organisation in a folder of its own: choose one with --data-dir",
            folder.display()
        );
        let unreadable = || format!("{} cannot be read", path.display());
        fs::create_dir_all(folder).with_context(unreadable)?;
        let kept = if is_new {
            String::new()
        } else {
            fs::read_to_string(&path).with_context(unreadable)?
        };
        let file =
            OpenOptions::new().create(true).append(true).open(&path).with_context(unreadable)?;
        let (taken, stood) = (BTreeMap::new(), None);
        let mut progress = Self { file, end, taken, stood, is_finished: false };
        let whole = kept.rfind('\n').map_or(0, |last| last + 1);
        if whole < kept.len() {
            // Half a line is a step that was not noted.
            progress.file.set_len(whole as u64).with_context(unreadable)?;
        }
        for line in kept[..whole].lines() {
            progress.learn(serde_json::from_str(line).with_context(unreadable)?);
        }
        if whole == 0 {
            progress.write(&Line::Until(end))?;
        }
        Ok(progress)
    }

    fn learn(&mut self, line: Line) {
        match line {
            Line::Until(end) => self.end = end,
            Line::Step { id, at, number } => {
                self.taken.insert(id, number);
                self.stood = Some(at);
            }
            Line::Finished => self.is_finished = true,
        }
    }

    /// When the history ends, as it was said when it was begun.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// When the last step was taken.
    pub fn stood(&self) -> Option<DateTime<Utc>> {
        self.stood
    }

    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Whether a step was taken, and which record it opened or found.
    pub fn of(&self, id: &str) -> Option<Option<&str>> {
        self.taken.get(id).map(Option::as_deref)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn note(
        &mut self,
        id: &str,
        at: DateTime<Utc>,
        number: Option<String>,
    ) -> anyhow::Result<()> {
        self.write(&Line::Step { id: id.to_owned(), at, number: number.clone() })?;
        self.taken.insert(id.to_owned(), number);
        Ok(())
    }

    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.write(&Line::Finished)
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        let line = format!("{}\n", serde_json::to_string(line)?);
        self.file
            .write_all(line.as_bytes())
            .context("how far the history is cannot be written down")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_known_again_and_half_a_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (end, other) = (at("2026-11-23T08:00:00Z"), at("2026-12-01T08:00:00Z"));
        let mut progress = Progress::open(folder.path(), end).unwrap();
        progress.note("mail/0", at("2026-11-01T08:00:00Z"), Some("INC0000001".to_owned())).unwrap();
        progress.note("mail/1", at("2026-11-02T08:00:00Z"), None).unwrap();
        progress.file.write_all(b"{\"step\":{\"id\":\"mail/2").unwrap();
        drop(progress);
        let progress = Progress::open(folder.path(), other).unwrap();
        assert_eq!((progress.end(), progress.stood()), (end, Some(at("2026-11-02T08:00:00Z"))));
        assert_eq!(progress.of("mail/0"), Some(Some("INC0000001")));
        assert_eq!((progress.of("mail/1"), progress.of("mail/2")), (Some(None), None));
        assert!(!progress.is_finished());
        progress.finish().unwrap();
        assert!(Progress::open(folder.path(), other).unwrap().is_finished());
    }

    #[test]
    fn other_data_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(STARTED_ON), "").unwrap();
        let end = "2026-11-23T08:00:00Z".parse().unwrap();
        let said = Progress::open(folder.path(), end).err().expect("refused").to_string();
        assert!(said.contains("--data-dir"), "{said}");
        assert!(!folder.path().join(FILE).exists());
    }
}
