//! `steward keys`: the key pairs of a platform in one folder, for operators who hand them out as secrets.

use std::path::Path;

use chassis::{Config, Seal, Signer, identity};

use crate::cli::ServiceName;

/// Makes what is missing; what is there stays.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let config = Config::of(&[("service.data_dir", folder.display().to_string())])?;
    let file = |name: &str| folder.join(name);
    let _ = Signer::open(&file(identity::PRIVATE_KEY_FILE), &file(identity::PUBLIC_KEY_FILE))?;
    println!("{}: identities, for the gateway alone", identity::PRIVATE_KEY_FILE);
    for name in ServiceName::ALL {
        let service = name.service().name;
        let (private, public) = config.journal_keys(service);
        let _ = Seal::open(&private, &public)?;
        println!("{service}-journal.key: the journal of {service}");
    }
    Ok(())
}
