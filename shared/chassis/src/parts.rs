//! One event that concerns several records here, told apart by a pure function.

use contract::Envelope;
use engine::Happening;
use futures::future::{BoxFuture, FutureExt as _};
use store::Setback;

use crate::{Interpret, Office, Said};

/// What an event says to each of the records that it concerns: a release to its changes and items, a document to
/// its readers. Each part is an event of its own, and all of them happen in one transaction.
pub struct Parts(pub fn(Happening) -> Vec<Happening>);

impl Interpret for Parts {
    fn interpret<'a>(
        &'a self,
        _: &'a Office,
        events: &'a [Envelope],
    ) -> BoxFuture<'a, Result<Vec<Said>, Setback>> {
        let said = events.iter().map(|event| Ok(self.0(happening_in(event)?))).collect();
        async { Ok(said) }.boxed()
    }
}

/// What an event of a service says; a sentence says why it cannot be understood.
pub(crate) fn happening_in(event: &Envelope) -> Result<Happening, String> {
    let data = engine::strict_json(&event.data).map_err(|fault| fault.to_string())?;
    let happening = Happening::of_data(&event.kind, &data);
    happening.ok_or_else(|| "the event's data holds no record".to_owned())
}
