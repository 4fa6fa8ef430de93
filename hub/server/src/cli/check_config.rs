//! `uzel config check` and `uzel config print`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Common, print};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Tell whether the configuration is usable
    Check,
    /// Show every option, its value and where it comes from; secrets are not shown
    Print,
}

pub fn run(common: &Common, command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    let loaded = common.load(Vec::new())?;
    match command {
        ConfigCommand::Check => print("The configuration is usable.")?,
        ConfigCommand::Print => {
            let width = loaded
                .settings
                .iter()
                .map(|setting| setting.key.len() + setting.shown.chars().count() + 3)
                .filter(|width| *width <= 70)
                .max()
                .unwrap_or(0);
            for setting in &loaded.settings {
                let option = format!("{} = {}", setting.key, setting.shown);
                print(&format!("{option:width$}  # {}", setting.source))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
