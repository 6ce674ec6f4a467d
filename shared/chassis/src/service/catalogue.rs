//! What a service decides by: the definitions and schemes it ships, and what is laid over them.

use std::{collections::BTreeMap, fs, path::Path};

use engine::{Definition, Ruleset, Scheme, Schemes};

/// Files by their names without version: `incident` to version and text.
type Files = BTreeMap<(String, u32), String>;

/// Reads what ships, `(file name, text)`, and lays the folder `over` on it, where a file of the same
/// name takes the place of the shipped one and another version stands beside it.
///
/// # Errors
/// Every fault of every file, each with its place.
pub fn rules(
    processes: &[(&str, &str)],
    schemes: &[(&str, &str)],
    over: Option<&Path>,
) -> Result<Ruleset, Vec<String>> {
    let mut faults = Vec::new();
    let mut definitions = Vec::new();
    for ((name, version), text) in files("processes", processes, over, &mut faults) {
        match Definition::parse(&text, version) {
            Ok(definition) => definitions.push(definition),
            Err(found) => tell(&name, version, found, &mut faults),
        }
    }
    let mut latest = BTreeMap::new();
    for ((name, version), text) in files("schemes", schemes, over, &mut faults) {
        match Scheme::parse(&text, version) {
            // In the order of versions: the last one stands.
            Ok(scheme) => drop(latest.insert(name, scheme)),
            Err(found) => tell(&name, version, found, &mut faults),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ruleset::new(definitions, Schemes::new(latest.into_values().collect()))
}

fn tell(name: &str, version: u32, found: Vec<String>, faults: &mut Vec<String>) {
    faults.extend(found.into_iter().map(|fault| format!("{name}.v{version}.yaml: {fault}")));
}

fn files(
    folder: &str,
    shipped: &[(&str, &str)],
    over: Option<&Path>,
    faults: &mut Vec<String>,
) -> Files {
    let mut files = Files::new();
    let mut keep = |name: &str, text: String, faults: &mut Vec<String>| match version_of(name) {
        Some(key) => drop(files.insert(key, text)),
        None => faults.push(format!("{name}: a file is called name.v1.yaml")),
    };
    for (name, text) in shipped {
        keep(name, (*text).to_owned(), faults);
    }
    // No folder of that name lays nothing over.
    let Some(entries) = over.and_then(|over| fs::read_dir(over.join(folder)).ok()) else {
        return files;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.ends_with(".yaml") {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => keep(name, text, faults),
            Err(error) => faults.push(format!("{}: {error}", path.display())),
        }
    }
    files
}

/// `incident.v1.yaml` as `incident` and 1.
fn version_of(file: &str) -> Option<(String, u32)> {
    let stem = file.rsplit('/').next()?.strip_suffix(".yaml")?;
    let (name, version) = stem.rsplit_once(".v")?;
    Some((name.to_owned(), version.parse().ok().filter(|version| *version > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARCEL: &str = "
process: parcel
collection: parcels
number: PCL
roles:
  clerk: { accountable: true }
fields:
  required: [title]
  properties:
    title: { type: string }
starts: open
states:
  open:
    give: { to: gone, by: [clerk] }
  gone: {}
";

    #[test]
    fn a_folder_is_laid_over_what_ships() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("processes")).unwrap();
        let second = PARCEL.replace("give:", "hand_over:");
        fs::write(folder.path().join("processes/parcel.v2.yaml"), second).unwrap();
        let shipped = [("parcel.v1.yaml", PARCEL)];
        let rules = rules(&shipped, &[], Some(folder.path())).unwrap();
        let parcel = rules.process("parcel").unwrap();
        assert_eq!(parcel.version, 2);
        assert_eq!(parcel.transitions("open")[0].name, "hand_over");
    }

    #[test]
    fn every_fault_of_every_file_is_told() {
        let broken = PARCEL.replace("to: gone", "to: nowhere");
        let faults = rules(
            &[("parcel.v1.yaml", broken.as_str()), ("letter.yaml", PARCEL)],
            &[("priority.v1.yaml", "matrix: [")],
            None,
        )
        .unwrap_err();
        for expected in ["parcel.v1.yaml", "letter.yaml", "priority.v1.yaml"] {
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{faults:#?}");
        }
    }
}
