//! How often an address failed to authenticate of late, so that guessing is slow.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The stretch of time in which failures add up.
const WINDOW: Duration = Duration::from_secs(60);
/// So many of an address in a window are answered 401; more, 429.
const ALLOWED: u32 = 20;
/// Addresses remembered at the same time; beyond, the window begins anew for all.
const ADDRESSES: usize = 10_000;

/// Counts in memory, in real time: each gateway for itself.
#[derive(Debug, Default)]
pub struct Failures {
    of: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Failures {
    /// Notes a failure; how long the address should wait, if it failed too often.
    pub fn note(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= ADDRESSES && !of.contains_key(&address) {
            of.retain(|_, (began, _)| now.duration_since(*began) < WINDOW);
            if of.len() >= ADDRESSES {
                of.clear();
            }
        }
        let (began, count) = of.entry(address).or_insert((now, 0));
        if now.duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count > ALLOWED).then(|| WINDOW.saturating_sub(now.duration_since(*began)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_slowed_down_for_a_minute() {
        let failures = Failures::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let start = Instant::now();
        for _ in 0..ALLOWED {
            assert_eq!(failures.note(one, start), None);
        }
        assert_eq!(
            failures.note(one, start + Duration::from_secs(20)),
            Some(Duration::from_secs(40))
        );
        assert_eq!(failures.note(other, start), None);
        assert_eq!(failures.note(one, start + WINDOW), None);
    }

    #[test]
    fn no_flood_of_addresses_grows_without_bound() {
        let failures = Failures::default();
        let start = Instant::now();
        for number in 0..25_000_u32 {
            failures.note(IpAddr::from(number.to_be_bytes()), start);
        }
        assert!(failures.of.lock().expect("no panic").len() <= ADDRESSES);
    }
}
