//! The binary `uzel`: reads the command line and runs a command.

use std::process::ExitCode;

use clap::Parser as _;

/// Many small pieces made by one thread and freed by another: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hub_server::cli::run(hub_server::cli::Arguments::parse())
}
