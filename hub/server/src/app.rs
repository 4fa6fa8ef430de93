//! The long-lived parts of the process, built once and shared by everything that answers or works.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hub_domain::{Clock, SystemClock};
use hub_store::{Store, StoreOptions, Vault};
use ipnet::IpNet;
use secrecy::ExposeSecret as _;

use crate::bus::Bus;
use crate::config::{Config, Synchronous};
use crate::drivers::Drivers;
use crate::files::Files;
use crate::gateways::Gateways;
use crate::keys::MasterKey;
use crate::lifecycle::Lifecycle;
use crate::limits::Limits;
use crate::random;
use crate::webhook_channels::WebhookChannels;
use crate::widget::{VisitorLimits, Visitors};
use crate::ws::{self, Fanout};

/// Cheap to clone; every clone is the same application.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Parts>,
}

#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub lifecycle: Lifecycle,
    pub keys: Keys,
    pub store: Store,
    pub webhook_channels: WebhookChannels,
    pub gateways: Gateways,
    pub drivers: Drivers,
    pub files: Files,
    /// This process among all nodes.
    pub node: String,
    pub limits: Limits,
    pub bus: Bus,
    pub fanout: Fanout,
    /// Visitors of site widgets who are connected to this node.
    pub visitors: Visitors,
    pub visitor_limits: VisitorLimits,
    /// Proxies that are believed.
    pub trusted_networks: Vec<IpNet>,
    public_url: url::Url,
}

/// Keys made from the master key, each for one purpose.
#[derive(Debug)]
pub struct Keys {
    pub csrf: [u8; 32],
    pub sign_in_code: [u8; 32],
    pub widget: [u8; 32],
}

/// What an application is built from.
#[derive(Debug)]
pub struct AppOptions {
    pub config: Config,
    /// The address it listens on, which is its public one unless another is set.
    pub bound: SocketAddr,
    pub clock: Arc<dyn Clock>,
    /// Other ways of sending codes than the configured ones.
    pub gateways: Option<Gateways>,
    /// Other drivers than the configured ones.
    pub drivers: Option<Drivers>,
}

impl AppOptions {
    pub fn new(config: Config, bound: SocketAddr) -> Self {
        Self { config, bound, clock: Arc::new(SystemClock), gateways: None, drivers: None }
    }
}

impl App {
    /// Opens what the application stands on, without migrating anything.
    pub async fn open(options: AppOptions) -> anyhow::Result<Self> {
        let AppOptions { config, bound, clock, gateways, drivers } = options;
        let (store, master_key) = open_store(&config, Arc::clone(&clock)).await?;
        let lifecycle = Lifecycle::new(Duration::from_secs(config.server.shutdown_seconds));
        let bus = if config.redis.enabled() {
            let redis = &config.redis;
            Bus::redis(redis.url.expose_secret(), redis.ca_file(), &redis.prefix)?
        } else {
            Bus::in_process()
        };
        let settings = ws::Settings::from(&config.realtime);
        let parts = Parts {
            webhook_channels: WebhookChannels::new(store.clone()),
            fanout: Fanout::new(store.clone(), bus.clone(), lifecycle.clone(), settings),
            visitors: Visitors::new(store.clone(), lifecycle.clone()),
            visitor_limits: VisitorLimits::new(&config.widget),
            bus,
            lifecycle,
            keys: Keys {
                csrf: master_key.for_purpose("csrf"),
                sign_in_code: master_key.for_purpose("sign-in code"),
                widget: master_key.for_purpose("widget visitor"),
            },
            gateways: gateways.unwrap_or_else(|| Gateways::from_config(&config)),
            drivers: match drivers {
                Some(drivers) => drivers,
                None => Drivers::all(&config)?,
            },
            files: Files::open(&config.files, config.files.location(&config.server))
                .context("the file storage cannot be opened")?,
            node: random::short_id(),
            limits: Limits::new(&config.sign_in),
            trusted_networks: config.server.trusted_networks(),
            public_url: config.public_url(bound),
            clock,
            store,
            config,
        };
        Ok(Self { inner: Arc::new(parts) })
    }

    /// Starts what lets nodes and connections follow the log. Connections opened before wait for it.
    pub fn start_realtime(&self) {
        self.bus.start(&self.lifecycle, self.store.commits());
        self.fanout.start(Arc::new(self.clone()));
        self.visitors.start(&self.bus, self.fanout.passings());
    }

    /// Where people and providers reach the server; without a path.
    pub fn public_url(&self) -> &url::Url {
        &self.inner.public_url
    }

    /// An address under the public one.
    pub fn public_link(&self, path: &str) -> String {
        format!("{}{path}", self.inner.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether browsers are told to send cookies over TLS only.
    pub fn is_secure(&self) -> bool {
        self.inner.public_url.scheme() == "https"
    }

    /// The name of the session's cookie. The prefix makes browsers insist on TLS and this very host.
    pub fn session_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-uzel_session" } else { "uzel_session" }
    }

    /// The name of the cookie that ties a code to the browser that asked for it.
    pub fn pre_session_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-uzel_sign_in" } else { "uzel_sign_in" }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.inner
    }
}

/// Opens the store of a configuration, making the data folder and the master key when they are not
/// there.
pub async fn open_store(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(Store, MasterKey)> {
    let folder = &config.server.data_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let master_key = MasterKey::load(config)?;
    let url = config.database.resolved_url(&config.server);
    let options = StoreOptions {
        synchronous_full: config.database.synchronous == Synchronous::Full,
        readers: config.database.read_connections,
        write_queue: config.database.write_queue,
        ..StoreOptions::new(url.expose_secret())
    };
    let vault = Vault::new(master_key.secret());
    let store =
        Store::open(&options, vault, clock).await.context("the database cannot be opened")?;
    Ok((store, master_key))
}
