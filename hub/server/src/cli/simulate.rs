//! `uzel simulator`: the providers over real HTTP, and a chat with a bot as its client.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use simulator::{Options, terminal};
use tokio_util::sync::CancellationToken;

use super::block_on;

#[derive(Debug, Args)]
pub struct SimulatorArguments {
    #[command(subcommand)]
    command: Option<SimulatorCommand>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    bind: String,
}

#[derive(Debug, Subcommand)]
enum SimulatorCommand {
    /// Write to a simulated bot as its client
    Chat {
        /// Where the simulator listens
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081")]
        url: String,
        /// Token of the bot [default: the ready-made bot]
        #[arg(long, value_name = "TOKEN")]
        token: Option<String>,
        /// The client's name
        #[arg(long, value_name = "NAME", default_value = "Катя")]
        name: String,
    },
}

pub fn run(arguments: SimulatorArguments) -> anyhow::Result<ExitCode> {
    block_on(async {
        match arguments.command {
            None => {
                let stop = CancellationToken::new();
                let serving =
                    simulator::serve(arguments.bind, Options::interactive(), stop.clone());
                tokio::select! {
                    served = serving => served?,
                    interrupted = tokio::signal::ctrl_c() => interrupted?,
                }
            }
            Some(SimulatorCommand::Chat { url, token, name }) => {
                let ready = Options::interactive().ready_bot.and_then(|bot| bot.token);
                let token = token.or(ready).unwrap_or_default();
                terminal::chat(&url, &token, &name).await?;
            }
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
