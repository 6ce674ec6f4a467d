//! `steward`: everything, one service, or a tool, as the command line says.

use std::process::ExitCode;

use clap::Parser as _;

/// Expressions are read and worked out as deep as they go: the deepest that a definition may hold
/// takes some three MiB in a build without optimisation.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = steward::cli::Arguments::parse();
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = match threads.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("steward: no runtime could be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(steward::run(arguments));
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
