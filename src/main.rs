//! Calls the command line and turns its result into an exit code: 0 done, 1 failed, 2 misuse.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
