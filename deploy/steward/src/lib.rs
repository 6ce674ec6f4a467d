//! One binary that runs every service: the launcher, `serve`, and the tools.

mod boot;
mod check;
pub mod cli;
mod console;
mod draw;
mod serve;
mod services;
mod up;
mod verify;

pub use boot::{Settings, Steward, boot};

/// A third of a command's time was the usual allocator's; with this one it is a tenth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs what the command line says, until it is done or asked to end.
///
/// # Errors
/// Why it could not, in words for the person at the terminal.
pub async fn run(arguments: cli::Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        None | Some(cli::Command::Up) => up::run(&arguments).await,
        Some(cli::Command::Serve { service }) => serve::run(&arguments, *service).await,
        Some(cli::Command::Check { files }) => check::run(files),
        Some(cli::Command::Diagram { file, picture }) => draw::run(file, *picture),
        Some(cli::Command::Schema) => {
            print!("{}", engine::FORMAT_SCHEMA);
            Ok(())
        }
        Some(cli::Command::Verify { service }) => verify::run(&arguments, *service).await,
    }
}
