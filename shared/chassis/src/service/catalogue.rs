//! What a service decides by: the definitions and schemes it ships, and what is laid over them.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use engine::{Calculations, Definition, Flaw, InForce, Ruleset, Scheme, Schemes};
use sha2::{Digest as _, Sha256};
use store::{Archive, Catalogue, Options, Publication, Published, Setback, Store};

use super::{Draft, Service, check};

pub(crate) const PROCESS: &str = "process";
pub(crate) const SCHEME: &str = "scheme";
const UPSTREAM: &str = "upstream";
pub(crate) const LOCAL: &str = "local";

/// A definition or scheme file.
struct Source {
    kind: &'static str,
    /// `incident`
    name: String,
    /// The version in the file's name: the order of files, not the number that records keep.
    version: u32,
    text: String,
    origin: &'static str,
}

impl Source {
    /// `incident.v1.yaml`
    fn place(&self) -> String {
        format!("{}.v{}.yaml", self.name, self.version)
    }
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

/// Feeds the database with all files, and reads what is in force there then.
///
/// A faulty file of the folder is not fed: what was in force stays, and the second of the answer says
/// what is wrong, a line each fault.
///
/// # Errors
/// Every fault of what ships, each with its place; or the database's.
pub(crate) async fn rules(
    shipped: Shipped<'_>,
    options: &Options,
    now: DateTime<Utc>,
) -> anyhow::Result<(Ruleset, Vec<String>)> {
    let archive = Archive::open(options).await.context("the database cannot be opened")?;
    let (sources, unfed) = sources(&shipped, &archive).await?;
    for source in sources {
        let kind = source.kind;
        let publication = Publication {
            kind: kind.to_owned(),
            name: source.name,
            digest: hex::encode(Sha256::digest(&source.text)),
            content: source.text,
            origin: source.origin.to_owned(),
        };
        if archive.feed(&publication, now).await? {
            let (name, origin) = (&publication.name, source.origin);
            tracing::info!(kind, name, origin, "a file was taken over");
        }
    }
    let catalogue = archive.catalogue().await?;
    let rules = in_force(catalogue, shipped.calculations.clone());
    archive.close().await;
    Ok((rules, unfed))
}

/// Reads what is in force of a database, and changes nothing.
///
/// # Errors
/// The database's.
pub(crate) async fn known(
    options: &Options,
    calculations: Calculations,
) -> anyhow::Result<Ruleset> {
    let archive = Archive::open(options).await.context("the database cannot be opened")?;
    let catalogue = archive.catalogue().await?;
    archive.close().await;
    Ok(in_force(catalogue, calculations))
}

/// Reads what is in force now, by the code that the service decides by already.
///
/// # Errors
/// The database's.
pub(crate) async fn present(store: &Store) -> Result<Ruleset, Setback> {
    let catalogue = store.catalogue().await?;
    Ok(in_force(catalogue, store.rules().calculations().clone()))
}

/// Everything that is in force, and what records and judgements of former times stand on.
pub(crate) fn in_force(catalogue: Catalogue, calculations: Calculations) -> Ruleset {
    let Catalogue { edition, present, versions, in_use } = catalogue;
    let present_of = |kind: &str| -> BTreeMap<String, u32> {
        let of_kind = present.iter().filter(|present| present.kind == kind);
        of_kind.map(|present| (present.name.clone(), present.version)).collect()
    };
    let (processes, schemes) = (present_of(PROCESS), present_of(SCHEME));
    let (mut definitions, mut unreadable) = (Vec::new(), BTreeMap::new());
    let (mut current, mut former, mut ruined) = (Vec::new(), Vec::new(), BTreeMap::new());
    for Published { version, publication, .. } in versions {
        let Publication { kind, name, content, .. } = publication;
        if kind == PROCESS {
            let is_present = processes.get(&name) == Some(&version);
            if is_present || in_use.contains(&(name.clone(), version)) {
                match Definition::read(&content, version) {
                    Ok(definition) => definitions.push(definition),
                    Err(flaws) => drop(unreadable.insert((name, version), flaws)),
                }
            }
            continue;
        }
        let is_present = schemes.get(&name) == Some(&version);
        match Scheme::parse(&content, version) {
            Ok(scheme) if is_present => current.push(scheme),
            Ok(scheme) => former.push(scheme),
            Err(flaws) if is_present => drop(ruined.insert(name, flaws)),
            Err(flaws) => {
                let fault = said(&flaws).join("; ");
                tracing::warn!(scheme = name, version, fault, "an old version is passed over");
            }
        }
    }
    let schemes = Schemes::new(current).with_former(former).with_faults(ruined);
    let present = processes;
    Ruleset::in_force(InForce { edition, definitions, unreadable, present, schemes, calculations })
}

/// What is wrong with what is in force, a line each fault.
pub(crate) fn faults(rules: &Ruleset) -> Vec<String> {
    let processes = rules.faults().flat_map(|faulty| {
        let (process, version) = (faulty.process, faulty.version);
        faulty.faults.iter().map(move |flaw| format!("process {process}, version {version}:{flaw}"))
    });
    let schemes = rules.schemes().faults().iter();
    let schemes = schemes
        .flat_map(|(name, flaws)| flaws.iter().map(move |flaw| format!("scheme {name}:{flaw}")));
    processes.chain(schemes).collect()
}

fn said(flaws: &[Flaw]) -> Vec<String> {
    flaws.iter().map(ToString::to_string).collect()
}

fn told(faults: Vec<String>) -> anyhow::Error {
    anyhow::anyhow!("the definitions do not load:\n  {}", faults.join("\n  "))
}

/// The files that are fed, schemes before those who name them, what counts last of its name; and the
/// faults of those of the folder that are not.
async fn sources(
    shipped: &Shipped<'_>,
    archive: &Archive,
) -> anyhow::Result<(Vec<Source>, Vec<String>)> {
    let (mut faults, mut unfed) = (Vec::new(), Vec::new());
    let schemes = files(SCHEME, shipped.schemes, shipped.over, &mut faults, &mut unfed);
    let processes = files(PROCESS, shipped.processes, shipped.over, &mut faults, &mut unfed);
    let sources: Vec<Source> = schemes.into_iter().chain(processes).collect();
    let drafts =
        sources.iter().map(|source| Draft { place: source.place(), text: source.text.clone() });
    let service = Service::checking(shipped.schemes, shipped.calculations);
    let told = check(&[service], &drafts.collect::<Vec<_>>());
    let mut sound = Vec::new();
    for (source, flaws) in sources.into_iter().zip(told) {
        let told = if source.origin == LOCAL { &mut unfed } else { &mut faults };
        if flaws.is_empty() {
            match Definition::parse(&source.text, source.version) {
                Ok(definition) if source.kind == PROCESS => match archive.fits(&definition).await {
                    Ok(()) => sound.push(source),
                    Err(fault) => told.push(format!("{}: {fault}", source.place())),
                },
                _ => sound.push(source),
            }
        } else {
            told.extend(flaws.into_iter().map(|flaw| format!("{}:{flaw}", source.place())));
        }
    }
    if !faults.is_empty() {
        return Err(self::told(faults));
    }
    for fault in &unfed {
        tracing::error!(fault, "a file of the folder is not in force");
    }
    Ok((last_of_each(sound), unfed))
}

/// Of what ships and of the folder, the last of each name.
fn last_of_each(sources: Vec<Source>) -> Vec<Source> {
    let mut kept: Vec<Source> = Vec::new();
    for source in sources {
        kept.retain(|other| {
            (other.kind, &other.name, other.origin) != (source.kind, &source.name, source.origin)
        });
        kept.push(source);
    }
    kept
}

/// Shipped files by version, then those of the folder.
fn files(
    kind: &'static str,
    shipped: &[(&str, &str)],
    over: Option<&Path>,
    faults: &mut Vec<String>,
    unfed: &mut Vec<String>,
) -> Vec<Source> {
    let mut files = Vec::new();
    for (name, text) in shipped {
        keep(name, kind, (*text).to_owned(), UPSTREAM, &mut files, faults);
    }
    // Without a folder of that name nothing is laid over.
    let folder = if kind == PROCESS { "processes" } else { "schemes" };
    let entries = over.and_then(|over| fs::read_dir(over.join(folder)).ok());
    for path in entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.ends_with(".yaml") {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => keep(name, kind, text, LOCAL, &mut files, unfed),
            Err(error) => unfed.push(format!("{}: {error}", path.display())),
        }
    }
    files.sort_by_key(|source| (source.origin == LOCAL, source.version));
    files
}

/// `incident.v1.yaml` is version 1 of `incident`.
fn keep(
    file: &str,
    kind: &'static str,
    text: String,
    origin: &'static str,
    files: &mut Vec<Source>,
    faults: &mut Vec<String>,
) {
    let named = file.strip_suffix(".yaml").and_then(|stem| stem.rsplit_once(".v"));
    match named.and_then(|(name, version)| Some((name, version.parse().ok()?))) {
        Some((name, version)) => {
            files.push(Source { kind, name: name.to_owned(), version, text, origin });
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
        let (first, _) = rules(shipped, &options, now).await.unwrap();
        assert_eq!(first.process("parcel").unwrap().version, 1);

        fs::create_dir(folder.path().join("processes")).unwrap();
        let second = PARCEL.replace("give:", "hand_over:");
        fs::write(folder.path().join("processes/parcel.v1.yaml"), second).unwrap();
        let shipped = Shipped { over: Some(folder.path()), ..shipped };
        for _ in 0..2 {
            let (rules, _) = rules(shipped, &options, now).await.unwrap();
            let parcel = rules.process("parcel").unwrap();
            assert_eq!(parcel.version, 2);
            assert_eq!(parcel.transitions("open")[0].name, "hand_over");
        }
    }

    #[tokio::test]
    async fn every_fault_of_every_shipped_file_is_told() {
        const BROKEN: &str = "process: parcel\ncolour: red\n";
        let folder = tempfile::tempdir().unwrap();
        let shipped = Shipped {
            processes: &[("parcel.v1.yaml", BROKEN), ("letter.yaml", PARCEL)],
            schemes: &[("priority.v1.yaml", "matrix: [")],
            calculations: &Calculations::new(),
            over: None,
        };
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let fault = rules(shipped, &options(folder.path()), now).await.err().unwrap().to_string();
        for expected in ["parcel.v1.yaml", "letter.yaml", "priority.v1.yaml"] {
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[tokio::test]
    async fn a_faulty_file_of_the_folder_leaves_in_force_what_was() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        fs::create_dir(folder.path().join("processes")).unwrap();
        let broken = PARCEL.replace("to: gone", "to: gon");
        fs::write(folder.path().join("processes/parcel.v1.yaml"), broken).unwrap();
        let shipped = Shipped {
            processes: &[("parcel.v1.yaml", PARCEL)],
            schemes: &[],
            calculations: &Calculations::new(),
            over: Some(folder.path()),
        };
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let (rules, unfed) = rules(shipped, &options, now).await.unwrap();
        assert_eq!(rules.process("parcel").unwrap().version, 1);
        assert!(rules.faults().next().is_none());
        assert!(unfed.iter().any(|line| line.starts_with("parcel.v1.yaml:14:")), "{unfed:?}");
    }

    #[tokio::test]
    async fn what_ships_anew_is_in_force_unless_an_organisation_published_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let calculations = Calculations::new();
        let second = PARCEL.replace("give:", "hand_over:");
        let third = PARCEL.replace("give:", "send:");
        let of = async |text: &'static str, over: Option<&Path>| {
            let files = [("parcel.v1.yaml", text)];
            let shipped =
                Shipped { processes: &files, schemes: &[], calculations: &calculations, over };
            let (rules, _) = rules(shipped, &options, now).await.unwrap();
            let parcel = rules.process("parcel").unwrap();
            (parcel.version, parcel.transitions("open")[0].name.clone())
        };
        let second: &'static str = second.leak();
        assert_eq!(of(PARCEL, None).await, (1, "give".to_owned()));
        assert_eq!(of(second, None).await, (2, "hand_over".to_owned()));
        // Another binary ships the former again: that is what ships now.
        assert_eq!(of(PARCEL, None).await, (1, "give".to_owned()));
        fs::create_dir(folder.path().join("processes")).unwrap();
        fs::write(folder.path().join("processes/parcel.v1.yaml"), third).unwrap();
        assert_eq!(of(PARCEL, Some(folder.path())).await, (3, "send".to_owned()));
        assert_eq!(of(second, None).await, (3, "send".to_owned()));
    }
}
