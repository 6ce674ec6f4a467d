//! JetStream's own rates: messages stored on disk in atomic batches, and consumed with an ack each.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use async_nats::{
    HeaderMap,
    jetstream::{
        self,
        consumer::{AckPolicy, pull},
        stream,
    },
};
use bus::Login;
use bytes::Bytes;
use futures::StreamExt;

use crate::scratch::Nats;

const STREAM: &str = "LIMIT";
const BATCH: u64 = 500;

/// Messages that are stored, and how fast they got there.
pub struct Stored {
    pub rate: f64,
    pub stored: u64,
}

/// A client of the server's own.
pub async fn connect(server: &Nats) -> Result<async_nats::Client> {
    let address = server.address();
    let options = match address.login() {
        Some(Login::User { name, password }) => {
            async_nats::ConnectOptions::with_user_and_password(name, password)
        }
        _ => async_nats::ConnectOptions::new(),
    };
    Ok(options.connect(address.to_string()).await?)
}

/// Messages of 1 KiB, each with an id, in atomic batches of 500, one batch at a time.
pub async fn atomic_batches(server: &Nats, span: Duration) -> Result<Stored> {
    let client = connect(server).await?;
    let context = jetstream::new(client.clone());
    context
        .create_stream(stream::Config {
            name: STREAM.to_owned(),
            subjects: vec!["limit.>".to_owned()],
            storage: stream::StorageType::File,
            duplicate_window: Duration::from_secs(120),
            allow_atomic_publish: true,
            ..stream::Config::default()
        })
        .await?;
    let payload = Bytes::from(vec![b'x'; 1024]);
    let mut stored = 0;
    let began = Instant::now();
    while began.elapsed() < span {
        for position in 1..=BATCH {
            let subject = format!("limit.{}", stored % 1000);
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Batch-Id", format!("b{}", stored / BATCH));
            headers.insert("Nats-Batch-Sequence", position.to_string());
            headers.insert("Nats-Msg-Id", stored.to_string());
            stored += 1;
            if position < BATCH {
                client.publish_with_headers(subject, headers, payload.clone()).await?;
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let answer = client.request_with_headers(subject, headers, payload.clone()).await?;
            let answer = String::from_utf8_lossy(&answer.payload).into_owned();
            ensure!(answer.contains("\"count\""), "the batch was refused: {answer}");
        }
    }
    let elapsed = began.elapsed();
    let held = context.get_stream(STREAM).await?.get_info().await?.state.messages;
    ensure!(held == stored, "the stream holds {held} of {stored} messages");
    Ok(Stored { rate: stored as f64 / elapsed.as_secs_f64(), stored })
}

/// A durable pull consumer that acknowledges each of `count` messages; messages a second.
pub async fn consume(server: &Nats, count: u64) -> Result<f64> {
    let client = connect(server).await?;
    let stream = jetstream::new(client.clone()).get_stream(STREAM).await?;
    let consumer = stream
        .create_consumer(pull::Config {
            durable_name: Some("limit".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 5000,
            ..pull::Config::default()
        })
        .await?;
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(500)
        .expires(Duration::from_secs(10))
        .messages()
        .await?;
    let began = Instant::now();
    for _ in 0..count {
        let message = messages.next().await.ok_or_else(|| anyhow!("the consumer ended"))??;
        message.ack().await.map_err(|why| anyhow!(why))?;
    }
    client.flush().await?;
    Ok(count as f64 / began.elapsed().as_secs_f64())
}
