//! `uzel demo`: a sample company, its people and its clients in one process, until Ctrl-C.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use hub_domain::Role;
use tokio::net::TcpListener;

use super::{Common, block_on, print, serve};
use crate::demo::{Demo, DemoOptions, configure, prepare_folder, start};
use crate::telemetry::{self, Output};

/// Where the data of a demo lie unless another folder is given.
const FOLDER: &str = "data/demo";
/// What a demo says by itself is its last lines; the log keeps to warnings and to codes of sign-in.
const LOG: &str = "warn,hub_server::gateways=info";

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Go on with the data of the last time instead of beginning afresh
    #[arg(long)]
    keep: bool,
    /// Clients answer, but none writes by itself
    #[arg(long)]
    still: bool,
    /// The same number gives the same choices of the clients
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

pub fn run(common: &Common, arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    let mut flags = Vec::new();
    flags.extend(arguments.bind.map(|value| ("server.bind".to_owned(), value)));
    let asked = common.data_dir.clone().or_else(|| std::env::var("UZEL_SERVER__DATA_DIR").ok());
    flags.push(("server.data_dir".to_owned(), asked.unwrap_or_else(|| FOLDER.to_owned())));
    let mut config = common.load(flags)?.config;
    if std::env::var_os("UZEL_LOG__FILTER").is_none() {
        LOG.clone_into(&mut config.log.filter);
    }
    telemetry::start_logs(&config.log, Output::Stderr);
    configure(&mut config);
    let options =
        DemoOptions { keep: arguments.keep, still: arguments.still, seed: arguments.seed };
    block_on(async move {
        let bind: SocketAddr = config.server.bind.parse()?;
        let listener = TcpListener::bind(bind).await;
        let listener = listener.with_context(|| format!("cannot listen on {bind}"))?;
        if config.server.data_dir.join("uzel.lock").exists() {
            // Before anything is removed: a running demo keeps its data.
            drop(serve::lock(&config)?);
        }
        prepare_folder(&config.server.data_dir, options.keep)?;
        let _only = serve::lock(&config)?;
        let _ = telemetry::metrics();
        let demo = start(config, options, listener).await?;
        print_welcome(&demo)?;
        demo.finished().await;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn print_welcome(demo: &Demo) -> anyhow::Result<()> {
    print(&format!("\n  The demo is ready: {}, an invented company.\n", demo.company))?;
    print(
        "  Click a link to come in as that person (each works once, in a browser of its own):\n",
    )?;
    for seat in &demo.seats {
        let role = match seat.role {
            Role::Administrator => "administrator",
            Role::Operator => "operator",
        };
        print(&format!("    {:<16}{role:<15}{}", seat.name, seat.link))?;
    }
    print(&format!("\n  Be a visitor of its site: {}", demo.site))?;
    print(&format!(
        "  Be a client yourself:  {} simulator chat --url {} --token {}",
        std::env::args().next().unwrap_or_else(|| "uzel".to_owned()),
        demo.simulator_url,
        demo.bot_token
    ))?;
    print("  Ctrl-C stops everything.\n")
}
