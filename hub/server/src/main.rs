//! The binary `uzel`: reads the command line and runs a command.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    hub_server::cli::run(hub_server::cli::Arguments::parse())
}
