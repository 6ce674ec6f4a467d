//! What an expression may name where it stands.

use std::{collections::BTreeMap, sync::Arc};

use super::kind::{Bounded, Kind};

/// The variables and functions that are there, each with what it gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub variables: BTreeMap<&'static str, Bounded>,
    /// The service's own code, as a definition declares it.
    pub functions: Arc<BTreeMap<String, Bounded>>,
}

impl Surroundings {
    /// Everything that there may be, of unknown kinds: for rules, lists and live streams.
    pub fn open() -> Self {
        let any = || Bounded::new(Kind::Any);
        let variables = super::SCOPE.map(|name| (name, any()));
        Self { variables: variables.into(), functions: Arc::default() }
    }

    /// `actor` and `now`, which are everywhere.
    pub fn anywhere(functions: &Arc<BTreeMap<String, Bounded>>) -> Self {
        let text = || Bounded::new(Kind::TEXT);
        let texts = || Bounded::list(text(), ACTOR_LIMIT);
        let actor = [("id", text()), ("name", text()), ("roles", texts()), ("groups", texts())];
        let members = actor.map(|(name, kind)| (name.to_owned(), kind)).into();
        let actor = Kind::Map { members: Arc::new(members), is_open: false };
        let variables =
            [("actor", Bounded::new(actor)), ("now", Bounded::new(Kind::Instant))].into();
        Self { variables, functions: Arc::clone(functions) }
    }

    /// The same with what a record is tied to.
    pub fn and_links(&self) -> Self {
        let text = || Bounded::new(Kind::TEXT);
        let members = ["type", "id", "number", "process"].map(|name| (name.to_owned(), text()));
        let confirmed = ("confirmed".to_owned(), Bounded::new(Kind::Bool));
        let members = Arc::new(members.into_iter().chain([confirmed]).collect());
        let link = Bounded::new(Kind::Map { members, is_open: false });
        let mut more = self.clone();
        more.variables.insert("links", Bounded::list(link, LINK_LIMIT));
        more
    }

    /// The same with another variable.
    pub fn and(&self, name: &'static str, kind: Kind) -> Self {
        let mut more = self.clone();
        more.variables.insert(name, Bounded::new(kind));
        more
    }
}

/// What expressions over links may cost is counted for so many.
const LINK_LIMIT: u64 = 1_000;

/// Nobody has more roles or groups than this.
const ACTOR_LIMIT: u64 = 1_000;
