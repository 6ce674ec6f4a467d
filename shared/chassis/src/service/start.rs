//! How a service comes to life: rules read, store opened, tasks begun, door opened.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, extract::DefaultBodyLimit, middleware};
use bus::{Bus, Consumption};
use contract::{Descriptor, ProcessDescriptor};
use engine::Ruleset;
use http::{HeaderMap, Method, StatusCode};
use kernel::Clock;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    Running, Service,
    catalogue::{self, Shipped},
    checkpoints,
    desk::Counter,
    glue::{Journal, StoreLeases},
    retries::Retries,
    running::Tasks,
    timers::Timers,
    upkeep,
};
use crate::{
    Config, Neighbours, Office, Platform, Problem, Seal, identity,
    life::{self, Health, Life},
    openapi, problem, records,
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
    let office = office(&service, config, platform).await?;
    let descriptor = describe(&service, config, &office.rules, address);

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
        on_the_bus(&office, bus, &descriptor, &counters, &owner, &tasks);
    }

    let life = Life::new(probe(&office.store, platform.bus.clone()));
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
    Ok(Running { router, address, descriptor, office, life, served, tasks })
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

async fn office(service: &Service, config: &Config, platform: &Platform) -> anyhow::Result<Office> {
    let (store, rules) = open(service, config, &platform.clock).await?;
    let metrics = Metrics::of(service.name);
    metrics.watch_commits(store.written());
    let (clock, bus) = (platform.clock.clone(), platform.bus.clone());
    let streams = service.hears.iter().map(|hears| hears.stream.clone());
    let neighbours = Neighbours::hearing(streams, bus.as_ref());
    let shows = Arc::new(service.shows.clone());
    let service = Arc::from(service.name);
    Ok(Office { service, store, rules, clock, metrics, bus, neighbours, shows })
}

/// Opens a service's store under its rules, and starts nothing else: what tools stand on.
///
/// # Errors
/// Definitions that do not load (every fault is named), or a database that cannot be opened.
pub async fn open(
    service: &Service,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<(Store, Arc<Ruleset>)> {
    std::fs::create_dir_all(&config.service.data_dir)
        .with_context(|| format!("{} cannot be made", config.service.data_dir.display()))?;
    let options = store::Options {
        url: config.database_url(service.name),
        service: service.name.to_owned(),
        writers: config.database.writers,
        max_batch: config.database.max_batch,
        connections: config.database.connections,
        countings: service.countings.clone(),
    };
    let shipped = Shipped {
        processes: &service.processes,
        schemes: &service.schemes,
        calculations: &service.calculations,
        over: config.service.definitions_dir.as_deref(),
    };
    let rules = catalogue::rules(shipped, &options, clock.now()).await;
    let rules = Arc::new(rules.with_context(|| format!("{} cannot start", service.name))?);
    let store = Store::open(options, Arc::clone(&rules), clock.clone())
        .await
        .with_context(|| format!("the database of {} cannot be opened", service.name))?;
    Ok((store, rules))
}

fn describe(
    service: &Service,
    config: &Config,
    rules: &Ruleset,
    address: Option<std::net::SocketAddr>,
) -> Descriptor {
    let url = match address {
        None => String::new(),
        Some(_) if !config.service.public_url.is_empty() => config.service.public_url.clone(),
        Some(address) => format!("http://{address}"),
    };
    let processes = rules.processes().map(|definition| ProcessDescriptor {
        process: definition.process.clone(),
        collection: definition.collection.clone(),
        prefix: definition.prefix.clone(),
        roles: definition.role_names(),
    });
    let mut paths = service.paths.clone();
    paths.push(format!("services/{}", service.name));
    Descriptor {
        service: service.name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url,
        processes: processes.collect(),
        paths,
    }
}

/// Relay, consumers and the descriptor: all wait for the bus, and nobody waits for them.
fn on_the_bus(
    office: &Office,
    bus: &Bus,
    descriptor: &Descriptor,
    counters: &[Arc<Counter>],
    owner: &str,
    tasks: &Tasks,
) {
    let leases = StoreLeases(office.store.clone());
    let service = office.service.to_string();
    tasks.running.spawn(upkeep::present(bus.clone(), descriptor.clone(), tasks.stop.clone()));
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
fn probe(store: &Store, bus: Option<Bus>) -> life::Probe {
    let store = store.clone();
    Arc::new(move || {
        let (store, bus) = (store.clone(), bus.as_ref().map(Bus::is_connected));
        Box::pin(async move {
            let asked = tokio::time::timeout(Duration::from_secs(2), store.ping()).await;
            Health { database: matches!(asked, Ok(Ok(()))), bus }
        })
    })
}
