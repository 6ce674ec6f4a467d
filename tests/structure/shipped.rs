//! All definitions that ship, of every service and the gateway.

use engine::Definition;

use crate::pages::SERVICES;

/// Every definition that ships: its file, its text, and what was read from it.
pub fn all() -> Vec<(&'static str, &'static str, Definition)> {
    let files = SERVICES.iter().flat_map(|(_, files)| files.iter()).chain(&gateway::DEFINITIONS);
    files
        .map(|(file, text)| {
            let definition = Definition::parse(text, 1);
            (*file, *text, definition.unwrap_or_else(|flaws| panic!("{file}: {flaws:#?}")))
        })
        .collect()
}
