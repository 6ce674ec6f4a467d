//! Sets of audience tokens, numbered, so that visibility is one indexed predicate.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use sha2::{Digest, Sha256};

use crate::{
    chain::Hash,
    dialect::{Failure, Tx},
};

/// The tokens of a record's audience, under the number of their set.
#[derive(Debug)]
pub(crate) struct AudienceSet {
    pub(crate) id: i32,
    pub(crate) tokens: Vec<String>,
    /// The tokens as a JSON array, as rows keep them.
    pub(crate) text: String,
}

impl AudienceSet {
    pub(crate) fn read(id: i32, text: String) -> Self {
        Self { id, tokens: tokens_in(&text), text }
    }
}

/// The tokens that a row keeps as a JSON array.
pub(crate) fn tokens_in(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The sets that this process has met; organisations have few.
#[derive(Default)]
pub(crate) struct Audiences(RwLock<Known>);

#[derive(Default)]
struct Known {
    by_id: HashMap<i32, Arc<AudienceSet>>,
    by_tokens: HashMap<Vec<String>, Arc<AudienceSet>>,
}

/// Beyond this many sets the cache starts anew, so that audiences of one person each cannot fill
/// the memory.
const KEPT: usize = 50_000;

impl Audiences {
    pub(crate) fn by_id(&self, id: i32) -> Option<Arc<AudienceSet>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    pub(crate) fn by_tokens(&self, tokens: &[String]) -> Option<Arc<AudienceSet>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_tokens.get(tokens).cloned()
    }

    /// Only sets that are committed may be kept.
    pub(crate) fn keep(&self, sets: impl IntoIterator<Item = Arc<AudienceSet>>) {
        let mut sets = sets.into_iter().peekable();
        if sets.peek().is_none() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.by_id.len() > KEPT {
            *known = Known::default();
        }
        for set in sets {
            known.by_id.insert(set.id, Arc::clone(&set));
            known.by_tokens.insert(set.tokens.clone(), set);
        }
    }
}

/// Numbers a set that the cache does not know, within the batch's transaction.
pub(crate) async fn number(tx: &mut Tx, tokens: &[String]) -> Result<AudienceSet, Failure> {
    let text = serde_json::to_string(tokens).unwrap_or_default();
    let digest: Hash = Sha256::digest(text.as_bytes()).into();
    let indexed: Vec<_> = tokens.iter().map(|token| crate::text::indexable(token)).collect();
    let indexed: Vec<&str> = indexed.iter().map(AsRef::as_ref).collect();
    let id = tx.audience_set(&digest, &text, &indexed).await?;
    Ok(AudienceSet { id, tokens: tokens.to_vec(), text })
}
