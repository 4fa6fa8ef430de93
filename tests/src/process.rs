//! The real binary: an installation (data, database, settings) and the processes that serve it.
//!
//! Knows the command line, the settings and the signals; nothing of what the server does. A process ends with
//! its value, and keeps its port over restarts, so that clients find it again.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hub_domain::CompanyId;
use serde::Deserialize;
use tempfile::TempDir;
use test_services as services;
use tokio::process::{Child, Command};

use crate::hub::Database;

const READY: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// Path of the binary: `UZEL_BIN`, or `uzel` in the folder that the tests were built into.
pub fn binary() -> PathBuf {
    let path = match env::var_os("UZEL_BIN") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => env::current_exe()
            .ok()
            .and_then(|test| Some(test.parent()?.parent()?.join("uzel")))
            .expect("a test runs from a folder below that of the binary"),
    };
    assert!(
        path.is_file(),
        "there is no binary at {}: build it (cargo build -p hub-server --bin uzel) or set UZEL_BIN",
        path.display()
    );
    path
}

/// What `admin bootstrap --json` prints, as far as needed.
#[derive(Debug, Deserialize)]
struct BootstrapOutput {
    company: BootstrapCompany,
    private_token: String,
}

#[derive(Debug, Deserialize)]
struct BootstrapCompany {
    id: CompanyId,
}

/// A company with an administrator's token.
#[derive(Debug, Clone)]
pub struct Administrator {
    pub company: CompanyId,
    pub token: String,
}

/// One database with its files and settings; what nodes share.
pub struct Installation {
    root: TempDir,
    database: Database,
    /// Dropped with the installation.
    _postgres: Option<services::Database>,
    settings: BTreeMap<String, String>,
}

impl Installation {
    /// An empty one. On PostgreSQL the database is fresh, and wake-ups go over the given Redis.
    pub fn new(database: Database, name: &str, redis_url: Option<&str>) -> Self {
        let root = TempDir::with_prefix("uzel-installation-").expect("a temporary folder");
        let mut settings = BTreeMap::new();
        let mut set = |key: &str, value: &str| settings.insert(key.to_owned(), value.to_owned());
        set("log.format", "json");
        // The key of a test guards nothing.
        set("security.master_key", &"5e".repeat(32));
        set("security.allow_loopback_urls", "true");
        set("files.url", &format!("file://{}", root.path().join("files").display()));
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => {
                let created = services::create_database(name);
                set("database.url", created.url());
                set("redis.url", redis_url.unwrap_or_default());
                set("redis.prefix", created.name());
                Some(created)
            }
        };
        fs::create_dir(root.path().join("files")).expect("a folder for files");
        Self { root, database, _postgres: postgres, settings }
    }

    pub fn database(&self) -> Database {
        self.database
    }

    /// Sets an option (`delivery.lease_seconds`) for the processes made from now on.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        self.settings.insert(key.to_owned(), value.to_string());
    }

    fn command(&self, data: &Path) -> Command {
        fs::create_dir_all(data).expect("a folder for data");
        let mut command = Command::new(binary());
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("UZEL_SERVER__DATA_DIR", data)
            .current_dir(data)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for (key, value) in &self.settings {
            command.env(format!("UZEL_{}", key.to_ascii_uppercase().replace('.', "__")), value);
        }
        command
    }

    fn data_of(&self, node: usize) -> PathBuf {
        self.root.path().join(format!("node-{node}"))
    }

    /// Makes sure that the company exists and that this phone belongs to an administrator of it.
    pub async fn bootstrap(&self, company: &str, phone: &str) -> Administrator {
        let output = self
            .command(&self.data_of(0))
            .args(["admin", "bootstrap", "--json", "--company", company, "--phone", phone])
            .output()
            .await
            .expect("the binary can be started");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "bootstrap failed: {error}");
        let printed: BootstrapOutput =
            serde_json::from_slice(&output.stdout).expect("bootstrap prints JSON");
        Administrator { company: printed.company.id, token: printed.private_token }
    }

    /// What `doctor --json` says, by the name of the check.
    pub async fn doctor(&self) -> serde_json::Value {
        let output = self
            .command(&self.data_of(0))
            .args(["doctor", "--json"])
            .output()
            .await
            .expect("the binary can be started");
        let printed: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("doctor prints JSON");
        let checks = printed["checks"].as_array().cloned().unwrap_or_default();
        let named = checks.into_iter().filter_map(|mut check| {
            let name = check.as_object_mut()?.remove("name")?;
            Some((name.as_str()?.to_owned(), check))
        });
        serde_json::Value::Object(named.collect())
    }

    /// A process to be started, with a port and a folder of its own. Node 0 keeps the data of an embedded
    /// database; there is no other one then.
    pub fn node(&self, number: usize) -> Node {
        let data = self.data_of(number);
        let port = free_port();
        let base_url = format!("http://127.0.0.1:{port}");
        let mut command = self.command(&data);
        command.arg("serve").env("UZEL_SERVER__BIND", format!("127.0.0.1:{port}"));
        if !self.settings.contains_key("server.public_url") {
            command.env("UZEL_SERVER__PUBLIC_URL", &base_url);
        }
        let log = self.root.path().join(format!("node-{number}.log"));
        Node { command, base_url, log, child: None }
    }
}

/// A server process, running or not.
pub struct Node {
    command: Command,
    base_url: String,
    log: PathBuf,
    child: Option<Child>,
}

impl Node {
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub const fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Starts the process without waiting for it.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "the node runs already");
        let log = File::options().create(true).append(true).open(&self.log).expect("a log file");
        let errors = log.try_clone().expect("a second handle of the log file");
        let child = self.command.stdout(log).stderr(errors).spawn();
        self.child = Some(child.expect("the binary can be started"));
    }

    /// Waits until the process says that it is ready.
    pub async fn ready(&mut self) {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()
            .expect("an HTTP client without special wishes can be built");
        let url = format!("{}/readyz", self.base_url);
        let deadline = Instant::now() + READY;
        while Instant::now() < deadline {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the node ended with {ended:?}:\n{}", self.complaints());
            tokio::time::sleep(LOOK).await;
        }
        panic!("the node was not ready in {READY:?}:\n{}", self.complaints());
    }

    /// SIGKILL: the process ends where it is. Returns when it is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("the node runs");
        child.kill().await.expect("a process of ours can be killed");
    }

    /// SIGTERM, without waiting.
    pub async fn terminate(&self) {
        let pid = self.child.as_ref().and_then(Child::id).expect("the node runs");
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM could not be sent");
    }

    /// Waits for the end of a process that was told to end.
    pub async fn ended(&mut self, longest: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("the node runs");
        let waited = tokio::time::timeout(longest, child.wait()).await;
        waited.expect("the node ends in time").expect("the node can be waited for")
    }

    /// The last warnings and errors of the log.
    pub fn complaints(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| {
                !line.contains(r#""level":"INFO""#) && !line.contains(r#""level":"DEBUG""#)
            })
            .collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// How often the log says this.
    pub fn log_count(&self, words: &str) -> usize {
        fs::read_to_string(&self.log).unwrap_or_default().matches(words).count()
    }
}

/// A port below those the kernel gives to connections, so that nobody takes it while the server is down.
fn free_port() -> u16 {
    let random = RandomState::new();
    (0_u32..1000)
        .map(|attempt| 20_000 + (random.hash_one(attempt) % 12_000) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free loopback port")
}
