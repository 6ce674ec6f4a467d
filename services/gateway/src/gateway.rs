//! The gateway as it runs: its access database, its doors, and what it learns of the services.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router, middleware,
    routing::{any, get},
};
use bus::{Bus, Publisher};
use chassis::{Config, Hand, Platform, Problem, Settles, Signer};
use contract::{Descriptor, subject};
use futures::StreamExt as _;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Console, OWN_SERVICE,
    access::{self, Access, Tickets, Token},
    chain, docs,
    intake::door::Intake,
    live::{self, Live},
    notify, openapi,
    routing::{Forwarder, Routes, Upstream, everywhere, switch},
    service,
};

/// Where the last good descriptors are kept in the data folder.
const DESCRIPTORS_FILE: &str = "descriptors.json";

/// What the gateway needs beside what every service stands on.
pub struct Surroundings {
    /// Vouches for callers; its public half is what the platform verifies with.
    pub signer: Signer,
    /// Services by name, where they are not to be found by what they say of themselves.
    pub upstreams: BTreeMap<String, Upstream>,
    /// What services of this process say of themselves.
    pub descriptors: Vec<watch::Receiver<Descriptor>>,
    /// The administrator's token; none reads or makes the one in the data folder.
    pub token: Option<String>,
    /// Moves the clock, where it is a manual one; the access database is put into it.
    pub hand: Option<Hand>,
    /// The web console's files.
    pub console: Console,
}

/// A gateway that runs.
pub struct Gateway {
    /// The whole HTTP surface, for use within the process.
    pub router: Router,
    /// Where it is served, if it is.
    pub address: Option<SocketAddr>,
    pub token: Token,
    /// Makes one-time links for whoever started this.
    pub tickets: Tickets,
    pub routes: Routes,
    own: chassis::Running,
    served: Option<JoinHandle<()>>,
    /// Ends live streams first, since they would never end by themselves.
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Gateway {
    /// Starts the access database and opens the door, at `platform.listen` if that is given.
    ///
    /// # Errors
    /// A taken port, a database that cannot be opened, an unusable administrator's token.
    pub async fn start(
        config: &Config,
        platform: &Platform,
        surroundings: Surroundings,
    ) -> anyhow::Result<Self> {
        let Surroundings { signer, mut upstreams, descriptors, token, hand, console } =
            surroundings;
        let listener = match platform.listen {
            Some(address) => Some(
                TcpListener::bind(address)
                    .await
                    .with_context(|| format!("the gateway cannot listen on {address}"))?,
            ),
            None => None,
        };
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let folder = &config.service.data_dir;
        let token = Token::open(token, folder).context("the administrator's token")?;

        // Its own records are served like any other service's, behind the same signed identity.
        let inside = Platform { listen: None, ..platform.clone() };
        let own = chassis::start(notify::heard(service(), &config.notify), config, &inside).await?;
        let owner = format!("notify-{}", uuid::Uuid::new_v4().simple());
        let sender = Arc::new(notify::Sender::new(&own.office, &config.notify, &owner)?);
        if let Some(hand) = &hand {
            hand.hold(own.settles());
            hand.hold(Arc::clone(&sender) as Arc<dyn Settles>);
        }
        upstreams.insert(OWN_SERVICE.to_owned(), Upstream::InProcess(own.router.clone()));
        let routes = Routes::open(upstreams, folder.join(DESCRIPTORS_FILE));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for described in [own.described.clone()].into_iter().chain(descriptors) {
            routes.learn(described.borrow().clone());
            tasks.spawn(follow(described, routes.clone(), stop.clone()));
        }
        tasks.spawn(sender.run(stop.clone()));
        let access =
            Access::new(own.office.store.clone(), platform.clock.clone(), routes.clone(), &token);
        if let Some(bus) = &platform.bus {
            tasks.spawn(learn(bus.clone(), routes.clone(), stop.clone()));
            tasks.spawn(notice_changes(bus.clone(), access.clone(), stop.clone()));
        }
        let publisher = platform.bus.clone().map(|bus| Publisher::new(bus, subject::ALERTS_STREAM));
        let tickets = Tickets::default();
        let forwarder = Forwarder::new(config.limits.body_bytes, config.limits.attachment_bytes)?;
        let doors = Doors {
            intake: Intake::new(publisher, platform.clock.clone()),
            live: Live {
                bus: platform.bus.clone(),
                routes: routes.clone(),
                access: access.clone(),
                rules: own.office.rules(),
                stop: stop.clone(),
            },
            desk: access::Desk::new(own.office.clone(), access.clone(), tickets.clone()),
            switch: switch::Switch { routes: routes.clone(), forwarder, signer, access },
            hand,
            console,
        };
        let gauge = chassis::request::Gauge::new(
            own.office.metrics.clone(),
            config.limits.requests_in_flight,
        );
        let router = chassis::dress(doors.router(), gauge, config.limits.body_bytes)
            .merge(chassis::life::router(&own.life));
        let served = listener.map(|listener| serve(listener, router.clone(), stop.clone()));
        Ok(Self { router, address, token, tickets, routes, own, served, stop, tasks })
    }

    /// Ends live streams, takes no more requests, finishes those in work, closes the database.
    pub async fn stop(self, drain: Duration) {
        self.own.life.drain();
        self.stop.cancel();
        if let Some(mut served) = self.served
            && tokio::time::timeout(drain, &mut served).await.is_err()
        {
            tracing::warn!(seconds = drain.as_secs(), "requests were still in work at the end");
            served.abort();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.own.stop(drain).await;
    }
}

struct Doors {
    intake: Intake,
    live: Live,
    desk: access::Desk,
    switch: switch::Switch,
    hand: Option<Hand>,
    console: Console,
}

impl Doors {
    fn router(self) -> Router {
        let clock = match &self.hand {
            Some(hand) => chassis::hand::router(hand),
            None => Router::new().route("/api/v1/clock", get(no_clock).post(no_clock)),
        };
        let document = get(openapi::whole).with_state(self.switch.clone());
        let let_in = middleware::from_fn_with_state(self.switch.access.clone(), access::let_in);
        Router::new()
            .merge(self.intake.router())
            .merge(clock)
            .merge(self.desk.router())
            .route("/api/v1/events", get(live::follow).with_state(self.live))
            .route("/api/v1/openapi.json", document)
            .route("/api/v1/definition.schema.json", get(docs::definition_schema))
            .route("/api/v1/processes", get(everywhere::processes).with_state(self.switch.clone()))
            .route("/api/v1/duties", get(everywhere::duties).with_state(self.switch.clone()))
            .route("/api/v1/chain/{number}", get(chain::chain).with_state(self.switch.clone()))
            .route("/api/v1/{*rest}", any(switch::forward).with_state(self.switch))
            .route_layer(let_in)
            .merge(self.desk.open_router())
            .merge(docs::router())
            .merge(self.console.router())
    }
}

async fn no_clock() -> Problem {
    Problem::new(
        http::StatusCode::NOT_FOUND,
        "clock",
        "The clock is the system's; only `--clock manual` has one to move.",
    )
}

fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    // The remote address is what failures to authenticate are counted by.
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "the listener failed");
        }
    })
}

/// Learns what a service of this process says of itself from now on.
async fn follow(
    mut described: watch::Receiver<Descriptor>,
    routes: Routes,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = described.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        routes.learn(described.borrow_and_update().clone());
    }
}

/// Learns what services on the bus say of themselves. Those of this process have said it already,
/// and what the bus keeps of them is of an earlier run.
async fn learn(bus: Bus, routes: Routes, stop: CancellationToken) {
    let mut told = bus.watch_descriptors();
    loop {
        for descriptor in told.borrow_and_update().values() {
            if !routes.is_in_process(&descriptor.service) {
                routes.learn(descriptor.clone());
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = told.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// Another replica of the gateway changed persons, groups or keys: its events say so before what is
/// remembered here grows old.
async fn notice_changes(bus: Bus, access: Access, stop: CancellationToken) {
    let mut changes = bus.tail(&[subject::stream(OWN_SERVICE)], &BTreeMap::new());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            change = changes.next() => match change {
                Some(_) => access.forget(),
                None => return,
            },
        }
    }
}
