//! A Redis server of a test's own, and the shared one.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Kind, Server};

const KIND: Kind =
    Kind { name: "redis", script: "run-redis.sh", arguments: &[], kill_signal: "KILL", is_ready };

/// The same behind TLS, and only behind it.
const TLS: Kind = Kind { arguments: &["tls"], is_ready: listens, ..KIND };

/// A server that ends with this value, or with the process.
pub struct RedisServer(Server);

impl RedisServer {
    pub fn start_own() -> Self {
        Self(Server::start(&KIND, Path::new("/tmp")))
    }

    /// With a certificate that only an authority of its own vouches for: [`Self::authority`].
    pub fn start_own_with_tls() -> Self {
        Self(Server::start(&TLS, Path::new("/tmp")))
    }

    pub fn url(&self) -> String {
        let scheme = if self.authority().exists() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.0.port())
    }

    /// File with the certificate of whoever vouches for this server, where it has TLS.
    pub fn authority(&self) -> PathBuf {
        self.0.directory().join("authority.pem")
    }

    /// Process id of the server; `None` after a kill.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// Ends the server at once; connections break. Does nothing when it is down already.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts it again, empty, on the same port; kills it first if it runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }
}

/// The Redis of `UZEL_TEST_REDIS_URL`, or one that this process starts once.
///
/// Other tests publish there too: what a test hears may not be meant for it.
pub fn redis_url() -> String {
    static OWN: OnceLock<RedisServer> = OnceLock::new();
    match env::var("UZEL_TEST_REDIS_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => OWN.get_or_init(RedisServer::start_own).url(),
    }
}

fn listens(server: &Server, _pid: u32) -> bool {
    TcpStream::connect(("127.0.0.1", server.port())).is_ok()
}

fn is_ready(server: &Server, _pid: u32) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG")
    };
    ask().unwrap_or(false)
}
