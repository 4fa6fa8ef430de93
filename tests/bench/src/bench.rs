//! What the figures share: where data lies, which servers stand by, how long things are measured.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use simulator::Simulator;
use tempfile::TempDir;
use test_services::{Database, PostgresServer};

use crate::installation::{Installation, Setup};
use crate::ledger::Ledger;
use crate::load::{Load, Until};
use crate::process::Process;
use crate::report::Report;
use crate::sessions::Door;

/// How thoroughly.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub quick: bool,
    pub repetitions: usize,
}

impl Scale {
    pub const fn of(quick: bool) -> Self {
        Self { quick, repetitions: 3 }
    }

    /// Seconds to measure for.
    pub const fn seconds(self, full: u64, quick: u64) -> Duration {
        Duration::from_secs(if self.quick { quick } else { full })
    }
}

pub struct Bench {
    pub binary: PathBuf,
    pub folder: TempDir,
    pub simulator: Simulator,
    pub scale: Scale,
    pub report: Report,
    postgres: Option<PostgresServer>,
    /// Size of an event of the product in a frame, with which the limit fills its own.
    event_bytes: Option<usize>,
}

impl Bench {
    pub async fn new(binary: PathBuf, parent: &Path, scale: Scale) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("uzel-bench-")
            // The database server runs as somebody else.
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in(parent)?;
        let simulator = Simulator::start("127.0.0.1:0").await?;
        let report = Report::default();
        Ok(Self { binary, folder, simulator, scale, report, postgres: None, event_bytes: None })
    }

    /// A PostgreSQL database with its durability on.
    pub fn postgres(&mut self, name: &str) -> Database {
        let parent = self.folder.path();
        self.postgres
            .get_or_insert_with(|| PostgresServer::start_durable(parent))
            .create_database(name)
    }

    pub async fn installation(&self, setup: Setup) -> anyhow::Result<Installation> {
        Installation::make(&self.binary, self.folder.path(), &self.simulator, setup).await
    }

    /// The bare limit on a database of its own.
    pub fn limit(&self, name: &str, setup: LimitSetup) -> anyhow::Result<Limit> {
        let folder = self.folder.path().join(format!("limit-{name}"));
        std::fs::create_dir_all(&folder)?;
        let url = setup
            .database_url
            .unwrap_or_else(|| format!("sqlite:{}", folder.join("limit.sqlite").display()));
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["limit", "--database", &url, "--synchronous", setup.synchronous])
            .args(["--event-bytes", &setup.event_bytes.to_string()]);
        if setup.whole_commits {
            command.arg("--whole-commits");
        }
        let process = Process::start(command).context("the bare limit")?;
        Ok(Limit { process })
    }

    /// How large an event of the product is, measured once.
    pub async fn event_bytes(&mut self) -> anyhow::Result<usize> {
        if let Some(bytes) = self.event_bytes {
            return Ok(bytes);
        }
        let setup = Setup { name: "event-size".to_owned(), companies: 1, ..Setup::default() };
        let mut installation = self.installation(setup).await?;
        let node = installation.serve()?;
        let load = installation.load(&[&node], 10);
        let door = installation.door(&node);
        let sessions = crate::sessions::Sessions::open(&[door], 1, 0).await?;
        let reading = sessions.read(load.all_chats(), 100, 1)?;
        load.saturate(&reading.ledger, 1, true, Until::Posted(50)).await?;
        crate::load::arrived(&reading.ledger).await;
        let events = reading.ledger.completed_count().max(1);
        let bytes = (reading.ledger.frame_bytes() / events) as usize - 90;
        node.stop()?;
        self.event_bytes = Some(bytes);
        Ok(bytes)
    }

    /// Has every chat written to once, so that what follows measures messages and not first contacts.
    pub async fn warm_up(&self, load: &Load) -> anyhow::Result<()> {
        let count = load.all_chats();
        let ledger = Arc::new(Ledger::new(0, 1, count, count as usize + 1000, 1));
        load.saturate(&ledger, 64, false, Until::Posted(count)).await?;
        anyhow::ensure!(ledger.refused_count() == 0, "webhooks were refused in the warm-up");
        Ok(())
    }
}

#[derive(Debug)]
pub struct LimitSetup {
    pub database_url: Option<String>,
    pub synchronous: &'static str,
    pub event_bytes: usize,
    /// One statement and one frame for all posts of a commit.
    pub whole_commits: bool,
}

impl LimitSetup {
    pub const fn sqlite(event_bytes: usize) -> Self {
        Self { database_url: None, synchronous: "full", event_bytes, whole_commits: false }
    }
}

pub struct Limit {
    pub process: Process,
}

impl Limit {
    pub fn door(&self) -> Door {
        Door {
            address: self.process.address,
            path: "/realtime",
            headers: String::new(),
            company: 1,
        }
    }

    pub fn load(&self, chats: u64) -> Load {
        let intake = crate::load::Intake {
            address: self.process.address,
            path: "/post".to_owned(),
            headers: "Content-Type: application/json\r\n".to_owned(),
        };
        Load::new(vec![intake], chats)
    }
}
