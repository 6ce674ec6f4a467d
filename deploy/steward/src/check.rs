//! `steward check`: every fault of the files that a person is about to publish, as compilers tell it.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use chassis::Draft;

use crate::cli::ServiceName;

pub fn run(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut drafts = Vec::new();
    for file in files {
        let place = file.display().to_string();
        let text = fs::read_to_string(file).with_context(|| format!("{place} cannot be read"))?;
        drafts.push(Draft { place, text });
    }
    let services: Vec<_> = ServiceName::ALL.into_iter().map(ServiceName::service).collect();
    let mut faults = 0;
    for (draft, flaws) in drafts.iter().zip(chassis::check(&services, &drafts)) {
        for flaw in &flaws {
            println!("{}:{flaw}", draft.place);
        }
        if flaws.is_empty() {
            println!("{}: sound", draft.place);
        }
        faults += flaws.len();
    }
    anyhow::ensure!(faults == 0, "faults found: {faults}");
    Ok(())
}
