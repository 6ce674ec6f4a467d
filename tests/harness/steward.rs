//! The binary under test: `steward`, built with what the tests are built with.

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    steward::run(steward::cli::Arguments::parse()).await
}
