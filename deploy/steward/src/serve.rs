//! `steward serve`: one service, which finds the bus, its database and the gateway's key by configuration.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use chassis::{Platform, Signer, Verifier, identity, life, telemetry};
use gateway::{Gateway, Surroundings, access};

use crate::{
    cli::{Arguments, ClockChoice, ServiceName},
    console, services,
};

pub async fn run(arguments: &Arguments, name: ServiceName) -> anyhow::Result<()> {
    anyhow::ensure!(
        arguments.clock == ClockChoice::System,
        "a manual clock is shared by everything that runs, so it needs `steward up`"
    );
    anyhow::ensure!(
        !arguments.demo,
        "the demonstration is of all services, so it needs `steward up`"
    );
    let config = services::config(arguments, &[])?;
    let telemetry = telemetry::start(&config.telemetry, name.service().name)?;
    let drain = Duration::from_secs(config.service.drain_seconds);
    std::fs::create_dir_all(&config.service.data_dir)?;
    if name == ServiceName::Gateway {
        let folder = &config.service.data_dir;
        let file = |configured: &Option<std::path::PathBuf>, usual| {
            configured.clone().unwrap_or_else(|| folder.join(usual))
        };
        let private = file(&config.identity.private_key_file, identity::PRIVATE_KEY_FILE);
        let public = file(&config.identity.public_key_file, identity::PUBLIC_KEY_FILE);
        let signer = Signer::open(&private, &public)?;
        let platform = Platform {
            clock: arguments.clock.clock(),
            bus: chassis::connect(&config, "gateway").await?,
            verifier: Verifier::new(&signer.public_key()),
            listen: Some(listen(arguments, &config)),
        };
        let surroundings = Surroundings {
            signer,
            upstreams: BTreeMap::new(),
            descriptors: Vec::new(),
            token: std::env::var(access::TOKEN_VARIABLE).ok(),
            hand: None,
            console: console::console(arguments.console.as_deref()),
        };
        let gateway = Gateway::start(&config, &platform, surroundings).await?;
        told(name, gateway.address);
        life::asked_to_end().await;
        gateway.stop(drain).await;
    } else {
        let platform = Platform::of(&config, name.service().name).await?;
        let running = chassis::start(name.service(), &config, &platform).await?;
        told(name, running.address);
        life::asked_to_end().await;
        running.stop(drain).await;
    }
    telemetry.stop().await;
    Ok(())
}

/// The gateway listens where it is configured to, else on the port of the command line.
fn listen(arguments: &Arguments, config: &chassis::Config) -> SocketAddr {
    match config.service.listen {
        free if free.port() == 0 => SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        configured => configured,
    }
}

fn told(name: ServiceName, address: Option<SocketAddr>) {
    if let Some(address) = address {
        println!("{} is ready at http://{address}", name.service().name);
    }
}
