//! A PostgreSQL server of a test's own.

use std::fs;
use std::path::Path;

use crate::database::Database;
use crate::process::{Kind, Server};

const QUICK: Kind = Kind {
    name: "postgres",
    script: "run-postgres.sh",
    arguments: &["quick"],
    // "Immediate shutdown": every process of the server aborts, the next start recovers
    // from the log. SIGKILL would leave orphans that keep the shared memory.
    kill_signal: "QUIT",
    is_ready,
};

const DURABLE: Kind = Kind { arguments: &["durable"], ..QUICK };

/// A server that ends with this value, or with the process.
pub struct PostgresServer(Server);

impl PostgresServer {
    /// A server that survives [`kill`](Self::kill) but does not wait for the disk.
    pub fn start_own() -> Self {
        Self(Server::start(&QUICK, Path::new("/tmp")))
    }

    /// A server with its durability on and its data below `parent`, for measurements.
    pub fn start_durable(parent: &Path) -> Self {
        Self(Server::start(&DURABLE, parent))
    }

    /// Address of the maintenance database.
    pub fn url(&self) -> String {
        format!("postgres://uzel@127.0.0.1:{}/postgres", self.0.port())
    }

    /// Process id of the server, for those who measure its memory; `None` after a kill.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    pub fn create_database(&self, name_hint: &str) -> Database {
        Database::create(&self.url(), name_hint)
    }

    /// Aborts the server as a crash would. Does nothing when it is down already.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts it again on the same port with the same data; kills it first if it runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }
}

/// The server writes its state into the eighth line of its lock file.
fn is_ready(server: &Server, pid: u32) -> bool {
    let lock = server.directory().join("data/postmaster.pid");
    fs::read_to_string(lock).is_ok_and(|text| {
        let mut lines = text.lines();
        lines.next() == Some(pid.to_string().as_str())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    })
}
