//! How far a consumer has come, for settling and reconciliation.

use async_nats::jetstream::context::ConsumerInfoErrorKind;
use futures::future::try_join_all;
use kernel::PARTITIONS;

use crate::{Bus, BusError, lane::durable};

/// What is still ahead of a consumer, over all partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In the stream and not yet delivered.
    pub pending: u64,
    /// Delivered and not yet acknowledged.
    pub in_hand: u64,
    /// Partitions that nobody has consumed yet.
    pub unopened: u8,
}

impl Standing {
    /// Whether all that is in the streams has been taken.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        *self == Self::default()
    }
}

impl Bus {
    /// What the consumer still has before it in these streams.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn standing(&self, consumer: &str, streams: &[String]) -> Result<Standing, BusError> {
        self.reachable()?;
        let asked = streams.iter().flat_map(|stream| {
            (0..PARTITIONS).map(move |partition| self.standing_of(stream, consumer, partition))
        });
        let mut sum = Standing::default();
        for one in try_join_all(asked).await? {
            sum.pending += one.pending;
            sum.in_hand += one.in_hand;
            sum.unopened += one.unopened;
        }
        Ok(sum)
    }

    async fn standing_of(
        &self,
        stream: &str,
        consumer: &str,
        partition: u8,
    ) -> Result<Standing, BusError> {
        let fault = || BusError::client(format!("the consumer {consumer} cannot be asked"));
        let stream = self
            .inner
            .jetstream
            .get_stream_no_info(stream)
            .await
            .map_err(|error| fault()(error.into()))?;
        match stream.consumer_info(durable(consumer, partition)).await {
            Ok(found) => Ok(Standing {
                pending: found.num_pending,
                in_hand: found.num_ack_pending as u64,
                unopened: 0,
            }),
            Err(error)
                if matches!(
                    error.kind(),
                    ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound
                ) =>
            {
                Ok(Standing { unopened: 1, ..Standing::default() })
            }
            Err(error) => Err(fault()(error.into())),
        }
    }
}
