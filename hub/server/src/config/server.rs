//! Section `[server]`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::Problems;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers HTTP and WebSockets.
    Web,
    /// Makes deliveries, polls channels, tidies up.
    Worker,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    pub bind: String,
    pub public_url: String,
    pub data_dir: PathBuf,
    pub roles: Vec<Role>,
    pub trusted_proxies: Vec<String>,
    pub shutdown_seconds: u64,
}

impl ServerConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let address = self.bind.parse::<SocketAddr>();
        problems.require(
            address.is_ok(),
            "server.bind",
            "an address with a port, as 127.0.0.1:8080",
        );
        if !self.public_url.is_empty() {
            problems.require_http_url(&self.public_url, "server.public_url");
            let bare = url::Url::parse(&self.public_url).is_ok_and(|url| url.path() == "/");
            problems.require(bare, "server.public_url", "without a path");
        }
        let folder = !self.data_dir.as_os_str().is_empty();
        problems.require(folder, "server.data_dir", "a folder");
        problems.require(!self.roles.is_empty(), "server.roles", "`web`, `worker` or both");
        problems.require(
            self.trusted_proxies.iter().all(|text| network(text).is_some()),
            "server.trusted_proxies",
            "addresses or networks, as 10.0.0.0/8",
        );
    }

    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The networks of `trusted_proxies`.
    pub fn trusted_networks(&self) -> Vec<IpNet> {
        self.trusted_proxies.iter().filter_map(|text| network(text)).collect()
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
