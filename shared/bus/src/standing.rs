//! How far a consumer has come, for settling and reconciliation.

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use futures::future::try_join_all;
use kernel::PARTITIONS;

use crate::{
    Bus, BusError, Fault, Place, Places,
    feed::filter,
    lane::{lease_of, name_of},
    stream::is_missing,
};

/// What is still ahead of a consumer, over all partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Partitions of which not all is settled.
    pub behind: u8,
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
    /// What the consumer still has before it in these streams. Of lanes in other processes it knows
    /// what these have written down.
    ///
    /// # Errors
    /// When the server or the database cannot be reached.
    pub async fn standing<P: Places>(
        &self,
        consumer: &str,
        streams: &[String],
        places: &P,
    ) -> Result<Standing, Fault> {
        self.reachable()?;
        let mut sum = Standing::default();
        for name in streams {
            let fault = || BusError::client(format!("the stream {name} cannot be asked"));
            let stream = match self.inner.jetstream.get_stream(name).await {
                Ok(stream) => stream,
                // Its lanes are about to make it.
                Err(error) if is_missing(&error.kind()) => {
                    sum.unopened += PARTITIONS;
                    continue;
                }
                Err(error) => return Err(fault()(error.into()).into()),
            };
            let info = stream.cached_info();
            let made = info.created.to_string();
            // Where nothing was added since all of it was settled, no partition need be asked.
            let last = Place { made: made.clone(), sequence: info.state.last_sequence };
            let whole = name_of(consumer, name);
            if self.inner.progress.is_at_end(&whole, &last) {
                continue;
            }
            let before = sum;
            let lane = |partition| name_of(&lease_of(consumer, partition), name);
            let lanes: Vec<String> = (0..PARTITIONS).map(lane).collect();
            let written = places.places(&lanes).await?;
            let ends = (0..PARTITIONS).map(|partition| end_of(&stream, filter(name, partition)));
            for (lane, end) in lanes.iter().zip(try_join_all(ends).await?) {
                match self.inner.progress.of(lane).or_else(|| written.get(lane).cloned()) {
                    None => sum.unopened += 1,
                    Some(place) if place.made != made || place.sequence < end => sum.behind += 1,
                    Some(_) => {}
                }
            }
            if sum == before {
                self.inner.progress.note_end(&whole, last);
            }
        }
        Ok(sum)
    }
}

/// The sequence of the last message on these subjects; zero where there is none.
async fn end_of(stream: &Stream, subjects: String) -> Result<u64, BusError> {
    match stream.get_last_raw_message_by_subject(&subjects).await {
        Ok(message) => Ok(message.sequence),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
        Err(error) => Err(BusError::client("the end of a partition cannot be asked")(error.into())),
    }
}
