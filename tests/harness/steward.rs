//! The binary under test: `steward`, built with what the tests are built with.

use std::process::ExitCode;

fn main() -> ExitCode {
    steward::main()
}
