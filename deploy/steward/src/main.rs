//! `steward`: everything, one service, or a tool, as the command line says.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = steward::cli::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
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
