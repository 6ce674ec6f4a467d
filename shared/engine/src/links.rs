//! What a record is tied to, as expressions see it.

use std::sync::Arc;

use uuid::Uuid;

use crate::{Fact, Linked};

/// A tie of a record, made by either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bond {
    /// The relation, or its inverse where the other end made the link.
    pub relation: String,
    pub to: Linked,
    /// The other end is known to be there.
    pub is_confirmed: bool,
}

/// The links of a record, where its definition asks for them: nobody else's are read. They surround
/// the record and are no part of it, so that records are equal whatever they are tied to.
#[derive(Clone, Debug, Default)]
pub struct Links(Option<Arc<Vec<Bond>>>);

impl PartialEq for Links {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Links {
    /// All that there are.
    #[must_use]
    pub fn known(bonds: Vec<Bond>) -> Self {
        Self(Some(Arc::new(bonds)))
    }

    /// `None` where they were not read.
    pub(crate) fn bonds(&self) -> Option<&[Bond]> {
        self.0.as_deref().map(Vec::as_slice)
    }

    /// One more; of links that were not read nothing is remembered.
    pub fn add(&mut self, bond: Bond) {
        if let Some(bonds) = &mut self.0 {
            Arc::make_mut(bonds).push(bond);
        }
    }

    /// One less: what is called like that, to the record of that number.
    pub fn remove(&mut self, relation: &str, number: &str) {
        if let Some(bonds) = &mut self.0 {
            Arc::make_mut(bonds)
                .retain(|bond| bond.relation != relation || bond.to.number != number);
        }
    }

    /// What a fact adds to those of its record, and takes away. A record of another service, whose id
    /// is not known yet, is not confirmed either.
    pub(crate) fn follow(&mut self, fact: &Fact) {
        if let Some(link) = &fact.link {
            let is_confirmed = link.to.id != Uuid::nil();
            let (relation, to) = (link.relation.clone(), link.to.clone());
            self.add(Bond { relation, to, is_confirmed });
        }
        if let Some(link) = &fact.unlink {
            self.remove(&link.relation, &link.to.number);
        }
    }
}
