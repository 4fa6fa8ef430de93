//! `uzel migrate`: applies what `uzel serve` would apply at its start, or only names it.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use hub_domain::SystemClock;

use super::{Common, block_on, print};
use crate::app::open_store;
use crate::telemetry::{self, Output};

#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// Only name the migrations that are missing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(common: &Common, arguments: &MigrateArguments) -> anyhow::Result<ExitCode> {
    let config = common.load(Vec::new())?.config;
    telemetry::start_logs(&config.log, Output::Stderr);
    block_on(async {
        let (store, _) = open_store(&config, Arc::new(SystemClock)).await?;
        let pending = store.pending_migrations().await?;
        for name in &pending {
            print(&format!("{} {name}", if arguments.dry_run { "missing" } else { "applying" }))?;
        }
        if pending.is_empty() {
            print("The database is up to date.")?;
        } else if !arguments.dry_run {
            store.migrate().await?;
            print("The database is up to date now.")?;
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
