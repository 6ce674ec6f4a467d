//! `steward`: everything, one service, or a tool, as the command line says.

use std::process::ExitCode;

fn main() -> ExitCode {
    steward::main()
}
