//! Who is connected to this node and what they watch.
//!
//! Owns the registry of connections and of streams, and the tasks that serve all of them at once: one
//! that passes hints on, one that sweeps the logs in case a hint got lost, one that keeps the time of
//! all connections, one that asks whether members are still who they were. No connection has a timer
//! or a queue of its own.

use std::collections::{BTreeSet, HashMap};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hub_domain::{CompanyId, Scope, SessionId, StreamPosition, UserId};
use hub_store::{Commit, Store, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore};
use tokio::time::MissedTickBehavior;

use super::Doorkeeper;
use super::bell::{Bell, Caller};
use super::protocol::{Close, ServerFrame};
use super::recovery::Follower;
use super::stream::{RingLimits, Stream, Watcher};
use crate::auth::Proof;
use crate::bus::{Bus, Passing, Signal};
use crate::config::RealtimeConfig;
use crate::lifecycle::Lifecycle;
use crate::random;

/// Reads of the log for those who catch up, at once: others want to read as well.
const CATCH_UP_READS: usize = 2;

/// The numbers of the configuration, ready for use.
#[derive(Debug, Clone)]
pub struct Settings {
    pub heartbeat: Duration,
    /// A side that hears nothing for so long closes.
    pub silence: Duration,
    /// How often the connections' time is looked at.
    pub tick: Duration,
    /// How often the logs are looked at without a hint.
    pub sweep: Duration,
    /// How often sessions and memberships are looked at.
    pub revalidate: Duration,
    pub write_timeout: Duration,
    /// How long the other side may take to answer a close.
    pub close_timeout: Duration,
    /// Over how long a node that ends spreads its farewells.
    pub farewell: Duration,
    pub max_catch_up_events: i64,
    pub max_lag_events: i64,
    pub ring: RingLimits,
    pub max_watches: usize,
    pub max_user_connections: usize,
    pub max_connections: usize,
}

impl From<&RealtimeConfig> for Settings {
    fn from(config: &RealtimeConfig) -> Self {
        Self {
            heartbeat: Duration::from_secs(config.heartbeat_seconds),
            silence: Duration::from_secs(config.silence_seconds),
            tick: Duration::from_secs(1),
            sweep: Duration::from_millis(1500),
            revalidate: Duration::from_secs(config.revalidate_seconds),
            write_timeout: Duration::from_secs(config.write_timeout_seconds),
            close_timeout: Duration::from_secs(2),
            farewell: Duration::from_secs(3),
            max_catch_up_events: i64::from(config.max_catch_up_events),
            max_lag_events: i64::from(config.max_lag_events),
            ring: RingLimits { frames: config.ring_frames, bytes: config.ring_bytes },
            max_watches: config.watches_per_connection,
            max_user_connections: config.connections_per_user,
            max_connections: config.connections,
        }
    }
}

/// Why nobody else is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The node has as many connections as it takes, or is about to end.
    Node,
    /// The user has.
    User,
}

/// Cheap to clone; every clone is the same registry.
#[derive(Debug, Clone)]
pub struct Fanout {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    bus: Bus,
    lifecycle: Lifecycle,
    settings: Settings,
    started: Instant,
    connections: Mutex<Connections>,
    streams: Mutex<HashMap<CompanyId, Arc<Stream>>>,
    reads: Semaphore,
    sweep_now: Notify,
    /// What members do at this moment, for those who follow a conversation from its other side.
    passings: tokio::sync::broadcast::Sender<Passing>,
    counters: Counters,
    #[cfg(test)]
    between: Mutex<Option<super::tests::Between>>,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    bells: HashMap<u64, Arc<Bell>>,
    by_user: HashMap<UserId, usize>,
}

struct Counters {
    connections: metrics::Gauge,
    streams: metrics::Gauge,
    events: metrics::Counter,
    slow: metrics::Counter,
    recovered: metrics::Counter,
    reloaded: metrics::Counter,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counters")
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fanout {
    pub fn new(store: Store, bus: Bus, lifecycle: Lifecycle, settings: Settings) -> Self {
        let counters = Counters {
            connections: metrics::gauge!("uzel_realtime_sessions"),
            streams: metrics::gauge!("uzel_realtime_streams"),
            events: metrics::counter!("uzel_realtime_events_sent_total"),
            slow: metrics::counter!("uzel_realtime_slow_consumers_total"),
            recovered: metrics::counter!("uzel_realtime_recoveries_total", "recovered" => "true"),
            reloaded: metrics::counter!("uzel_realtime_recoveries_total", "recovered" => "false"),
        };
        Self {
            inner: Arc::new(Inner {
                store,
                bus,
                lifecycle,
                settings,
                started: Instant::now(),
                connections: Mutex::default(),
                streams: Mutex::default(),
                reads: Semaphore::new(CATCH_UP_READS),
                sweep_now: Notify::new(),
                passings: tokio::sync::broadcast::channel(256).0,
                counters,
                #[cfg(test)]
                between: Mutex::new(None),
            }),
        }
    }

    /// Starts the tasks that serve all connections.
    pub fn start(&self, door: Arc<dyn Doorkeeper>) {
        let lifecycle = &self.inner.lifecycle;
        // Subscribed here, not in the task: nothing committed from now on is missed.
        let (commits, signals) = (self.inner.store.commits(), self.inner.bus.subscribe());
        let fanout = self.clone();
        lifecycle.spawn_until_draining("fan-out of commits", async move {
            fanout.pass_commits(commits).await;
        });
        let fanout = self.clone();
        lifecycle.spawn_until_draining("fan-out of the bus", async move {
            fanout.pass_signals(signals).await;
        });
        let fanout = self.clone();
        lifecycle.spawn_until_draining("sweep of the logs", async move { fanout.sweep().await });
        let fanout = self.clone();
        lifecycle
            .spawn_until_draining("revalidation", async move { fanout.revalidate(door).await });
        let fanout = self.clone();
        lifecycle.spawn("time of connections", async move { fanout.keep_time().await });
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn lifecycle(&self) -> &Lifecycle {
        &self.inner.lifecycle
    }

    /// Milliseconds since this registry began.
    pub fn now_ms(&self) -> u64 {
        self.inner.started.elapsed().as_millis() as u64
    }

    pub fn connection_count(&self) -> usize {
        hold(&self.inner.connections).bells.len()
    }

    /// Lets a connection in.
    pub fn admit(&self, caller: Caller) -> Result<Admission, Full> {
        let settings = &self.inner.settings;
        let mut connections = hold(&self.inner.connections);
        // Under the lock: whoever got in before the end began is told to go.
        if self.inner.lifecycle.is_draining() || connections.bells.len() >= settings.max_connections
        {
            return Err(Full::Node);
        }
        let of_user = connections.by_user.entry(caller.user_id).or_default();
        if *of_user >= settings.max_user_connections {
            return Err(Full::User);
        }
        *of_user += 1;
        let number = connections.next;
        connections.next += 1;
        let bell = Arc::new(Bell::new(caller, self.now_ms()));
        connections.bells.insert(number, Arc::clone(&bell));
        self.inner.counters.connections.increment(1.0);
        Ok(Admission { fanout: self.clone(), number, bell })
    }

    fn dismiss(&self, number: u64) {
        let mut connections = hold(&self.inner.connections);
        let Some(bell) = connections.bells.remove(&number) else { return };
        let user = bell.caller.user_id;
        if let Some(of_user) = connections.by_user.get_mut(&user) {
            *of_user -= 1;
            if *of_user == 0 {
                connections.by_user.remove(&user);
            }
        }
        self.inner.counters.connections.decrement(1.0);
    }

    /// Makes a connection follow a company's log from a position. The scope says that it may.
    pub async fn watch(
        &self,
        admission: &Admission,
        scope: Scope,
        position: Option<&StreamPosition>,
    ) -> Result<(Follower, ServerFrame), StoreError> {
        let company = scope.company_id;
        let watcher = Arc::new(Watcher::new(Arc::clone(&admission.bell), scope));
        let watching = Watching {
            stream: self.join(company, admission.number, &watcher),
            watcher,
            number: admission.number,
            fanout: self.clone(),
        };
        // Subscribe first, read second.
        watching.stream.start(&self.inner.store).await?;
        #[cfg(test)]
        self.pause_between().await;
        let (log, generation) = watching.stream.log(&self.inner.store).await?;
        let max_events = self.inner.settings.max_catch_up_events;
        Ok(Follower::new(watching, (&log, generation), position, max_events))
    }

    fn join(&self, company: CompanyId, number: u64, watcher: &Arc<Watcher>) -> Arc<Stream> {
        let mut streams = hold(&self.inner.streams);
        let stream = streams.entry(company).or_insert_with(|| {
            let stream = Arc::new(Stream::new(company, self.inner.settings.ring));
            let (tail, store) = (Arc::clone(&stream), self.inner.store.clone());
            self.inner
                .lifecycle
                .spawn_until_draining("tail", async move { tail.follow(store).await });
            self.inner.counters.streams.increment(1.0);
            stream
        });
        stream.add(number, Arc::clone(watcher));
        Arc::clone(stream)
    }

    fn leave(&self, company: CompanyId, number: u64) {
        let mut streams = hold(&self.inner.streams);
        if let Some(stream) = streams.get(&company)
            && stream.remove(number)
        {
            stream.end();
            streams.remove(&company);
            self.inner.counters.streams.decrement(1.0);
        }
    }

    /// A turn to read the log for somebody who catches up.
    pub async fn read_turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.inner.reads.acquire().await.ok()
    }

    /// Shows colleagues what a member does, here and on other nodes.
    pub fn pass(&self, passing: Passing) {
        self.inner.bus.pass(passing.clone());
        self.pass_here(passing);
    }

    /// Everything that is passed from now on, on this node or another one.
    pub fn passings(&self) -> tokio::sync::broadcast::Receiver<Passing> {
        self.inner.passings.subscribe()
    }

    fn pass_here(&self, passing: Passing) {
        // Nobody listening is no fault.
        let _ = self.inner.passings.send(passing.clone());
        if let Some(stream) = self.stream(passing.company_id) {
            stream.pass(passing);
        }
    }

    /// Ends the connections of a login session, here and on other nodes.
    pub fn signed_out(&self, session: SessionId) {
        self.inner.bus.signed_out(session);
        self.signed_out_here(session);
    }

    /// Ends the connections that a user opened with the private token before. On other nodes they end
    /// when they are next asked whether they are still allowed.
    pub fn private_token_replaced(&self, user: UserId) {
        self.close_where(Close::SignedOut, |caller| {
            caller.user_id == user && matches!(caller.proof, Proof::PrivateToken(_))
        });
    }

    fn signed_out_here(&self, session: SessionId) {
        self.close_where(Close::SignedOut, |caller| caller.proof == Proof::Session(session));
    }

    fn close_where(&self, close: Close, whom: impl Fn(&Caller) -> bool) {
        for bell in hold(&self.inner.connections).bells.values() {
            if whom(&bell.caller) {
                bell.close(close);
            }
        }
    }

    pub fn count_events(&self, events: u64) {
        self.inner.counters.events.increment(events);
    }

    pub fn count_slow_consumer(&self) {
        self.inner.counters.slow.increment(1);
    }

    fn stream(&self, company: CompanyId) -> Option<Arc<Stream>> {
        hold(&self.inner.streams).get(&company).map(Arc::clone)
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        hold(&self.inner.streams).values().map(Arc::clone).collect()
    }

    async fn pass_commits(&self, mut commits: tokio::sync::broadcast::Receiver<Commit>) {
        loop {
            match commits.recv().await {
                Ok(Commit::Events { company_id, offset }) => self.hint(company_id, offset),
                Ok(Commit::Deliveries) => {}
                Err(RecvError::Lagged(_)) => self.inner.sweep_now.notify_one(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn pass_signals(&self, mut signals: tokio::sync::broadcast::Receiver<Signal>) {
        loop {
            match signals.recv().await {
                Ok(Signal::Hint { company_id, offset }) => self.hint(company_id, offset),
                Ok(Signal::Ephemeral(passing)) => self.pass_here(passing),
                Ok(Signal::SignedOut(session)) => self.signed_out_here(session),
                Ok(Signal::Deliveries) => {}
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => self.inner.sweep_now.notify_one(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hint(&self, company: CompanyId, offset: i64) {
        if let Some(stream) = self.stream(company) {
            stream.hint(offset);
        }
    }

    async fn sweep(&self) {
        loop {
            let pause = self.inner.settings.sweep.mul_f64(0.75 + random::fraction() / 2.0);
            // Either way: when the time has come, or when somebody has reason to think so.
            let _ = tokio::time::timeout(pause, self.inner.sweep_now.notified()).await;
            let streams = self.streams();
            if streams.is_empty() {
                continue;
            }
            if let Err(error) = self.look_at(&streams).await {
                tracing::warn!(error = %error, "the logs cannot be swept");
            }
        }
    }

    async fn look_at(&self, streams: &[Arc<Stream>]) -> Result<(), StoreError> {
        let ids: Vec<i64> = streams.iter().map(|stream| stream.company_id.0).collect();
        let rows = self.inner.store.reader().await?.db().company_streams(&ids).await?;
        let rows: HashMap<i64, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        for stream in streams {
            if let Some(row) = rows.get(&stream.company_id.0) {
                stream.observe(row);
            }
        }
        Ok(())
    }

    /// Heartbeats and silence of all connections; at the end, farewells.
    async fn keep_time(&self) {
        let settings = &self.inner.settings;
        let (heartbeat, silence) =
            (settings.heartbeat.as_millis() as u64, settings.silence.as_millis() as u64);
        let mut tick = tokio::time::interval(settings.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.inner.lifecycle.draining() => break,
            }
            let now = self.now_ms();
            for bell in hold(&self.inner.connections).bells.values() {
                bell.tick(now, heartbeat, silence);
            }
        }
        // Not all at once: they will all knock at the next node.
        let mut bells: Vec<_> =
            hold(&self.inner.connections).bells.values().map(Arc::clone).collect();
        let steps = 20;
        let share = bells.len().div_ceil(steps).max(1);
        while !bells.is_empty() {
            let rest = bells.split_off(share.min(bells.len()));
            for bell in std::mem::replace(&mut bells, rest) {
                bell.close(Close::ServerRestart);
            }
            tokio::time::sleep(settings.farewell / steps as u32).await;
        }
    }

    /// Asks from time to time whether those who are connected still may be: each login and each
    /// membership once, however many connections it has.
    async fn revalidate(&self, door: Arc<dyn Doorkeeper>) {
        loop {
            let pause = self.inner.settings.revalidate.mul_f64(0.75 + random::fraction() / 2.0);
            tokio::time::sleep(pause).await;
            let callers: BTreeSet<Caller> =
                hold(&self.inner.connections).bells.values().map(|bell| bell.caller).collect();
            for caller in callers {
                match door.is_signed_in(caller).await {
                    Ok(true) => {}
                    Ok(false) => self.close_where(Close::SignedOut, |other| *other == caller),
                    Err(error) => tracing::warn!(error = %error, "a session cannot be looked at"),
                }
            }
            for stream in self.streams() {
                let mut by_user: HashMap<UserId, Vec<Arc<Watcher>>> = HashMap::new();
                for watcher in stream.watchers() {
                    by_user.entry(watcher.bell.caller.user_id).or_default().push(watcher);
                }
                for (user, watchers) in by_user {
                    match door.scope(user, stream.company_id).await {
                        Ok(scope) => {
                            for watcher in watchers {
                                watcher.revise(scope.as_ref());
                            }
                        }
                        Err(error) => {
                            tracing::warn!(error = %error, "a membership cannot be looked at");
                        }
                    }
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn set_between(&self, between: super::tests::Between) {
        *hold(&self.inner.between) = Some(between);
    }

    #[cfg(test)]
    async fn pause_between(&self) {
        let between = hold(&self.inner.between).clone();
        if let Some(between) = between {
            between.reached.notify_one();
            between.go_on.notified().await;
        }
    }

    #[cfg(test)]
    pub(super) fn stream_count(&self) -> usize {
        hold(&self.inner.streams).len()
    }
}

/// A connection's place in the registry; it leaves when this is dropped.
#[derive(Debug)]
pub struct Admission {
    fanout: Fanout,
    number: u64,
    pub bell: Arc<Bell>,
}

impl Admission {
    pub fn fanout(&self) -> &Fanout {
        &self.fanout
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.fanout.dismiss(self.number);
    }
}

/// A connection's place at a stream; it leaves when this is dropped, and the last one ends the stream.
#[derive(Debug)]
pub struct Watching {
    pub stream: Arc<Stream>,
    pub watcher: Arc<Watcher>,
    number: u64,
    fanout: Fanout,
}

impl Watching {
    pub fn count_recovery(&self, recovered: bool) {
        let counters = &self.fanout.inner.counters;
        if recovered { &counters.recovered } else { &counters.reloaded }.increment(1);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.fanout.leave(self.stream.company_id, self.number);
    }
}
