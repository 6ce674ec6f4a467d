//! What another replica published is in force here, too: the database says so, and is asked often.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::catalogue;
use crate::{Office, office::chain};

/// How often the database is asked when nothing else tells. A batch that meets newer rules does not
/// wait for it.
const LOOK: Duration = Duration::from_secs(1);

/// Follows what is in force until `stop`.
pub(super) async fn run(office: Office, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = office.store.outdated() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = renew(&office).await {
            tracing::warn!(error = %chain(&*error), "what is in force could not be read");
        }
    }
}

/// Decides by what is in force by now.
///
/// # Errors
/// The database's.
pub(crate) async fn renew(office: &Office) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let known = office.rules();
    let rules = if office.store.edition().await? > known.edition() {
        Arc::new(catalogue::present(&office.store).await?)
    } else {
        known
    };
    office.store.adopt(rules).await?;
    office.describing.renew(&office.rules());
    Ok(())
}
