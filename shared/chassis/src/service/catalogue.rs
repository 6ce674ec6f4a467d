//! What a service decides by: the definitions and schemes it ships, and what is laid over them.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use engine::{Calculations, Definition, Flaw, Ruleset, Scheme, Schemes};
use sha2::{Digest as _, Sha256};
use store::{Archive, Options, Publication, Published};

const PROCESS: &str = "process";
const SCHEME: &str = "scheme";
const UPSTREAM: &str = "upstream";
const LOCAL: &str = "local";

/// A definition or scheme file.
struct Source {
    /// `incident`
    name: String,
    /// The version in the file's name: the order of files, not the number that records keep.
    version: u32,
    text: String,
    origin: &'static str,
}

/// What ships as `(file name, text)`, and the folder that is laid over it: its files stand for
/// shipped ones of the same name from then on.
#[derive(Clone, Copy)]
pub(crate) struct Shipped<'a> {
    pub processes: &'a [(&'static str, &'static str)],
    pub schemes: &'a [(&'static str, &'static str)],
    /// What definitions leave to the service's own code.
    pub calculations: &'a Calculations,
    pub over: Option<&'a Path>,
}

/// Reads and checks all files, lets the database number their versions, and adds the versions that
/// older records were born with.
///
/// # Errors
/// Every fault of every file, each with its place; or the database's.
pub(crate) async fn rules(
    shipped: Shipped<'_>,
    options: &Options,
    now: DateTime<Utc>,
) -> anyhow::Result<Ruleset> {
    let (processes, schemes) = read(&shipped).map_err(told)?;
    let archive = Archive::open(options).await.context("the database cannot be opened")?;
    let processes = numbered(&archive, PROCESS, processes, now).await?;
    let schemes = numbered(&archive, SCHEME, schemes, now).await?;
    archive.close().await;

    let mut definitions = Vec::new();
    for (published, is_current) in processes {
        let Publication { name, content, .. } = &published.publication;
        match Definition::parse(content, published.version) {
            Ok(definition) => definitions.push(definition),
            Err(flaws) if is_current => return Err(told(said(&flaws))),
            Err(flaws) => {
                let (version, fault) = (published.version, said(&flaws).join("; "));
                tracing::warn!(process = name, version, fault, "an old version is passed over");
            }
        }
    }
    let (mut current, mut former) = (Vec::new(), Vec::new());
    for (published, is_current) in schemes {
        let Publication { name, content, .. } = &published.publication;
        match Scheme::parse(content, published.version) {
            Ok(scheme) if is_current => current.push(scheme),
            Ok(scheme) => former.push(scheme),
            Err(flaws) if is_current => return Err(told(said(&flaws))),
            Err(flaws) => {
                let (version, fault) = (published.version, said(&flaws).join("; "));
                tracing::warn!(scheme = name, version, fault, "an old version is passed over");
            }
        }
    }
    let schemes = Schemes::new(current).with_former(former);
    Ruleset::calculating(definitions, schemes, shipped.calculations.clone()).map_err(told)
}

fn said(flaws: &[Flaw]) -> Vec<String> {
    flaws.iter().map(ToString::to_string).collect()
}

fn told(faults: Vec<String>) -> anyhow::Error {
    anyhow::anyhow!("the definitions do not load:\n  {}", faults.join("\n  "))
}

/// All files of both kinds, each sound in itself.
fn read(shipped: &Shipped<'_>) -> Result<(Vec<Source>, Vec<Source>), Vec<String>> {
    let mut faults = Vec::new();
    let processes = files("processes", shipped.processes, shipped.over, &mut faults);
    for source in &processes {
        if let Err(found) = Definition::parse(&source.text, source.version) {
            tell(source, found, &mut faults);
        }
    }
    let schemes = files("schemes", shipped.schemes, shipped.over, &mut faults);
    for source in &schemes {
        if let Err(found) = Scheme::parse(&source.text, source.version) {
            tell(source, found, &mut faults);
        }
    }
    if faults.is_empty() { Ok((processes, schemes)) } else { Err(faults) }
}

/// Every version up to the present one of every name that there is a file of, and which is present;
/// of schemes also those that there is no file of any more.
async fn numbered(
    archive: &Archive,
    kind: &str,
    sources: Vec<Source>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<(Published, bool)>> {
    // Sources come with the one that counts last.
    let mut present = BTreeMap::new();
    for source in sources {
        let publication = Publication {
            kind: kind.to_owned(),
            name: source.name.clone(),
            digest: hex::encode(Sha256::digest(&source.text)),
            content: source.text,
            origin: source.origin.to_owned(),
        };
        present.insert(source.name, archive.register(&publication, now).await?);
    }
    let versions = archive.versions(kind).await?.into_iter().filter_map(|published| {
        let Some(present) = present.get(&published.publication.name) else {
            // What was judged by a scheme is still judged by it when there is no file of it any more.
            return (kind == SCHEME).then_some((published, false));
        };
        let is_present = published.version == *present;
        (published.version <= *present).then_some((published, is_present))
    });
    Ok(versions.collect())
}

fn tell(source: &Source, found: Vec<Flaw>, faults: &mut Vec<String>) {
    let Source { name, version, .. } = source;
    faults.extend(found.into_iter().map(|flaw| format!("{name}.v{version}.yaml:{flaw}")));
}

/// Shipped files by version, then those of the folder.
fn files(
    folder: &str,
    shipped: &[(&str, &str)],
    over: Option<&Path>,
    faults: &mut Vec<String>,
) -> Vec<Source> {
    let mut files = Vec::new();
    for (name, text) in shipped {
        keep(name, (*text).to_owned(), UPSTREAM, &mut files, faults);
    }
    // Without a folder of that name nothing is laid over.
    let entries = over.and_then(|over| fs::read_dir(over.join(folder)).ok());
    for path in entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.ends_with(".yaml") {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => keep(name, text, LOCAL, &mut files, faults),
            Err(error) => faults.push(format!("{}: {error}", path.display())),
        }
    }
    files.sort_by_key(|source| (source.origin == LOCAL, source.version));
    files
}

/// `incident.v1.yaml` is version 1 of `incident`.
fn keep(
    file: &str,
    text: String,
    origin: &'static str,
    files: &mut Vec<Source>,
    faults: &mut Vec<String>,
) {
    let named = file.strip_suffix(".yaml").and_then(|stem| stem.rsplit_once(".v"));
    match named.and_then(|(name, version)| Some((name, version.parse().ok()?))) {
        Some((name, version)) => {
            files.push(Source { name: name.to_owned(), version, text, origin });
        }
        None => faults.push(format!("{file}: a file is called like name.v1.yaml")),
    }
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

    fn options(folder: &Path) -> Options {
        let file = folder.join("post.sqlite");
        Options::new(format!("sqlite://{}?mode=rwc", file.display()), "post")
    }

    #[tokio::test]
    async fn a_folder_is_laid_over_what_ships_and_versions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let shipped = Shipped {
            processes: &[("parcel.v1.yaml", PARCEL)],
            schemes: &[],
            calculations: &Calculations::new(),
            over: None,
        };
        let first = rules(shipped, &options, now).await.unwrap();
        assert_eq!(first.process("parcel").unwrap().version, 1);

        fs::create_dir(folder.path().join("processes")).unwrap();
        let second = PARCEL.replace("give:", "hand_over:");
        fs::write(folder.path().join("processes/parcel.v1.yaml"), second).unwrap();
        let shipped = Shipped { over: Some(folder.path()), ..shipped };
        for _ in 0..2 {
            let rules = rules(shipped, &options, now).await.unwrap();
            let parcel = rules.process("parcel").unwrap();
            assert_eq!(parcel.version, 2);
            assert_eq!(parcel.transitions("open")[0].name, "hand_over");
        }
    }

    #[test]
    fn every_fault_of_every_file_is_told() {
        const BROKEN: &str = "process: parcel\ncolour: red\n";
        let shipped = Shipped {
            processes: &[("parcel.v1.yaml", BROKEN), ("letter.yaml", PARCEL)],
            schemes: &[("priority.v1.yaml", "matrix: [")],
            calculations: &Calculations::new(),
            over: None,
        };
        let faults = read(&shipped).err().unwrap();
        for expected in ["parcel.v1.yaml", "letter.yaml", "priority.v1.yaml"] {
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{faults:#?}");
        }
    }
}
