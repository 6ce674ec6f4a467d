//! What stands against a text before it comes into force.

use std::sync::Arc;

use engine::{Definition, Flaw, Scheme};
use http::StatusCode;
use kernel::Fault;
use store::{Publication, Setback};

use super::{
    difference::{Change, changes},
    shelved::{Shelved, publication},
};
use crate::{
    Office,
    problem::Problem,
    service::catalogue::{self, PROCESS, SCHEME},
};

/// Whether a text can be in force: sound in itself, with everything else that is in force, and with
/// the columns of the database.
pub(super) async fn sound(
    office: &Office,
    shelved: &Shelved,
    publication: &Publication,
    version: u32,
) -> Result<(), Problem> {
    let faults = faults(office, shelved, publication, version).await?;
    if faults.is_empty() {
        return Ok(());
    }
    let count = match faults.len() {
        1 => "one fault".to_owned(),
        many => format!("{many} faults"),
    };
    let detail = format!("{} cannot come into force: {count}.", publication.name);
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).with_errors(faults))
}

/// What is told of a text before it is published.
pub(crate) struct Looked {
    /// The number that it would get.
    pub version: u32,
    /// All that stands against it.
    pub faults: Vec<Fault>,
    /// What it says otherwise than the one in force.
    pub changes: Vec<Change>,
}

/// Looks at what would be published as a process, and does nothing.
pub(crate) async fn look(office: &Office, name: &str, text: &str) -> Result<Looked, Problem> {
    let shelved = Shelved::of(office, PROCESS, name).await?;
    let publication = publication(PROCESS, name, text);
    let version = shelved.number_of(&publication.digest);
    let faults = faults(office, &shelved, &publication, version).await?;
    let changes = changes(&shelved.in_force()?.publication.content, text);
    Ok(Looked { version, faults, changes })
}

/// What stands against a text's coming into force.
async fn faults(
    office: &Office,
    shelved: &Shelved,
    publication: &Publication,
    version: u32,
) -> Result<Vec<Fault>, Problem> {
    let Publication { kind, name, content, .. } = publication;
    let mut faults = Vec::new();
    if kind == SCHEME {
        match Scheme::parse(content, version) {
            Ok(scheme) => faults.extend(renamed("scheme", name, &scheme.name)),
            Err(flaws) => faults.extend(flaws.iter().map(fault_of)),
        }
    } else {
        match Definition::parse(content, version) {
            Ok(definition) => {
                faults.extend(office.rules().unmet(&definition).iter().map(fault_of));
                faults.extend(renamed("process", name, &definition.process));
                if let Some(present) = office.rules().process(name) {
                    let (was, is) = (&present.collection, &definition.collection);
                    faults.extend(renamed("collection", was, is));
                    faults.extend(renamed("number", &present.prefix, &definition.prefix));
                }
                match office.store.fits(&definition).await {
                    Ok(()) => {}
                    Err(store::StoreError::Database(fault)) => {
                        return Err(Setback::Broken(Arc::from(fault)).into());
                    }
                    Err(fault) => faults.push(Fault::new("/fields", "index", fault.to_string())),
                }
            }
            Err(flaws) => faults.extend(flaws.iter().map(fault_of)),
        }
    }
    if faults.is_empty() {
        faults = disturbed(office, shelved, publication, version);
    }
    Ok(faults)
}

/// A fault with its place: `12:5`, line and column.
fn fault_of(flaw: &Flaw) -> Fault {
    Fault::new(format!("{}:{}", flaw.line, flaw.column), flaw.code, flaw.message.clone())
}

/// What other services, links and numbers know a process by stays as it is.
fn renamed(key: &'static str, was: &str, is: &str) -> Option<Fault> {
    let message = || format!("`{key}` stays `{was}`: what is published is known by it");
    (was != is).then(|| Fault::new(format!("/{key}"), "renamed", message()))
}

/// The faults that other definitions would have with this text in force and do not have now.
fn disturbed(
    office: &Office,
    shelved: &Shelved,
    publication: &Publication,
    version: u32,
) -> Vec<Fault> {
    let mut catalogue = shelved.catalogue.clone();
    let Publication { kind, name, .. } = publication;
    for present in &mut catalogue.present {
        if present.kind == *kind && present.name == *name {
            present.version = version;
        }
    }
    catalogue.versions.push(store::Published {
        version,
        published_at: office.clock.now(),
        publication: publication.clone(),
    });
    let rules = office.rules();
    let known = catalogue::faults(&rules);
    let then = catalogue::in_force(catalogue, rules.calculations().clone());
    let new = catalogue::faults(&then).into_iter().filter(|fault| !known.contains(fault));
    new.map(|fault| Fault::new("", "disturbs", fault)).collect()
}
