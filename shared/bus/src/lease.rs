//! Leases: which replica does what only one may do, and since when.

use std::{future::Future, time::Duration};

/// What goes wrong in what the bus is glued to.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Proof that a lease was taken. Each new owner of a name gets a higher token, so that a write of
/// an owner of old can be told and refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    pub name: String,
    pub owner: String,
    pub token: i64,
}

/// Where leases are kept: in the database that the fenced writes go to.
pub trait Leases: Clone + Send + Sync + 'static {
    /// Takes the lease when nobody holds it, its time has run out, or `owner` holds it already.
    /// `None`: another one holds it.
    fn acquire(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<Fence>, Fault>> + Send;

    /// Prolongs several leases at once; `false` for each that another one holds by now.
    fn renew(
        &self,
        fences: &[Fence],
        ttl: Duration,
    ) -> impl Future<Output = Result<Vec<bool>, Fault>> + Send;

    /// Gives a lease back, so that the next one need not wait for its time to run out.
    fn release(&self, fence: &Fence) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// How long a lease lasts. A killed replica's work waits so long for another one.
pub(crate) const TTL: Duration = Duration::from_millis(4_000);
/// How often it is asked for, and twice as long it stays fresh: one miss in prolonging it is
/// forgiven.
pub(crate) const ROUND: Duration = Duration::from_millis(1_000);

/// Holds the lease for as long as it can, and returns when it is lost.
pub(crate) async fn keep<L: Leases>(leases: &L, fence: &Fence) {
    let mut sure_until = tokio::time::Instant::now() + TTL;
    loop {
        tokio::time::sleep(3 * ROUND / 2).await;
        let asked = tokio::time::Instant::now();
        match leases.renew(std::slice::from_ref(fence), TTL).await {
            Ok(held) if held == [true] => sure_until = asked + TTL,
            Ok(_) => return,
            Err(error) => tracing::warn!(lease = fence.name, error, "a lease cannot be renewed"),
        }
        if tokio::time::Instant::now() > sure_until {
            return;
        }
    }
}
