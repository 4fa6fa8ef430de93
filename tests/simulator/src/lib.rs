//! The providers the hub talks to, played over real HTTP: written from their contracts, refusing what they refuse.
//!
//! It owns the fake accounts, the fake clients and everything they said. It knows nothing of the hub: tests, load
//! tests and the demo start it ([`Simulator::start`], [`serve`]), script its clients in Rust ([`Simulator::telegram`])
//! or over HTTP under `/control` ([`control`]), and compare what it recorded with what the hub claims.
//! One provider is one module; all of them share the listener, the control root and the way faults are scripted.
//! State is in memory and bounded. What a provider accepted is recorded before its answer is written, so the record is
//! whole even if the hub is killed before it reads that answer.

pub mod control;
pub mod faults;
mod listener;
mod media;
pub mod s3;
pub mod telegram;
pub mod terminal;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use telegram::{BotSpec, Telegram};

/// How much is kept and how patient the providers are.
#[derive(Debug, Clone)]
pub struct Options {
    /// Recorded calls; the oldest are dropped.
    pub recorded_calls: usize,
    /// Messages kept for each account; the oldest are dropped.
    pub kept_messages: usize,
    /// Bytes of files kept for each account; the oldest are dropped.
    pub kept_file_bytes: usize,
    /// First delay before a refused webhook is posted again; it doubles.
    pub webhook_retry_first: Duration,
    /// Where that doubling ends.
    pub webhook_retry_longest: Duration,
    /// How long one webhook request may take.
    pub webhook_timeout: Duration,
    /// A bot that exists from the start and after every reset.
    pub ready_bot: Option<BotSpec>,
}

impl Default for Options {
    /// For tests: retries come quickly.
    fn default() -> Self {
        Self {
            recorded_calls: 200_000,
            kept_messages: 500_000,
            kept_file_bytes: 512 << 20,
            webhook_retry_first: Duration::from_millis(50),
            webhook_retry_longest: Duration::from_secs(2),
            webhook_timeout: Duration::from_secs(30),
            ready_bot: None,
        }
    }
}

impl Options {
    /// For a person at a terminal: the provider's own pace, and a bot to connect at once.
    pub fn interactive() -> Self {
        Self {
            webhook_retry_first: Duration::from_secs(1),
            webhook_retry_longest: Duration::from_mins(1),
            webhook_timeout: Duration::from_mins(1),
            ready_bot: Some(BotSpec::ready_made()),
            ..Self::default()
        }
    }
}

/// Everything the simulator knows; cheap to clone.
#[derive(Clone)]
pub struct State {
    telegram: Telegram,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl State {
    /// Must be called inside a tokio runtime: webhooks are delivered by tasks of it.
    pub fn new(options: Options) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        Self { telegram: Telegram::new(options, tasks.clone(), stop.clone()), tasks, stop }
    }

    pub fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    /// Forgets everything: accounts, clients, messages, calls and faults. The ready-made account comes back.
    pub fn reset(&self) {
        self.telegram.reset();
    }
}

/// Every provider and the control interface on one router.
///
/// Cutting a connection works only under [`Simulator`] and [`serve`], which own their sockets.
pub fn router(state: State) -> Router {
    control::router(state.clone())
        .fallback(telegram::http::handle)
        // Each provider has limits of its own and refuses in its own words.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

/// A running simulator. Dropping it stops it.
pub struct Simulator {
    state: State,
    address: SocketAddr,
}

impl Simulator {
    /// Starts on the given address; port 0 takes a free one.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(address, Options::default()).await
    }

    pub async fn start_with(address: impl ToSocketAddrs, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = State::new(options);
        let tasks = state.tasks.clone();
        tasks.spawn(listener::accept(
            listener,
            router(state.clone()),
            state.stop.clone(),
            tasks.clone(),
        ));
        Ok(Self { state, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of every provider and of `/control`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn telegram(&self) -> &Telegram {
        self.state.telegram()
    }

    /// Closes the socket and every connection, and waits until nothing of it runs.
    pub async fn stop(self) {
        self.state.stop.cancel();
        self.state.tasks.close();
        self.state.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.state.stop.cancel();
    }
}

/// Serves until the process ends or `stop` is cancelled, and prints how to connect.
pub async fn serve(
    address: impl ToSocketAddrs,
    options: Options,
    stop: CancellationToken,
) -> io::Result<()> {
    let simulator = Simulator::start_with(address, options).await?;
    terminal::print_welcome(&simulator)?;
    stop.cancelled().await;
    simulator.stop().await;
    Ok(())
}
