//! What nodes tell each other: "company 7 is at 4711", who is typing, who signed out.
//!
//! Everything here is a hint or passes by. The truth is the log in the database, so a message that gets
//! lost costs time (a sweep of the log finds what it spoke of), never an event. What this node did
//! itself it knows without the bus: [`Bus::subscribe`] tells only of the others.

mod redis;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hub_domain::{ChannelId, CompanyId, Ephemeral, SessionId};
use hub_store::Commit;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};

use crate::config::RedisConfig;
use crate::lifecycle::Lifecycle;
use crate::random;

/// Signals that wait for a receiver; who falls behind by more starts with [`Signal::Resync`].
const SIGNALS: usize = 4096;
/// Things that wait to be published. Above it they are dropped: they are hints or pass by.
const OUTBOX: usize = 1024;

/// What another node said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The company's log reaches `offset` now.
    Hint { company_id: CompanyId, offset: i64 },
    /// There are deliveries to look at.
    Deliveries,
    /// A member types or looks at something.
    Ephemeral(Passing),
    /// A login session ended.
    SignedOut(SessionId),
    /// Something may have been missed: look everywhere.
    Resync,
}

/// Something members see of each other, on its way to their connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passing {
    pub company_id: CompanyId,
    /// The channel of the conversation it is about: who does not see one does not see the other.
    pub channel_id: Option<ChannelId>,
    pub ephemeral: Ephemeral,
}

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("redis.url cannot be used: {0}")]
    Url(#[source] ::redis::RedisError),
    #[error("redis.ca_file {} cannot be used: {reason}", .path.display())]
    CaFile { path: PathBuf, reason: String },
}

/// A client for Redis as it is configured, for whoever asks whether it is there.
pub fn redis_client(config: &RedisConfig) -> Result<::redis::Client, BusError> {
    redis::client(config.url.expose_secret(), config.ca_file())
}

/// The way to the other nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    signals: broadcast::Sender<Signal>,
    remote: Option<Remote>,
}

#[derive(Debug)]
struct Remote {
    client: ::redis::Client,
    topic: String,
    /// Tells our own messages from those of others.
    node: String,
    outbox: mpsc::Sender<Outgoing>,
    /// Taken by the task when it starts.
    waiting: std::sync::Mutex<Option<mpsc::Receiver<Outgoing>>>,
    healthy: AtomicBool,
}

#[derive(Debug)]
enum Outgoing {
    Ephemeral(Passing),
    SignedOut(SessionId),
}

impl Bus {
    /// One node: there are no others.
    pub fn in_process() -> Self {
        Self::of(None)
    }

    /// Many nodes over Redis pub/sub. That Redis is away is no error, neither now nor later.
    pub fn redis(url: &str, ca_file: Option<&Path>, prefix: &str) -> Result<Self, BusError> {
        let client = redis::client(url, ca_file)?;
        let (outbox, waiting) = mpsc::channel(OUTBOX);
        Ok(Self::of(Some(Remote {
            client,
            topic: format!("{prefix}:signals"),
            node: random::short_id(),
            outbox,
            waiting: std::sync::Mutex::new(Some(waiting)),
            healthy: AtomicBool::new(false),
        })))
    }

    fn of(remote: Option<Remote>) -> Self {
        let (signals, _) = broadcast::channel(SIGNALS);
        Self { inner: Arc::new(Inner { signals, remote }) }
    }

    /// Begins to exchange signals: those of `commits` go out, those of other nodes come in.
    pub fn start(&self, lifecycle: &Lifecycle, commits: broadcast::Receiver<Commit>) {
        let Some(remote) = &self.inner.remote else { return };
        let waiting =
            remote.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            lifecycle.spawn_until_draining("bus", redis::run(self.clone(), waiting, commits));
        }
    }

    /// What other nodes say from now on. After `Lagged`, act as on [`Signal::Resync`].
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.inner.signals.subscribe()
    }

    /// Tells the other nodes what a member does. Dropped when they cannot be reached.
    pub fn pass(&self, passing: Passing) {
        self.send(Outgoing::Ephemeral(passing));
    }

    /// Tells the other nodes that a login session ended.
    pub fn signed_out(&self, session: SessionId) {
        self.send(Outgoing::SignedOut(session));
    }

    fn send(&self, outgoing: Outgoing) {
        if let Some(remote) = &self.inner.remote
            && remote.outbox.try_send(outgoing).is_err()
        {
            metrics::counter!("uzel_bus_dropped_total").increment(1);
        }
    }

    /// Whether signals pass at present. Without it everything works, a second or two later.
    pub fn is_healthy(&self) -> bool {
        self.inner.remote.as_ref().is_none_or(|remote| remote.healthy.load(Ordering::Relaxed))
    }

    /// `in_process` or `redis`.
    pub fn kind(&self) -> &'static str {
        if self.inner.remote.is_some() { "redis" } else { "in_process" }
    }

    fn tell(&self, signal: Signal) {
        // Nobody listening is no fault.
        let _ = self.inner.signals.send(signal);
    }
}

/// One message between nodes: everything there was to say when it left.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Packet {
    node: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hints: BTreeMap<CompanyId, i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deliveries: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ephemerals: Vec<Passing>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signed_out: Vec<SessionId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    resync: bool,
}

impl Packet {
    fn is_empty(&self) -> bool {
        self.hints.is_empty()
            && !self.deliveries
            && self.ephemerals.is_empty()
            && self.signed_out.is_empty()
            && !self.resync
    }

    fn add_commit(&mut self, commit: Commit) {
        match commit {
            Commit::Events { company_id, offset } => {
                let known = self.hints.entry(company_id).or_insert(offset);
                *known = offset.max(*known);
            }
            Commit::Deliveries => self.deliveries = true,
        }
    }

    fn add(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Ephemeral(_) if self.ephemerals.len() >= OUTBOX => {}
            Outgoing::Ephemeral(passing) => self.ephemerals.push(passing),
            Outgoing::SignedOut(session) => self.signed_out.push(session),
        }
    }

    /// Takes over what is worth saying later too of a message that may not have left.
    fn merge(&mut self, unsent: Self) {
        for (company_id, offset) in unsent.hints {
            self.add_commit(Commit::Events { company_id, offset });
        }
        self.deliveries |= unsent.deliveries;
        self.signed_out.extend(unsent.signed_out);
        self.resync |= unsent.resync;
    }

    fn signals(self) -> impl Iterator<Item = Signal> {
        let hints = self.hints.into_iter();
        hints
            .map(|(company_id, offset)| Signal::Hint { company_id, offset })
            .chain(self.deliveries.then_some(Signal::Deliveries))
            .chain(self.ephemerals.into_iter().map(Signal::Ephemeral))
            .chain(self.signed_out.into_iter().map(Signal::SignedOut))
            .chain(self.resync.then_some(Signal::Resync))
    }
}

#[cfg(test)]
mod tests;
