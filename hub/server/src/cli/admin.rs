//! `uzel admin`: what an operator of the server does from a shell, beside a running server or without
//! one.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;
use hub_domain::{SystemClock, phone};
use hub_store::Store;
use secrecy::ExposeSecret as _;

use super::{Common, block_on, print};
use crate::actions::bootstrap::{Bootstrap, bootstrap};
use crate::actions::sign_in::make_sign_in_link;
use crate::app::open_store;
use crate::config::Config;
use crate::error::ApiError;
use crate::telemetry::{self, Output};

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make sure that a company and its administrator exist; print a one-time sign-in link and the
    /// administrator's private token
    Bootstrap {
        #[arg(long, value_name = "NAME")]
        company: String,
        /// Of the administrator, as +7 926 123-45-67
        #[arg(long, value_name = "PHONE")]
        phone: String,
        /// Of the administrator, when the person is new
        #[arg(long, default_value = "Администратор")]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a one-time link that signs somebody in
    SignInLink {
        #[arg(long, value_name = "PHONE")]
        phone: String,
    },
}

pub fn run(common: &Common, command: AdminCommand) -> anyhow::Result<ExitCode> {
    let config = common.load(Vec::new())?.config;
    telemetry::start_logs(&config.log, Output::Stderr);
    block_on(async {
        let (store, _) = open_store(&config, Arc::new(SystemClock)).await?;
        store.migrate().await?;
        match command {
            AdminCommand::Bootstrap { company, phone, name, json } => {
                let request = Bootstrap { company_name: company, phone, name };
                run_bootstrap(&config, &store, request, json).await?;
            }
            AdminCommand::SignInLink { phone } => print_link(&config, &store, &phone).await?,
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn run_bootstrap(
    config: &Config,
    store: &Store,
    request: Bootstrap,
    json: bool,
) -> anyhow::Result<()> {
    let done = bootstrap(store, config.sign_in.link_lifetime_hours, request).await?;
    let link = link(config, &done.sign_in_path)?;
    if json {
        let answer = serde_json::json!({
            "company": { "id": done.company.id, "name": done.company.name },
            "user": { "id": done.user_id, "phone": done.phone },
            "private_token": done.private_token.expose_secret(),
            "sign_in_link": link,
        });
        return print(&answer.to_string());
    }
    print(&format!("Company {}: {}", done.company.id, done.company.name))?;
    print(&format!("Administrator: +{}", done.phone))?;
    print(&format!("Private token: {}", done.private_token.expose_secret()))?;
    print(&format!("Sign in once, within {} h: {link}", config.sign_in.link_lifetime_hours))
}

async fn print_link(config: &Config, store: &Store, phone: &str) -> anyhow::Result<()> {
    let digits = phone::normalize(phone).context("this is not a phone number")?;
    let user = store.reader().await?.db().user_by_phone(&digits).await?;
    let user = user.context("nobody has a login with this number")?;
    let hours = config.sign_in.link_lifetime_hours;
    let path = store
        .write_system(move |tx| {
            Box::pin(async move { make_sign_in_link(tx, hours, user.id).await })
        })
        .await
        .map_err(|error: ApiError| anyhow::Error::new(error))?;
    print(&link(config, &path)?)
}

fn link(config: &Config, path: &str) -> anyhow::Result<String> {
    let url = config.public_url(config.server.bind.parse()?);
    Ok(format!("{}{path}", url.as_str().trim_end_matches('/')))
}
