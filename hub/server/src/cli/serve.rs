//! `uzel serve`: builds the application, listens, and ends in two stages.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::{Common, block_on};
use crate::app::{App, AppOptions};
use crate::config::{Config, Role};
use crate::start;
use crate::telemetry::{self, Output};

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// What this process does: web, worker or both, separated by a comma
    #[arg(long, value_name = "ROLES")]
    roles: Option<String>,
    /// Address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
}

pub fn run(common: &Common, arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let mut flags = Vec::new();
    flags.extend(arguments.roles.map(|value| ("server.roles".to_owned(), value)));
    flags.extend(arguments.bind.map(|value| ("server.bind".to_owned(), value)));
    let config = common.load(flags)?.config;
    telemetry::start_logs(&config.log, Output::Stdout);
    block_on(serve(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let web = config.server.has_role(Role::Web);
    let bind: SocketAddr = config.server.bind.parse()?;
    // The port is taken first: links name it, and a second server fails before it touches anything.
    let listener = if web {
        let listener = TcpListener::bind(bind).await;
        Some(listener.with_context(|| format!("cannot listen on {bind}"))?)
    } else {
        None
    };
    let bound = listener.as_ref().map_or(Ok(bind), TcpListener::local_addr)?;
    let _ = telemetry::metrics();
    let app = App::open(AppOptions::new(config, bound)).await?;
    // Held until the process ends, however it ends.
    let _only = if app.store.is_embedded() { Some(lock(&app.config)?) } else { None };
    app.lifecycle.follow_signals();
    app.store.migrate().await.context("the database cannot be migrated")?;
    start::start(&app, listener).await?;
    app.lifecycle.finished().await;
    app.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// An embedded database has one server: a second one would take what the first has under way for
/// something that a crash left behind.
pub(super) fn lock(config: &Config) -> anyhow::Result<std::fs::File> {
    let path = config.server.data_dir.join("uzel.lock");
    let file = std::fs::File::create(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!(
            "another server works on {}: stop it, or use PostgreSQL for more than one",
            config.server.data_dir.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}
