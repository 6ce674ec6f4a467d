//! What the benches decide by: the definitions and schemes that the incident service ships.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use engine::{Definition, Ruleset, Schemes};

fn faults<T: ToString>(faults: Vec<T>) -> anyhow::Error {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    anyhow!(faults.join("; "))
}

pub fn of_incident() -> Result<Arc<Ruleset>> {
    let definitions = incident::DEFINITIONS
        .iter()
        .map(|(_, text)| Definition::parse(text, 1).map_err(faults))
        .collect::<Result<Vec<_>>>()?;
    let schemes = Schemes::parse_all(&incident::SCHEMES).map_err(faults)?;
    Ok(Arc::new(Ruleset::new(definitions, schemes).map_err(faults)?))
}
