//! The product under measurement: the release binary with a database, companies and simulated bots of
//! its own, connected through its public interface as an administrator would.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::telegram::{BotSpec, CallFilter};

use crate::connection::Connection;
use crate::load::{Intake, Load};
use crate::process::Process;
use crate::sessions::Door;

const PHONE: &str = "+79261234567";
/// The same for all nodes of an installation; it protects nothing here.
const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const WEBHOOK_DEADLINE: Duration = Duration::from_secs(30);

/// How an installation is set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub name: String,
    /// Empty: SQLite in the folder.
    pub database_url: String,
    /// `full` unless given.
    pub synchronous: Option<&'static str>,
    pub companies: usize,
    pub redis_url: Option<String>,
}

/// A company with one channel.
#[derive(Debug, Clone)]
pub struct Place {
    pub company: i64,
    pub token: String,
    pub channel: i64,
    secret: String,
}

impl Place {
    pub fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.token)
    }
}

pub struct Installation {
    binary: PathBuf,
    folder: PathBuf,
    settings: Vec<(&'static str, String)>,
    pub database_url: String,
    pub places: Vec<Place>,
    /// Ids of messages that no run has used yet.
    next_message: u64,
}

impl Installation {
    /// Makes companies and connects their bots; no server runs afterwards.
    pub async fn make(
        binary: &Path,
        parent: &Path,
        simulator: &Simulator,
        setup: Setup,
    ) -> anyhow::Result<Self> {
        let folder = parent.join(&setup.name);
        std::fs::create_dir_all(&folder)?;
        let database_url = if setup.database_url.is_empty() {
            format!("sqlite:{}", folder.join("uzel.sqlite").display())
        } else {
            setup.database_url
        };
        let settings = vec![
            ("UZEL_SERVER__DATA_DIR", folder.display().to_string()),
            ("UZEL_DATABASE__URL", database_url.clone()),
            ("UZEL_DATABASE__SYNCHRONOUS", setup.synchronous.unwrap_or("full").to_owned()),
            ("UZEL_REDIS__URL", setup.redis_url.unwrap_or_default()),
            ("UZEL_PROVIDERS__TELEGRAM__API_URL", simulator.base_url()),
            ("UZEL_SECURITY__MASTER_KEY", MASTER_KEY.to_owned()),
            ("UZEL_SECURITY__ALLOW_LOOPBACK_URLS", "true".to_owned()),
            ("UZEL_REALTIME__CONNECTIONS", "20000".to_owned()),
            // All sessions of a benchmark are one administrator's.
            ("UZEL_REALTIME__CONNECTIONS_PER_USER", "20000".to_owned()),
            ("UZEL_LOG__FORMAT", "json".to_owned()),
            ("UZEL_LOG__FILTER", "info".to_owned()),
        ];
        let mut installation = Self {
            binary: binary.to_owned(),
            folder,
            settings,
            database_url,
            places: Vec::new(),
            next_message: 1,
        };
        let mut bootstrapped = Vec::new();
        for index in 0..setup.companies {
            bootstrapped.push(installation.bootstrap(&format!("Company {}", index + 1))?);
        }
        let node = installation.serve()?;
        for (company, token) in bootstrapped {
            let place = connect(&node, simulator, company, token).await?;
            installation.places.push(place);
        }
        node.stop()?;
        Ok(installation)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.folder);
        // What is set for the benchmark or for the person who runs it is not meant for the server.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("UZEL_") {
                command.env_remove(name);
            }
        }
        for (name, value) in &self.settings {
            command.env(name, value);
        }
        command
    }

    fn bootstrap(&self, company: &str) -> anyhow::Result<(i64, String)> {
        let output = self
            .command(&["admin", "bootstrap", "--json", "--company", company, "--phone", PHONE])
            .output()?;
        if !output.status.success() {
            bail!("bootstrap failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let company = answer["company"]["id"].as_i64().context("no company")?;
        let token = answer["private_token"].as_str().context("no token")?;
        Ok((company, token.to_owned()))
    }

    /// Starts a node.
    pub fn serve(&self) -> anyhow::Result<Process> {
        Process::start(self.command(&["serve", "--bind", "127.0.0.1:0"]))
    }

    /// Sessions of the first company.
    pub fn door(&self, node: &Process) -> Door {
        let place = &self.places[0];
        Door {
            address: node.address,
            path: "/api/v1/realtime",
            headers: place.bearer(),
            company: place.company,
        }
    }

    /// A load of new messages for all companies, spread over the nodes.
    pub fn load(&mut self, nodes: &[&Process], chats: u64) -> Load {
        let intakes = self.places.iter().flat_map(|place| {
            nodes.iter().map(|node| Intake {
                address: node.address,
                path: format!("/webhooks/telegram_bot/{}", place.channel),
                headers: format!(
                    "X-Telegram-Bot-Api-Secret-Token: {}\r\nContent-Type: application/json\r\n",
                    place.secret
                ),
            })
        });
        let first_message = self.next_message;
        self.next_message += 10_000_000;
        Load { first_message, ..Load::new(intakes.collect(), chats) }
    }
}

async fn connect(
    node: &Process,
    simulator: &Simulator,
    company: i64,
    token: String,
) -> anyhow::Result<Place> {
    let bot = simulator.telegram().create_bot(BotSpec::named("Bench"));
    let body = json!({ "kind": "telegram_bot", "credential": bot.token(), "intake": "webhook" });
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let path = format!("/api/v1/companies/{company}/channels");
    let mut connection = Connection::open(node.address).await?;
    let answer = connection.request("POST", &path, &headers, body.to_string().as_bytes()).await?;
    if answer.status != 201 {
        bail!("a channel was refused: {}", String::from_utf8_lossy(answer.body));
    }
    let channel: Value = serde_json::from_slice(answer.body)?;
    let channel = channel["id"].as_i64().context("no channel")?;
    // The secret is a matter between the hub and the provider: only the provider can tell it.
    let filter = CallFilter {
        method: Some("setWebhook".to_owned()),
        bot: Some(bot.id()),
        ok: Some(true),
        ..CallFilter::default()
    };
    let deadline = Instant::now() + WEBHOOK_DEADLINE;
    while Instant::now() < deadline {
        if let Some(call) = simulator.telegram().calls_where(&filter).last() {
            let secret = call.params["secret_token"].as_str().context("no secret")?.to_owned();
            return Ok(Place { company, token, channel, secret });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the webhook of a channel was not set")
}
