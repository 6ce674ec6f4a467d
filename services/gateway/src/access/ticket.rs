//! One-time links: whoever started the platform on their own machine is signed in by opening one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::secret::{self, Digest};

/// A link that nobody opened is void after this time.
const LASTS: Duration = Duration::from_secs(60 * 60);

/// Links that nobody has opened yet, in memory: a restart voids them all. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    open: Arc<Mutex<Vec<(Digest, Instant)>>>,
}

impl Tickets {
    /// A ticket that signs its bearer in as the administrator, once.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn issue(&self) -> Result<String, getrandom::Error> {
        let ticket = secret::fresh("stw_once_")?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push((secret::digest(&ticket), Instant::now()));
        Ok(ticket)
    }

    /// Whether the ticket was good until now; it is so no more.
    #[must_use]
    pub fn take(&self, ticket: &str) -> bool {
        self.take_at(ticket, Instant::now())
    }

    fn take_at(&self, ticket: &str, now: Instant) -> bool {
        let digest = secret::digest(ticket);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, issued)| now.duration_since(*issued) < LASTS);
        let before = open.len();
        open.retain(|(known, _)| !secret::same(known, &digest));
        open.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_once_and_not_for_ever() {
        let tickets = Tickets::default();
        let (one, other) = (tickets.issue().expect("random"), tickets.issue().expect("random"));
        assert!(!tickets.take("guess") && tickets.take(&one) && !tickets.take(&one));
        assert!(!tickets.take_at(&other, Instant::now() + LASTS));
    }
}
