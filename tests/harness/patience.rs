//! Waiting for a yes, with a deadline, instead of for time to pass.

use std::{future::Future, time::Duration};

use testkit::eventually;

/// Waits until `look` says yes.
///
/// # Panics
/// When the deadline passes first: with what was waited for.
pub async fn until<F, W>(what: &str, deadline: Duration, mut look: F)
where
    F: FnMut() -> W,
    W: Future<Output = bool>,
{
    eventually(what, deadline, async || look().await.then_some(())).await;
}
