//! How a service comes to life: rules read, store opened, tasks begun, door opened.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use anyhow::Context as _;
use axum::{Router, extract::DefaultBodyLimit, middleware};
use bus::{Bus, Consumption};
use engine::Ruleset;
use http::{HeaderMap, Method, StatusCode};
use kernel::Clock;
use store::Store;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    Running, Service,
    catalogue::{self, Shipped},
    checkpoints,
    describing::Describing,
    desk::Counter,
    following,
    glue::{Journal, StoreLeases},
    retries::Retries,
    running::Tasks,
    timers::Timers,
    upkeep,
};
use crate::{
    Config, Equipment, Neighbours, Office, Platform, Problem, Seal, identity,
    life::{self, Health, Life},
    migrations, openapi, problem, publications, records,
    request::{self, Gauge},
    telemetry::metrics::Metrics,
};

/// Starts a service on a platform.
///
/// # Errors
/// Definitions that do not load (every fault is named), a database that cannot be opened, an
/// address that is taken.
pub async fn start(
    service: Service,
    config: &Config,
    platform: &Platform,
) -> anyhow::Result<Running> {
    let name = service.name;
    // First, because a taken port is the likeliest fault and the cheapest to find.
    let listener = match platform.listen {
        Some(address) => Some(
            TcpListener::bind(address)
                .await
                .with_context(|| format!("{name} cannot listen on {address}"))?,
        ),
        None => None,
    };
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let office = office(&service, config, platform, address).await?;
    let described = office.describing.said();

    let stop = CancellationToken::new();
    let running = TaskTracker::new();
    let owner = format!("{name}-{}", uuid::Uuid::new_v4().simple());
    let Service { hears, routes, opened_elsewhere, documents, .. } = service;
    let tries = config.limits.delivery_tries;
    let counters: Vec<Arc<Counter>> = hears
        .into_iter()
        .map(|hears| Arc::new(Counter::new(&office, hears, tries, platform.bus.clone())))
        .collect();
    let tasks = Tasks {
        bus: platform.bus.clone(),
        consumers: counters.iter().map(|counter| counter.consumes()).collect(),
        timers: Arc::new(Timers::new(&office)),
        retries: Arc::new(Retries::new(&office, counters.clone(), &owner)),
        stop: stop.clone(),
        running: running.clone(),
        settled: Arc::new(AtomicU64::new(u64::MAX)),
        due: Arc::default(),
        office: office.clone(),
    };
    running.spawn(Arc::clone(&tasks.timers).run(stop.clone()));
    running.spawn(Arc::clone(&tasks.retries).run(stop.clone()));
    running.spawn(upkeep::run(office.clone(), config.limits.keep_keys_hours, stop.clone()));
    if config.journal.checkpoint_minutes > 0 {
        let (private, public) = config.journal_keys(name);
        let seal = Seal::open(&private, &public)?;
        let every = Duration::from_secs(60 * config.journal.checkpoint_minutes);
        running.spawn(checkpoints::run(office.clone(), seal, every, stop.clone()));
    }
    if let Some(bus) = &platform.bus {
        on_the_bus(&office, bus, &counters, &owner, &tasks);
    }

    running.spawn(following::run(office.clone(), stop.clone()));
    running.spawn(migrations::run(office.clone(), owner.clone(), stop.clone()));

    let life = Life::new(probe(&office, platform.bus.clone()));
    let mut api = records::router(&office, &opened_elsewhere);
    api = api.merge(openapi::router(&office, opened_elsewhere, documents));
    for make in routes {
        api = api.merge(make(&office));
    }
    let verifier = platform.verifier.clone();
    let api = api.route_layer(middleware::from_fn_with_state(verifier, identity::required));
    let gauge = Gauge::new(office.metrics.clone(), config.limits.requests_in_flight);
    let router = dress(api, gauge, config.limits.body_bytes).merge(life::router(&life));
    let served = listener.map(|listener| life::serve(listener, router.clone()));
    tracing::info!(service = name, address = ?address, "started");
    Ok(Running { router, address, described, office, life, served, tasks })
}

/// What every HTTP surface wears: request ids, spans, measures, problems, bounds.
pub fn dress(router: Router, gauge: Gauge, body_bytes: usize) -> Router {
    router
        .fallback(async || Problem::unknown())
        .method_not_allowed_fallback(other_method)
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(middleware::from_fn_with_state(gauge, request::observe))
}

/// OPTIONS is answered with what the path knows, which the router adds as `Allow`.
async fn other_method(method: Method, _: HeaderMap) -> Result<StatusCode, StatusCode> {
    if method == Method::OPTIONS {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(StatusCode::METHOD_NOT_ALLOWED)
    }
}

async fn office(
    service: &Service,
    config: &Config,
    platform: &Platform,
    address: Option<std::net::SocketAddr>,
) -> anyhow::Result<Office> {
    let (store, unfed) = fed(service, config, &platform.clock).await?;
    let metrics = Metrics::of(service.name);
    metrics.watch_commits(store.written());
    let (clock, bus) = (platform.clock.clone(), platform.bus.clone());
    let streams = service.hears.iter().map(|hears| hears.stream.clone());
    let neighbours = Neighbours::hearing(streams, bus.as_ref());
    let shows = service.shows.clone();
    let describing = Describing::new(service, url_of(config, address), &store.rules());
    let service = Arc::from(service.name);
    let needs_another = config.service.publishing_needs_another;
    let migrating = Notify::new();
    Ok(Office::from(Equipment {
        attachment_bytes: config.limits.attachment_bytes,
        describing,
        needs_another,
        migrating,
        service,
        store,
        unfed,
        clock,
        metrics,
        bus,
        neighbours,
        shows,
    }))
}

/// Opens a service's store as it is, under the rules that are in force there, and starts nothing: what
/// tools stand on.
///
/// # Errors
/// A database that cannot be opened.
pub async fn open(service: &Service, config: &Config, clock: &Clock) -> anyhow::Result<Store> {
    let options = options(service, config)?;
    let rules = catalogue::known(&options, service.calculations.clone()).await?;
    store(service, options, rules, clock).await
}

/// Makes or extends the tables of a service's database, before anybody uses a newer binary. What ships
/// comes into force with that binary, not here: whoever still runs the older one decides by its rules.
///
/// # Errors
/// A database that cannot be reached, or that is too new for this binary.
pub async fn prepare(service: &Service, config: &Config) -> anyhow::Result<()> {
    Store::prepare(&options(service, config)?)
        .await
        .with_context(|| format!("the database of {} cannot be prepared", service.name))
}

/// Feeds a service's database with its files and opens its store. Answers, too, what is wrong with
/// files of the folder that are not in force for it.
async fn fed(
    service: &Service,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<(Store, Vec<String>)> {
    let options = options(service, config)?;
    let own = [publications::FILE, migrations::FILE];
    let processes: Vec<_> = own.into_iter().chain(service.processes.iter().copied()).collect();
    let shipped = Shipped {
        processes: &processes,
        schemes: &service.schemes,
        calculations: &service.calculations,
        over: config.service.definitions_dir.as_deref(),
    };
    let rules = catalogue::rules(shipped, &options, clock.now()).await;
    let (rules, unfed) = rules.with_context(|| format!("{} cannot start", service.name))?;
    for fault in catalogue::faults(&rules) {
        tracing::error!(service = service.name, fault, "what is in force has a fault");
    }
    Ok((store(service, options, rules, clock).await?, unfed))
}

fn options(service: &Service, config: &Config) -> anyhow::Result<store::Options> {
    std::fs::create_dir_all(&config.service.data_dir)
        .with_context(|| format!("{} cannot be made", config.service.data_dir.display()))?;
    Ok(store::Options {
        url: config.database_url(service.name),
        service: service.name.to_owned(),
        writers: config.database.writers,
        max_batch: config.database.max_batch,
        connections: config.database.connections,
        countings: service.countings.clone(),
    })
}

async fn store(
    service: &Service,
    options: store::Options,
    rules: Ruleset,
    clock: &Clock,
) -> anyhow::Result<Store> {
    Store::open(options, Arc::new(rules), clock.clone())
        .await
        .with_context(|| format!("the database of {} cannot be opened", service.name))
}

/// Where the gateway reaches the service.
fn url_of(config: &Config, address: Option<std::net::SocketAddr>) -> String {
    match address {
        None => String::new(),
        Some(_) if !config.service.public_url.is_empty() => config.service.public_url.clone(),
        Some(address) => format!("http://{address}"),
    }
}

/// Relay, consumers and the descriptor: all wait for the bus, and nobody waits for them.
fn on_the_bus(office: &Office, bus: &Bus, counters: &[Arc<Counter>], owner: &str, tasks: &Tasks) {
    let leases = StoreLeases(office.store.clone());
    let service = office.service.to_string();
    tasks.running.spawn(upkeep::present(bus.clone(), office.describing.said(), tasks.stop.clone()));
    tasks.running.spawn(bus::relay(
        bus.clone(),
        service,
        Journal::new(&office.store),
        leases.clone(),
        owner.to_owned(),
        tasks.stop.clone(),
    ));
    for counter in counters {
        let (name, streams) = counter.consumes();
        let what = Consumption { name, streams, owner: owner.to_owned() };
        let (counter, leases) = (Arc::clone(counter), leases.clone());
        let consuming = bus::consume(bus.clone(), what, counter, leases, tasks.stop.clone());
        tasks.running.spawn(consuming);
    }
}

/// What `/readyz` asks, within two seconds.
fn probe(office: &Office, bus: Option<Bus>) -> life::Probe {
    let office = office.clone();
    Arc::new(move || {
        let (office, bus) = (office.clone(), bus.as_ref().map(Bus::is_connected));
        Box::pin(async move {
            let asked = tokio::time::timeout(Duration::from_secs(2), office.store.ping()).await;
            let mut faults = catalogue::faults(&office.rules());
            faults.extend_from_slice(&office.unfed);
            Health { database: matches!(asked, Ok(Ok(()))), bus, faults }
        })
    })
}
