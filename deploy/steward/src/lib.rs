//! One binary that runs every service: the launcher, `serve`, and the tools.

mod boot;
mod check;
pub mod cli;
mod console;
mod demo;
mod draw;
mod keys;
mod letters;
mod migrate;
mod prepare;
mod published;
mod remote;
mod serve;
mod services;
mod up;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

pub use boot::{Settings, Steward, boot};
pub use services::SERVICES;

/// A third of a command's time was the usual allocator's. This one gives out what was freed last, which is still
/// in the processor's cache.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Expressions are read and worked out as deep as they go: the deepest that a definition may hold
/// takes some three MiB in a build without optimisation.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// The whole program: reads the command line, does what it says, and tells what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = match threads.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("steward: no runtime could be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(arguments));
    // Nothing that is still in work may hold the process: what was acknowledged is on disk.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("steward: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the command line says, until it is done or asked to end.
///
/// # Errors
/// Why it could not, in words for the person at the terminal.
pub async fn run(arguments: cli::Arguments) -> anyhow::Result<()> {
    if arguments.is_tool() {
        sigpipe::reset();
    }
    match &arguments.command {
        None | Some(cli::Command::Up) => up::run(&arguments).await,
        Some(cli::Command::Serve { service }) => serve::run(&arguments, *service).await,
        Some(cli::Command::Prepare { service }) => prepare::run(&arguments, *service).await,
        Some(cli::Command::Keys { folder }) => keys::run(folder),
        Some(cli::Command::Check { files }) => check::run(files),
        Some(cli::Command::Diagram { file, picture }) => draw::run(file, *picture),
        Some(cli::Command::Schema) => {
            print!("{}", engine::FORMAT_SCHEMA);
            Ok(())
        }
        Some(cli::Command::Fetch { name, version, service, remote }) => {
            let caller = remote.caller(&arguments)?;
            published::fetch(&caller, name, service.as_deref(), version).await
        }
        Some(cli::Command::Publish { file, base, takes, service, remote }) => {
            let caller = remote.caller(&arguments)?;
            published::publish(&caller, file, base, *takes, service.as_deref()).await
        }
        Some(cli::Command::Diff { name, from, to, service, remote }) => {
            let caller = remote.caller(&arguments)?;
            published::diff(&caller, name, service.as_deref(), (from, to)).await
        }
        Some(cli::Command::Merge { name, service, remote }) => {
            published::merge(&remote.caller(&arguments)?, name, service.as_deref()).await
        }
        Some(cli::Command::Migrate { process, to, states, fields, go, remote }) => {
            let caller = remote.caller(&arguments)?;
            migrate::run(&caller, process, *to, (states, fields), *go).await
        }
        Some(cli::Command::DeadLetters { service, again, remote }) => {
            let caller = remote.caller(&arguments)?;
            match again.as_slice() {
                [consumer, message] => letters::again(&caller, service, consumer, message).await,
                _ => letters::list(&caller, service).await,
            }
        }
        Some(cli::Command::Verify { service }) => verify::run(&arguments, *service).await,
    }
}
