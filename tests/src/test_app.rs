//! The application in-process: a folder or a database of its own, a port of its own, a fake provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use channel_testkit::FakeChannel;
use hub_domain::{Clock, SystemClock};
use hub_server::actions::set_up;
use hub_server::app::{App, AppOptions};
use hub_server::config::{self, Inputs};
use hub_server::drivers::Drivers;
use hub_server::gateways::Gateways;
use hub_server::start;
use tokio::net::TcpListener;

use crate::{Browser, CodeRecorder, Database, TestCompany};

/// How long [`eventually`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a [`TestApp`] is started.
#[derive(Debug)]
pub struct TestAppBuilder {
    database: Database,
    flags: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
    drivers: Option<Drivers>,
}

impl TestAppBuilder {
    /// Sets an option of the configuration.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.flags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Time that the test moves.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The product's own drivers, for tests over the simulator.
    pub fn with_real_drivers(mut self, api_url: &str) -> Self {
        self = self.set("providers.telegram.api_url", api_url);
        self.drivers = None;
        self
    }

    pub async fn start(self) -> TestApp {
        let folder = tempfile::tempdir().expect("a folder");
        let database = (self.database == Database::Postgres)
            .then(|| test_services::create_database("hub_tests"));
        let data_dir = folder.path().to_str().expect("a path of text").to_owned();
        let mut flags = vec![
            ("server.data_dir".to_owned(), data_dir),
            ("server.shutdown_seconds".to_owned(), "5".to_owned()),
            ("security.allow_loopback_urls".to_owned(), "true".to_owned()),
        ];
        if let Some(database) = &database {
            flags.push(("database.url".to_owned(), database.url().to_owned()));
        }
        flags.extend(self.flags);
        let config = config::load(&Inputs { flags, ..Inputs::default() }).expect("good").config;

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let bound = listener.local_addr().expect("an address");
        let (codes, fake) = (CodeRecorder::default(), FakeChannel::new());
        fake.set_poll_wait(Duration::from_millis(200));
        let options = AppOptions {
            clock: self.clock,
            gateways: Some(Gateways::new(vec![Arc::new(codes.clone())])),
            drivers: self.drivers.map(|_| Drivers::of(vec![fake.driver()])),
            ..AppOptions::new(config, bound)
        };
        let app = App::open(options).await.expect("the application opens");
        app.store.migrate().await.expect("the database migrates");
        start::start(&app, Some(listener)).await.expect("the application starts");
        TestApp { app, base: format!("http://{bound}"), codes, fake, folder, database }
    }
}

/// A running application. Dropping it stops it and removes what it kept.
pub struct TestApp {
    pub app: App,
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    pub codes: CodeRecorder,
    /// The provider, unless the product's own drivers were asked for.
    pub fake: FakeChannel,
    folder: tempfile::TempDir,
    database: Option<test_services::Database>,
}

impl TestApp {
    pub fn builder(database: Database) -> TestAppBuilder {
        TestAppBuilder {
            database,
            flags: Vec::new(),
            clock: Arc::new(SystemClock),
            drivers: Some(Drivers::default()),
        }
    }

    pub async fn start(database: Database) -> Self {
        Self::builder(database).start().await
    }

    /// A browser that nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }

    /// Sets up a company with an administrator through a set-up link, or, when there is a company
    /// already, as `uzel admin bootstrap` does.
    pub async fn company(&self, name: &str, phone: &str) -> TestCompany {
        TestCompany::create(self, name, phone).await
    }

    /// The token of a set-up link, while there is no company.
    pub async fn set_up_token(&self) -> Option<String> {
        let link = set_up::make_set_up_link(&self.app).await.expect("a link can be made")?;
        link.rsplit('/').next().map(str::to_owned)
    }

    /// The folder of its data.
    pub fn data_dir(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The address of its database, where it is PostgreSQL.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(test_services::Database::url)
    }

    /// Ends as the first signal does.
    pub async fn stop(self) {
        self.app.lifecycle.drain();
        self.app.lifecycle.finished().await;
        self.app.store.close().await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.lifecycle.stop();
    }
}

/// Asks again and again until there is something; fails the test after 20 seconds.
#[track_caller]
pub fn eventually<'a, T, F>(
    what: &'a str,
    mut ask: impl FnMut() -> F + 'a,
) -> impl Future<Output = T> + 'a
where
    F: Future<Output = Option<T>>,
{
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?} ({caller})");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
