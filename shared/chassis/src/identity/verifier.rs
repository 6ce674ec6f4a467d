//! A service's half: checks the signature once a token, then remembers it until it expires.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use contract::{Claims, IDENTITY_AUDIENCE};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::Clock;

use super::{Identity, PublicKey, RuinedKey};
use crate::problem::Problem;

/// Tokens remembered at the same time; beyond, the expired are forgotten, then all.
const TOKENS: usize = 10_000;
/// Clocks of two machines may differ by this much.
const LEEWAY_SECONDS: i64 = 30;

/// Verifies internal tokens. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    key: Arc<DecodingKey>,
    rules: Arc<Validation>,
    clock: Clock,
    known: Arc<RwLock<HashMap<String, (Identity, i64)>>>,
}

impl Verifier {
    #[must_use]
    pub fn new(key: &PublicKey) -> Self {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[IDENTITY_AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "aud"]);
        // Checked here, against our own clock.
        rules.validate_exp = false;
        Self {
            key: Arc::new(DecodingKey::from_ed_der(&key.0)),
            rules: Arc::new(rules),
            clock: Clock::System,
            known: Arc::default(),
        }
    }

    /// With the gateway's public key from a file.
    ///
    /// # Errors
    /// When it cannot be read or is no key.
    pub fn open(path: &Path) -> Result<Self, RuinedKey> {
        Ok(Self::new(&PublicKey::read(path)?))
    }

    /// The same, telling time from `clock`.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Who the token vouches for.
    ///
    /// # Errors
    /// 401 for a token that is not the gateway's, not for services, or expired.
    pub fn verify(&self, token: &str) -> Result<Identity, Problem> {
        let now = self.clock.now().timestamp();
        let expired = |until: i64| until + LEEWAY_SECONDS <= now;
        let late = || Problem::unauthenticated("The token has expired.");
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((identity, until)) = known.get(token) {
                return if expired(*until) { Err(late()) } else { Ok(identity.clone()) };
            }
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.rules)
            .map_err(|_| Problem::unauthenticated("The token is not one of the gateway's."))?
            .claims;
        if expired(claims.exp) {
            return Err(late());
        }
        let identity =
            Identity { actor: Arc::new(claims.actor), scopes: claims.scopes.into_iter().collect() };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TOKENS {
            known.retain(|_, (_, until)| !expired(*until));
            if known.len() >= TOKENS {
                known.clear();
            }
        }
        known.insert(token.to_owned(), (identity.clone(), claims.exp));
        Ok(identity)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}
