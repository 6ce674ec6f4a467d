//! `steward diagram`: what is worked out from a definition, before it is published.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, anyhow};
use engine::{Definition, Languages};

use crate::cli::Picture;

pub fn run(file: &Path, picture: Picture) -> anyhow::Result<()> {
    let place = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("{place} cannot be read"))?;
    let definition = Definition::parse(&text, 1).map_err(|flaws| {
        let told: Vec<_> = flaws.iter().map(|flaw| format!("{place}:{flaw}")).collect();
        anyhow!("the definition does not load:\n{}", told.join("\n"))
    })?;
    let (counts, english) = (BTreeMap::new(), Languages::default());
    match picture {
        Picture::Svg => print!("{}", definition.svg(&counts, &english)),
        Picture::Mermaid => print!("{}", definition.mermaid(&counts, &english)),
        Picture::Page => print!("{}", definition.page(&english)),
        Picture::Raci => println!("{}", serde_json::to_string_pretty(&definition.raci())?),
    }
    Ok(())
}
