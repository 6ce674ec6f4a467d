//! What is published under a name, and the numbers of its versions.

use http::StatusCode;
use sha2::{Digest as _, Sha256};
use store::{Catalogue, Present, Publication, Publishing};

use super::published;
use crate::{
    Office,
    problem::Problem,
    records,
    service::catalogue::{LOCAL, PROCESS},
};

/// What is published under a name, as of one edition.
pub(super) struct Shelved {
    pub catalogue: Catalogue,
    pub present: Present,
}

impl Shelved {
    pub async fn of(office: &Office, kind: &str, name: &str) -> Result<Self, Problem> {
        let catalogue = office.store.catalogue().await?;
        let is_meant = |present: &&Present| present.kind == kind && present.name == name;
        let present = catalogue.present.iter().find(is_meant).cloned();
        let present = present.filter(|_| kind != PROCESS || records::is_public(name));
        Ok(Self { present: present.ok_or_else(Problem::unknown)?, catalogue })
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &store::Published> {
        let Present { kind, name, .. } = &self.present;
        let is_meant = move |published: &&store::Published| {
            published.publication.kind == *kind && published.publication.name == *name
        };
        self.catalogue.versions.iter().filter(is_meant)
    }

    /// A version by its number, or as it stands to the others: `present`, `shipped`, `base`.
    pub fn version(&self, word: &str) -> Option<&store::Published> {
        let number = match word {
            "present" => Some(self.present.version),
            "shipped" => self.present.shipped,
            "base" => self.present.base,
            number => number.parse().ok(),
        }?;
        self.versions().find(|published| published.version == number)
    }

    pub fn by_digest(&self, digest: &str) -> Option<&store::Published> {
        self.versions().find(|published| published.publication.digest == digest)
    }

    pub fn in_force(&self) -> Result<&store::Published, Problem> {
        self.version("present").ok_or_else(Problem::broken)
    }

    /// The number that a content has or would get.
    pub fn number_of(&self, digest: &str) -> u32 {
        let known = self.by_digest(digest).map(|published| published.version);
        known.unwrap_or_else(|| self.versions().map(|known| known.version).max().unwrap_or(0) + 1)
    }

    /// What comes into force as of what is in force here; `takes` is the shipped version that it was merged
    /// with.
    pub fn publishing(
        &self,
        publication: Publication,
        version: u32,
        takes: Option<u32>,
    ) -> Publishing {
        let (base, edition) = (takes.or(self.present.base), self.catalogue.edition);
        Publishing { publication, version, base, edition }
    }

    /// The version that a caller names.
    pub fn named(&self, word: &str) -> Result<&store::Published, Problem> {
        self.version(word).ok_or_else(|| {
            let numbers: Vec<_> = self.versions().map(|known| known.version.to_string()).collect();
            let detail = format!(
                "`{}` has no version `{word}`; there is {}, and `present`, `shipped` and `base` where \
                 something ships.",
                self.present.name,
                numbers.join(", ")
            );
            Problem::new(StatusCode::NOT_FOUND, "unknown_version", detail)
        })
    }

    /// The role that answers for the process; schemes are the administrators'.
    pub fn owner(&self, office: &Office) -> Option<String> {
        let rules = office.rules();
        let process = rules.process(&self.present.name).filter(|_| self.present.kind == PROCESS)?;
        process.accountable_role().map(str::to_owned)
    }

    /// 412: somebody was faster, and this is what they changed.
    pub fn overtaken(&self, base: Option<&store::Published>) -> Problem {
        let Some(present) = self.version("present") else { return Problem::broken() };
        let detail = format!(
            "Version {} is in force by now, and yours was not made from it.",
            present.version
        );
        let mut problem = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail);
        problem.difference = base.map(|base| published::difference(base, present));
        problem
    }
}

/// A text that is to be in force.
pub(super) fn publication(kind: &str, name: &str, text: &str) -> Publication {
    Publication {
        kind: kind.to_owned(),
        name: name.to_owned(),
        digest: hex::encode(Sha256::digest(text)),
        content: text.to_owned(),
        origin: LOCAL.to_owned(),
    }
}
