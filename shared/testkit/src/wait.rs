//! Waiting for a condition, with a deadline: the only place where a test may pause.

use std::{future::Future, time::Duration};

/// Longer than anything takes on a loaded machine; a test never asserts on speed.
const DEADLINE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none by the deadline: with what was waited for.
pub async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(deadline, asking)
        .await
        .unwrap_or_else(|_| panic!("waited {} s for {what}", deadline.as_secs()))
}

/// Waits for a future that should end soon.
///
/// # Panics
/// When it has not within a minute: with what was waited for.
pub async fn until<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("waited {} s for {what}", DEADLINE.as_secs()))
}
