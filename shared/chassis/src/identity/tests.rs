//! Tokens: who signs, who is let in, and for how long.

use chrono::{TimeDelta, TimeZone, Utc};
use kernel::Clock;

use super::*;

fn agent() -> Identity {
    let mut actor = Actor::system("gateway");
    actor.id = "person:PER0000001".to_owned();
    actor.roles = ["agent".to_owned()].into();
    Identity::of(actor)
}

fn pair() -> (Signer, Verifier, Clock) {
    let clock = Clock::manual(Utc.with_ymd_and_hms(2026, 3, 14, 9, 0, 30).unwrap());
    let signer = Signer::ephemeral().unwrap().with_clock(clock.clone());
    let verifier = Verifier::new(&signer.public_key()).with_clock(clock.clone());
    (signer, verifier, clock)
}

#[test]
fn a_token_vouches_for_its_caller_until_it_expires() {
    let (signer, verifier, clock) = pair();
    let token = signer.token(&agent()).unwrap();
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token).unwrap(), agent());
    }
    clock.move_to(clock.now() + TimeDelta::minutes(3));
    assert_eq!(verifier.verify(&token).unwrap_err().status, 401);
}

#[test]
fn one_token_serves_a_caller_for_a_minute() {
    let (signer, _, clock) = pair();
    let first = signer.token(&agent()).unwrap();
    assert_eq!(signer.token(&agent()).unwrap(), first);
    let mut narrower = agent();
    narrower.scopes = ["records:read".to_owned()].into_iter().collect();
    assert_ne!(signer.token(&narrower).unwrap(), first);
    clock.move_to(clock.now() + TimeDelta::minutes(1));
    assert_ne!(signer.token(&agent()).unwrap(), first);
}

#[test]
fn another_gateways_token_is_refused() {
    let (_, verifier, clock) = pair();
    let stranger = Signer::ephemeral().unwrap().with_clock(clock);
    let token = stranger.token(&agent()).unwrap();
    assert_eq!(verifier.verify(&token).unwrap_err().status, 401);
    assert_eq!(verifier.verify("nonsense").unwrap_err().status, 401);
}

#[test]
fn a_narrow_credential_reaches_no_further() {
    let mut key = agent();
    assert!(key.needs_scope("records:write").is_ok());
    key.scopes = ["alerts:write".to_owned()].into_iter().collect();
    assert_eq!(key.needs_scope("records:write").unwrap_err().status, 403);
    assert!(key.needs_scope("alerts:write").is_ok());
}

#[test]
fn the_key_pair_is_made_once_and_kept_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) =
        (folder.path().join(PRIVATE_KEY_FILE), folder.path().join(PUBLIC_KEY_FILE));
    let first = Signer::open(&private, &public).unwrap();
    let again = Signer::open(&private, &public).unwrap();
    assert_eq!(first.public_key(), again.public_key());
    let token = again.token(&agent()).unwrap();
    assert_eq!(Verifier::open(&public).unwrap().verify(&token).unwrap(), agent());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(&public, "hello").unwrap();
    assert!(Verifier::open(&public).is_err());
}
