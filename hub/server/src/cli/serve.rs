//! `uzel serve`: builds the application, listens, and ends in two stages.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use hub_domain::SystemClock;
use tokio::net::TcpListener;

use super::Common;
use crate::app::{App, Parts};
use crate::config::{Config, Role};
use crate::keys::MasterKey;
use crate::lifecycle::Lifecycle;
use crate::telemetry::{self, Output};
use crate::{listen, router};

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
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?
        .block_on(serve(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.server.data_dir).with_context(|| {
        format!("the data folder {} cannot be made", config.server.data_dir.display())
    })?;
    let lifecycle = Lifecycle::new(Duration::from_secs(config.server.shutdown_seconds));
    lifecycle.follow_signals();
    let master_key = MasterKey::load(&config)?;
    let _ = telemetry::metrics();
    let web = config.server.has_role(Role::Web);
    let bind = config.server.bind.clone();
    let app = App::new(Parts {
        config,
        clock: Arc::new(SystemClock),
        lifecycle: lifecycle.clone(),
        master_key,
    });

    if web {
        let listener =
            TcpListener::bind(&bind).await.with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr()?;
        let router = router::router(app.clone());
        let accepting = lifecycle.clone();
        lifecycle.spawn("listener", listen::serve(listener, router, accepting));
        tracing::info!(address = %address, "listening");
    }
    lifecycle.finished().await;
    tracing::info!("stopped");
    Ok(())
}
