//! Dead letters' copies on DEAD; the table in the service's database is the truth.

use contract::subject;

use crate::{
    Bus, Delivery, NotDurable,
    publish::{self, Message},
};

impl Bus {
    /// Publishes what a consumer has given up on, with the reason and where it came from, and
    /// returns when it is on disk.
    ///
    /// # Errors
    /// When it is not known to be on disk.
    pub async fn publish_dead(
        &self,
        service: &str,
        consumer: &str,
        reason: &str,
        original: &Delivery,
    ) -> Result<(), NotDurable> {
        let attributes = ["ce-id", "ce-source", "ce-type", "ce-time", "ce-subject", "ce-recordid"];
        let kept = attributes
            .into_iter()
            .chain(["ce-specversion", "ce-revision", "ce-correlationid", "traceparent"])
            .filter_map(|name| Some((name, original.header(name)?.to_owned())));
        let mut headers: Vec<(&'static str, String)> = kept.collect();
        headers.extend([
            ("Nats-Msg-Id", format!("{consumer}:{}", original.message_id())),
            ("steward-reason", publish::one_line(reason)),
            ("steward-consumer", consumer.to_owned()),
            ("steward-stream", original.stream().to_owned()),
            ("steward-sequence", original.sequence().to_string()),
            ("steward-subject", original.subject().to_owned()),
        ]);
        let subject = subject::of_dead_letter(service, consumer);
        let copy = Message { subject, headers, payload: original.payload().clone() };
        self.publish_all(subject::DEAD_STREAM, vec![copy]).await
    }
}
