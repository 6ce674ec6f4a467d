//! What is done about a body before it is read.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt as _;
use http::{HeaderMap, header};

/// So much of a body that is refused as too large is still taken, and for so long.
const HEARD_OUT_BYTES: u64 = 128 * 1024 * 1024;
const HEARD_OUT_FOR: Duration = Duration::from_secs(10);

/// How long it is, as far as that is said.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes what is still being sent of a body of so many bytes and drops it: most callers read no answer before they
/// have sent all, and would only see that the connection is closed.
pub(crate) async fn hear_out(body: Body, bytes: u64) {
    if bytes > HEARD_OUT_BYTES {
        return;
    }
    let mut rest = body.into_data_stream();
    let all = async { while let Some(Ok(_)) = rest.next().await {} };
    // Who takes longer sees the connection closed.
    let _ = tokio::time::timeout(HEARD_OUT_FOR, all).await;
}
