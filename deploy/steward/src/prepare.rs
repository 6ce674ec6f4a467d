//! `steward prepare`: the tables of the databases, made or extended before a newer version runs.

use crate::{
    cli::{Arguments, ServiceName},
    services,
};

pub async fn run(arguments: &Arguments, service: Option<ServiceName>) -> anyhow::Result<()> {
    let config = services::config(arguments, &[])?;
    for name in ServiceName::ALL.into_iter().filter(|name| service.is_none_or(|one| one == *name)) {
        let service = name.service();
        chassis::prepare(&service, &config).await?;
        println!("{}: its tables are those of this version", service.name);
    }
    Ok(())
}
