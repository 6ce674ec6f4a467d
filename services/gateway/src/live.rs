//! What happens, as it happens: the events of all services to whoever may see them.

mod position;
mod telling;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Extension, Query, Request, State},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use bus::{Bus, BusError, Tailed};
use chassis::Problem;
use contract::subject;
use engine::Ruleset;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use http::{HeaderMap, Method};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Access, Caller},
    routing::Routes,
};

pub use position::Position;
pub use telling::{Audience, Filter};

/// A comment this often keeps proxies from closing a quiet connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The header that a browser resumes with.
const LAST_EVENT_ID: &str = "last-event-id";

/// What followers are served from. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    pub bus: Option<Bus>,
    pub routes: Routes,
    pub access: Access,
    pub rules: Arc<Ruleset>,
    /// Ends all streams, so that the process can end.
    pub stop: CancellationToken,
}

/// `GET /api/v1/events`: `?filter=` narrows it, `Last-Event-ID` resumes it.
pub async fn follow(
    State(live): State<Live>,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may_use(&Method::GET)?;
    let filter = filter(&request)?
        .map(|source| Filter::parse(&source, live.rules.clone()))
        .transpose()
        .map_err(|message| Problem::invalid("/filter", "filter", message))?;
    let resumed = resumed(request.headers())?;
    let away =
        || Problem::unavailable("bus_unreachable", "Live events cannot be followed at the moment.");
    let bus = live.bus.clone().ok_or_else(away)?;
    let position = live.beginning(&bus, resumed).await.map_err(|error| {
        tracing::warn!(%error, "live events cannot be followed");
        away()
    })?;
    let streams: Vec<String> = position.0.keys().cloned().collect();
    let follower = Follower {
        arrivals: bus.tail(&streams, &position.0).boxed(),
        audience: audience_of(&caller, filter),
        headers: request.headers().clone(),
        position,
        live,
    };
    Ok(Sse::new(follower.told()).into_response())
}

fn audience_of(caller: &Caller, filter: Option<Filter>) -> Audience {
    let actor = caller.identity.actor.clone();
    Audience { reader: caller.identity.reader(), actor, filter }
}

impl Live {
    /// Where a follower begins: where it stood, and in streams that it did not know, now.
    async fn beginning(&self, bus: &Bus, resumed: Position) -> Result<Position, BusError> {
        let mut position = Position::default();
        for service in self.routes.now().descriptors().keys() {
            let stream = subject::stream(service);
            let seen = match resumed.0.get(&stream) {
                Some(seen) => *seen,
                None => bus.totals(&stream).await?.last_sequence,
            };
            position.advance(&stream, seen);
        }
        Ok(position)
    }
}

/// One open connection.
struct Follower {
    live: Live,
    headers: HeaderMap,
    arrivals: BoxStream<'static, Tailed>,
    audience: Audience,
    position: Position,
}

impl Follower {
    /// Begins with where it stands, so that a follower that has heard nothing yet can resume too.
    fn told(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        futures::stream::unfold((self, heartbeat), |(mut follower, mut heartbeat)| async move {
            let stop = follower.live.stop.clone();
            let event = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                _ = heartbeat.tick() => follower.alive().await,
                event = follower.next() => event,
            };
            event.map(|event| (Ok(event), (follower, heartbeat)))
        })
    }

    /// The next event that this follower is told.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let arrival = self.arrivals.next().await?;
            self.position.advance(&arrival.stream, arrival.sequence);
            if let Some(event) = self.audience.told(&arrival.event, &self.position) {
                return Some(event);
            }
        }
    }

    /// A sign of life with the present place; none, and the end, for who may not come in any more.
    async fn alive(&mut self) -> Option<Event> {
        match self.live.access.again(&self.headers).await {
            Ok(Some(caller)) => {
                let filter = self.audience.filter.take();
                self.audience = audience_of(&caller, filter);
            }
            Ok(None) => return None,
            // Who may come in cannot be told at the moment: as it was.
            Err(_) => {}
        }
        Some(Event::default().id(self.position.to_string()).comment("alive"))
    }
}

/// The one parameter that there is.
fn filter(request: &Request) -> Result<Option<String>, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|error| Problem::invalid("", "query", error.to_string()))?;
    let mut found = None;
    for (name, value) in pairs {
        match name.as_str() {
            "filter" if found.is_none() => found = Some(value),
            "filter" => {
                return Err(Problem::invalid("/filter", "twice", "`filter` stands twice."));
            }
            _ => {
                let message = format!("There is no parameter `{name}`; there is `filter`.");
                return Err(Problem::invalid(format!("/{name}"), "unknown_parameter", message));
            }
        }
    }
    Ok(found.filter(|filter| !filter.trim().is_empty()))
}

fn resumed(headers: &HeaderMap) -> Result<Position, Problem> {
    let Some(given) = headers.get(LAST_EVENT_ID) else { return Ok(Position::default()) };
    given
        .to_str()
        .map_err(|_| "it is no text".to_owned())
        .and_then(str::parse)
        .map_err(|message| Problem::invalid("/Last-Event-ID", "position", message))
}
