//! Everything in one process: a nats-server of our own, every service, the gateway in front.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use bus::{
    Bus,
    server::{Search, Server},
};
use chassis::{Config, Hand, Platform, Running, Signer, Verifier, identity};
use gateway::{Console, Gateway, Surroundings};
use kernel::Clock;
use tokio::net::TcpListener;

use crate::cli::ServiceName;

/// How long the bus may take to be there; a fetched server starts within a tenth of a second.
const BUS_WITHIN: Duration = Duration::from_secs(30);
/// Requests in work may take this long to finish when everything stops.
const DRAIN: Duration = Duration::from_millis(1_500);

/// What [`boot`] starts.
#[derive(Debug)]
pub struct Settings {
    /// Data folder, databases, limits. An empty `bus.url` starts a nats-server of our own.
    pub config: Config,
    /// The gateway's port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    pub clock: Clock,
    /// The administrator's token; none reads or makes the one in the data folder.
    pub admin_token: Option<String>,
    /// Where a nats-server is looked for.
    pub search: Search,
    /// The web console's files.
    pub console: Console,
}

/// All of Steward, running.
pub struct Steward {
    /// `http://127.0.0.1:8080`
    pub url: String,
    pub gateway: Gateway,
    /// Every service but the gateway.
    pub services: Vec<Running>,
    /// The nats-server, where it is ours.
    pub server: Option<Server>,
    pub hand: Hand,
    clock: Clock,
    clock_file: PathBuf,
    bus: Bus,
}

/// Starts everything and returns when all of it is ready. `say` hears what is going on, in
/// sentences for a person.
///
/// # Errors
/// A taken port, no nats-server to be had, a definition that does not load, a database that cannot
/// be opened: each says what to do.
pub async fn boot(
    settings: Settings,
    say: &mut (dyn FnMut(String) + Send),
) -> anyhow::Result<Steward> {
    let Settings { mut config, port, clock, admin_token, search, console } = settings;
    // First, because a taken port is the likeliest fault and the cheapest to find.
    let listen = free(port).await?;
    let folder = config.service.data_dir.clone();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let clock_file = folder.join("clock");
    if let Some(stood) =
        std::fs::read_to_string(&clock_file).ok().and_then(|text| text.trim().parse().ok())
    {
        clock.move_to(stood);
    }

    let server = own_server(&mut config, &search, say).await?;
    let bus = chassis::connect(&config, "steward").await?.context("bus.url is empty")?;
    let signer = Signer::open(
        &folder.join(identity::PRIVATE_KEY_FILE),
        &folder.join(identity::PUBLIC_KEY_FILE),
    )?;
    // Credentials live in real time, also where the clock is moved.
    let verifier = Verifier::new(&signer.public_key());
    let platform =
        Platform { clock: clock.clone(), bus: Some(bus.clone()), verifier, listen: None };

    let hand = Hand::new(clock.clone());
    let mut surroundings = Surroundings {
        signer,
        upstreams: std::collections::BTreeMap::new(),
        descriptors: Vec::new(),
        token: admin_token,
        hand: Some(hand.clone()),
        console,
    };
    let mut services = Vec::new();
    for name in ServiceName::ALL.into_iter().filter(|name| *name != ServiceName::Gateway) {
        let service = name.service();
        say(format!("Starting {}.", service.name));
        let running = chassis::start(service, &config, &platform).await?;
        hand.hold(running.settles());
        let upstream = gateway::routing::Upstream::InProcess(running.router.clone());
        surroundings.upstreams.insert(running.office.service.to_string(), upstream);
        surroundings.descriptors.push(running.described.clone());
        services.push(running);
    }
    say("Starting the gateway.".to_owned());
    let door = Platform { listen: Some(listen), ..platform };
    let gateway = Gateway::start(&config, &door, surroundings).await?;
    ready(&bus, &services).await?;
    let address = gateway.address.unwrap_or(listen);
    let url = format!("http://{address}");
    Ok(Steward { url, gateway, services, server, hand, clock, clock_file, bus })
}

/// The address of a port on this machine that nobody uses.
///
/// # Errors
/// When somebody does.
pub(crate) async fn free(port: u16) -> anyhow::Result<SocketAddr> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(listen).await.map(drop).with_context(|| {
        format!("port {port} is taken; stop what uses it, or choose another with --port")
    })?;
    Ok(listen)
}

/// A nats-server of our own, where no other is configured.
async fn own_server(
    config: &mut Config,
    search: &Search,
    say: &mut (dyn FnMut(String) + Send),
) -> anyhow::Result<Option<Server>> {
    if !config.bus.url.is_empty() {
        return Ok(None);
    }
    let binary = search.find(say).await?;
    say(format!("Starting {}.", binary.display()));
    let server = Server::start(&binary, &config.service.data_dir.join("nats")).await?;
    config.bus.url = server.address().expose().into();
    config.bus.synced = true;
    Ok(Some(server))
}

/// Waits until every stream is there: from then on the intake can take alerts.
async fn ready(bus: &Bus, services: &[Running]) -> anyhow::Result<()> {
    let all = async {
        bus.connected().await;
        for service in services {
            bus.ensure(&service.office.service).await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(BUS_WITHIN, all).await.map_err(|_| {
        anyhow::anyhow!(
            "the message bus did not answer within {} s; is the NATS server there?",
            BUS_WITHIN.as_secs()
        )
    })?
}

impl Steward {
    /// Stops everything in order, within 5 seconds: first who sends work, then who does it.
    pub async fn stop(self) {
        self.gateway.stop(DRAIN).await;
        futures::future::join_all(self.services.into_iter().map(|service| service.stop(DRAIN)))
            .await;
        if self.clock.is_manual()
            && let Err(error) = std::fs::write(&self.clock_file, self.clock.now().to_rfc3339())
        {
            tracing::warn!(%error, "where the manual clock stood could not be kept");
        }
        self.bus.close().await;
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}
