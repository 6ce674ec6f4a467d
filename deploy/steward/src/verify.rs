//! `steward verify`: the auditor's question whether anything was changed behind the system's back.

use kernel::Clock;

use crate::{
    cli::{Arguments, ServiceName},
    services,
};

pub async fn run(arguments: &Arguments, only: Option<ServiceName>) -> anyhow::Result<()> {
    let config = services::config(arguments, &[])?;
    let mut faults = 0;
    for name in ServiceName::ALL.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let service = name.service();
        let label = service.name;
        let (store, _) = chassis::open(&service, &config, &Clock::System).await?;
        let report = store.verify().await?;
        println!(
            "{label}: {} records, {} entries, {} refusals, {} faults",
            report.records,
            report.entries,
            report.refusals,
            report.faults.len()
        );
        for fault in &report.faults {
            println!("  {}, revision {}: {}", fault.number, fault.revision, fault.what);
        }
        faults += report.faults.len();
        store.close().await;
    }
    anyhow::ensure!(faults == 0, "{faults} faults were found");
    Ok(())
}
