//! Section `[database]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Problems, ServerConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronous {
    Full,
    Normal,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    pub url: SecretString,
    pub synchronous: Synchronous,
    pub read_connections: u32,
    pub write_queue: usize,
}

impl DatabaseConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let url = self.url.expose_secret();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        problems.require(
            url.is_empty() || known.iter().any(|scheme| url.starts_with(scheme)),
            "database.url",
            "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
        );
        problems.require(
            (1..=200).contains(&self.read_connections),
            "database.read_connections",
            "1 to 200",
        );
        problems.require(
            (16..=65_536).contains(&self.write_queue),
            "database.write_queue",
            "16 to 65536",
        );
    }

    /// The address of the database, `sqlite:` in the data folder unless set.
    pub fn resolved_url(&self, server: &ServerConfig) -> SecretString {
        if self.url.expose_secret().is_empty() {
            format!("sqlite:{}", server.data_dir.join("uzel.sqlite").display()).into()
        } else {
            self.url.clone()
        }
    }
}
