//! Commands of the binary, one file each. They read flags, build what they need and print an answer;
//! what they do is done by the same code that serves requests.

mod admin;
mod check_config;
#[cfg(feature = "simulator")]
mod demo;
mod doctor;
mod migrate;
mod openapi;
mod serve;
#[cfg(feature = "simulator")]
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Inputs, Loaded};

/// Self-hosted hub for messengers: nothing lost, nothing doubled, nothing out of order.
#[derive(Debug, Parser)]
#[command(name = "uzel", version, propagate_version = true)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Common {
    /// Configuration file [default: UZEL_CONFIG, else uzel.toml in the working directory]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Folder of the embedded database, the files and the generated key
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<String>,
    /// Address under which people and providers reach the server
    #[arg(long, value_name = "URL", global = true)]
    public_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArguments),
    /// Apply the database's migrations
    Migrate(migrate::MigrateArguments),
    /// Tell whether database, bus, files, clock, public URL and disk are fit
    Doctor(doctor::DoctorArguments),
    /// Make companies, administrators and sign-in links
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(check_config::ConfigCommand),
    /// Play the providers, so that nobody needs an account anywhere (development builds)
    #[cfg(feature = "simulator")]
    Simulator(simulate::SimulatorArguments),
    /// Serve an invented company whose clients write and answer (development builds)
    #[cfg(feature = "simulator")]
    Demo(demo::DemoArguments),
    /// Print the OpenAPI document
    #[command(hide = true)]
    Openapi,
}

impl Common {
    fn load(&self, mut flags: Vec<(String, String)>) -> Result<Loaded, config::ConfigError> {
        let given = [("server.data_dir", &self.data_dir), ("server.public_url", &self.public_url)];
        for (key, value) in given {
            flags.extend(value.clone().map(|value| (key.to_owned(), value)));
        }
        config::load(&Inputs::from_process(self.config.clone(), flags))
    }
}

/// Runs `work` on a runtime of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Runs the command; errors go to standard error.
pub fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Serve(serve) => serve::run(&arguments.common, serve),
        Command::Migrate(migrate) => migrate::run(&arguments.common, &migrate),
        Command::Doctor(doctor) => doctor::run(&arguments.common, &doctor),
        Command::Admin(command) => admin::run(&arguments.common, command),
        Command::Config(command) => check_config::run(&arguments.common, &command),
        #[cfg(feature = "simulator")]
        Command::Simulator(arguments) => simulate::run(arguments),
        #[cfg(feature = "simulator")]
        Command::Demo(demo) => demo::run(&arguments.common, demo),
        Command::Openapi => openapi::run(),
    };
    done.unwrap_or_else(|error| {
        print_error(&error);
        ExitCode::FAILURE
    })
}

fn print_error(error: &anyhow::Error) {
    use std::io::Write as _;
    // With nowhere to write to there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "uzel: {error:#}");
}

/// Prints a line of an answer; a reader that went away ends the command.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
