//! The gateway's half: signs who called, once a caller and minute.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use contract::{Claims, IDENTITY_AUDIENCE};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::Clock;

use super::{Identity, PublicKey, RuinedKey, key};

/// A token is good for the minute it was made in and the next one.
const LIFE_MINUTES: i64 = 2;
/// Callers remembered at the same time; beyond, all are forgotten and signed again.
const CALLERS: usize = 10_000;

/// Signs internal tokens. Cheap to clone.
#[derive(Clone)]
pub struct Signer {
    key: Arc<EncodingKey>,
    public: PublicKey,
    clock: Clock,
    signed: Arc<Mutex<HashMap<String, Signed>>>,
}

struct Signed {
    minute: i64,
    identity: Identity,
    token: String,
}

impl Signer {
    /// The key pair in `private`, made there at the first start; the public half is kept in
    /// `public` for the services.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn open(private: &Path, public: &Path) -> Result<Self, RuinedKey> {
        let (pkcs8, public) = key::private(private, public)?;
        Ok(Self::of(&pkcs8, public))
    }

    /// A key pair that lives in memory alone: for tests of one service.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn ephemeral() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let (pkcs8, public) = key::fresh()?;
        Ok(Self::of(&pkcs8, public))
    }

    fn of(pkcs8: &[u8], public: PublicKey) -> Self {
        // Credentials live in real time, also where a demonstration moves the clock.
        let clock = Clock::System;
        Self {
            key: Arc::new(EncodingKey::from_ed_der(pkcs8)),
            public,
            clock,
            signed: Arc::default(),
        }
    }

    /// The same, telling time from `clock`.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// What services verify with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    /// A token that vouches for `identity` for at least a minute.
    ///
    /// # Errors
    /// When signing fails, which a sound key does not.
    pub fn token(&self, identity: &Identity) -> Result<String, jsonwebtoken::errors::Error> {
        let minute = self.clock.now().timestamp().div_euclid(60);
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = signed.get(&identity.actor.id)
            && known.minute == minute
            && known.identity == *identity
        {
            return Ok(known.token.clone());
        }
        let claims = Claims {
            aud: IDENTITY_AUDIENCE.to_owned(),
            exp: (minute + LIFE_MINUTES) * 60,
            actor: identity.actor.as_ref().clone(),
            scopes: identity.scopes.to_vec(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key)?;
        if signed.len() >= CALLERS {
            signed.clear();
        }
        let entry = Signed { minute, identity: identity.clone(), token: token.clone() };
        signed.insert(identity.actor.id.clone(), entry);
        Ok(token)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("public", &self.public).finish_non_exhaustive()
    }
}
