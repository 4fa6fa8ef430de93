//! Databases on a PostgreSQL server: one for each test, dropped with it.
//!
//! Speaks to the server through `psql`, so that this crate needs no driver.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::sync::OnceLock;

use crate::postgres::PostgresServer;

/// An empty database, dropped (with its connections) when this value is.
pub struct Database {
    server_url: String,
    name: String,
    url: String,
}

/// A fresh database on the shared server; the hint makes its name readable.
pub fn create_database(name_hint: &str) -> Database {
    Database::create(&postgres_url(), name_hint)
}

/// The PostgreSQL of `UZEL_TEST_POSTGRES_URL`, or one that this process starts once.
pub fn postgres_url() -> String {
    static OWN: OnceLock<PostgresServer> = OnceLock::new();
    match env::var("UZEL_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => OWN.get_or_init(PostgresServer::start_own).url(),
    }
}

impl Database {
    pub(crate) fn create(server_url: &str, name_hint: &str) -> Self {
        let name = unique_name(name_hint);
        psql(server_url, &format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("no database for the test: {error}"));
        Self { server_url: server_url.to_owned(), url: with_database(server_url, &name), name }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL from outside of the product; the answer is `psql`'s, unaligned, without headings.
    pub fn execute(&self, sql: &str) -> String {
        psql(&self.url, sql).unwrap_or_else(|error| panic!("SQL of a test failed: {error}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may have been killed by the test: then the database is gone with it.
        let _ =
            psql(&self.server_url, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set=ON_ERROR_STOP=1", "--command", sql, url])
        .env("PGCONNECT_TIMEOUT", "10")
        .output()
        .map_err(|error| format!("psql cannot be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
    }
}

/// Unique across the processes that share a server; PostgreSQL cuts names at 63 bytes.
fn unique_name(hint: &str) -> String {
    let readable: String = hint
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(32)
        .collect::<String>()
        .to_ascii_lowercase();
    let random = RandomState::new().hash_one(std::process::id());
    format!("test_{readable}_{random:016x}")
}

fn with_database(server_url: &str, name: &str) -> String {
    let (address, options) = match server_url.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (server_url, String::new()),
    };
    let host_starts = address.find("://").map_or(0, |at| at + 3);
    let host_ends = address[host_starts..].find('/').map_or(address.len(), |at| host_starts + at);
    format!("{}/{name}{options}", &address[..host_ends])
}

#[cfg(test)]
mod tests {
    use super::{unique_name, with_database};

    #[test]
    fn name_of_the_database_replaces_the_one_in_the_url() {
        for (given, expected) in [
            ("postgres://u:p@h:5/postgres", "postgres://u:p@h:5/mine"),
            ("postgres://u@h", "postgres://u@h/mine"),
            ("postgres://u@h/x?sslmode=require", "postgres://u@h/mine?sslmode=require"),
        ] {
            assert_eq!(with_database(given, "mine"), expected);
        }
    }

    #[test]
    fn names_are_plain_identifiers_and_differ() {
        let first = unique_name("Ingest; DROP TABLE \"x\" and a very long remark about it");
        let second = unique_name("Ingest; DROP TABLE \"x\" and a very long remark about it");
        assert_ne!(first, second);
        assert!(first.len() <= 63, "{first}");
        assert!(first.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }
}
