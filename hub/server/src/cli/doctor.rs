//! `uzel doctor`: checks what the server stands on, one line each.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use hub_domain::{Clock as _, SystemClock};

use super::{Common, block_on, print};
use crate::app::open_store;
use crate::checks::{self, Check, Verdict};
use crate::config::Config;
use crate::files::Files;
use crate::telemetry::{self, Output};

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub fn run(common: &Common, arguments: &DoctorArguments) -> anyhow::Result<ExitCode> {
    let config = common.load(Vec::new())?.config;
    telemetry::start_logs(&config.log, Output::Stderr);
    let checks = block_on(check(&config))?;
    let healthy = checks.iter().all(Check::ok);
    if arguments.json {
        let answer = serde_json::json!({ "healthy": healthy, "checks": checks });
        print(&serde_json::to_string_pretty(&answer)?)?;
    } else {
        for check in &checks {
            let mark = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
            };
            print(&format!("{:<12} {mark:<8} {}", check.name, check.detail))?;
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(config: &Config) -> anyhow::Result<Vec<Check>> {
    let http = checks::http_client()?;
    let mut found = Vec::new();
    match open_store(config, Arc::new(SystemClock)).await {
        Ok((store, _)) => {
            found.push(checks::database(&store).await);
            store.close().await;
        }
        Err(error) => found.push(Check::failed("database", format!("{error:#}"))),
    }
    found.push(checks::bus(config).await);
    match Files::open(&config.files, config.files.location(&config.server)) {
        Ok(files) => found.push(checks::files(config, &files).await),
        Err(error) => found.push(Check::failed("files", format!("{error:#}"))),
    }
    let provider = &config.providers.telegram.api_url;
    found.push(checks::clock(SystemClock.now(), provider, &http).await);
    let bound = config.server.bind.parse()?;
    found.push(checks::public_url(&config.public_url(bound), &http).await);
    found.push(checks::disk(config));
    Ok(found)
}
