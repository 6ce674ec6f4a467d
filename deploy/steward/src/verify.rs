//! `steward verify`: the auditor's question whether anything was changed behind the system's back.

use chassis::PublicKey;
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
        let store = chassis::open(&service, &config, &Clock::System).await?;
        let (_, public) = config.journal_keys(label);
        let key = PublicKey::read(&public);
        let genuine = |statement: &[u8], signature: &[u8]| {
            key.as_ref().is_ok_and(|key| key.has_signed(statement, signature))
        };
        let report = store.verify_signed(Some(&genuine)).await?;
        println!(
            "{label}: {} records, {} entries, {} refusals, {} faults",
            report.records,
            report.entries,
            report.refusals,
            report.faults.len()
        );
        if let Some(last) = &report.checkpoint {
            println!("  last: {}", last.statement(label));
            if let Err(ruined) = &key {
                println!("  no signature can be checked: {ruined}");
            }
        }
        for fault in &report.faults {
            println!("  {}, revision {}: {}", fault.number, fault.revision, fault.what);
        }
        faults += report.faults.len();
        store.close().await;
    }
    anyhow::ensure!(faults == 0, "faults found: {faults}");
    Ok(())
}
