//! Asking providers for updates where they do not come by themselves.
//!
//! Each polled channel has one task, on the one node that holds the channel's lease. The cursor is
//! stored only after the updates it covers, under the fence of the lease: what was asked for twice is
//! applied once, what was not stored is asked for again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hub_domain::ChannelId;
use hub_domain::channel::{
    Channel, ChannelState, DriverError, IntakeMode, PollBatch, SharedDriver,
};
use hub_store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::actions::apply_updates::apply_updates;
use crate::actions::change_channel::observe_state;
use crate::config::PollingConfig;
use crate::drivers::{self, Drivers};
use crate::lifecycle::Lifecycle;

/// How often channels to be polled are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// Waits after failures in a row.
const BACKOFF_SECONDS: [u64; 7] = [1, 2, 4, 8, 15, 30, 60];

/// Polls every channel that asks for it, as far as this node gets its lease.
#[derive(Debug, Clone)]
pub struct Poller {
    store: Store,
    drivers: Drivers,
    /// This process among all nodes. On an embedded database it is the same after a restart, which
    /// therefore need not wait for the leases of its former self.
    owner: Arc<str>,
    /// How long a lease holds; it is renewed at a third of it.
    lease_seconds: u32,
}

/// A lease this node holds. Its renewal outlives a single poll: where updates never stop coming, every
/// poll ends long before a renewal is due.
struct Lease {
    fence: i64,
    renewal: tokio::time::Interval,
}

impl Lease {
    fn new(fence: i64, lease_seconds: u32) -> Self {
        let third = Duration::from_secs(u64::from(lease_seconds)) / 3;
        let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + third, third);
        renewal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self { fence, renewal }
    }
}

impl Poller {
    pub fn new(store: Store, drivers: Drivers, node: &str, config: &PollingConfig) -> Self {
        let owner = if store.is_embedded() { "embedded" } else { node };
        Self { store, drivers, owner: owner.into(), lease_seconds: config.lease_seconds }
    }

    pub fn start(self, lifecycle: &Lifecycle) {
        let drain = lifecycle.drain_token();
        lifecycle.spawn("poller", async move {
            let mut tasks: JoinSet<ChannelId> = JoinSet::new();
            let mut running: HashSet<ChannelId> = HashSet::new();
            while !drain.is_cancelled() {
                while let Some(ended) = tasks.try_join_next() {
                    match ended {
                        Ok(id) => {
                            running.remove(&id);
                        },
                        Err(error) => {
                            tracing::error!(%error, "a polling task ended badly");
                            running.clear();
                            tasks.abort_all();
                        }
                    }
                }
                match self.wanted().await {
                    Ok(wanted) => {
                        for id in wanted {
                            if running.insert(id) {
                                let poller = self.clone();
                                let drain = drain.clone();
                                tasks.spawn(async move {
                                    let polled = drain.run_until_cancelled(poller.poll(id)).await;
                                    if let Some(Err(error)) = polled {
                                        tracing::error!(%error, channel.id = id.0, "polling failed");
                                    }
                                    id
                                });
                            }
                        }
                    }
                    Err(error) => tracing::error!(%error, "channels to poll cannot be read"),
                }
                let _ = tokio::time::timeout(LOOK, drain.cancelled()).await;
            }
            while tasks.join_next().await.is_some() {}
            for id in running {
                if let Err(error) = self.release(id).await {
                    tracing::warn!(%error, channel.id = id.0, "a lease was not given back");
                }
            }
        });
    }

    async fn wanted(&self) -> Result<Vec<ChannelId>, StoreError> {
        // While connecting, the provider is still being told how to deliver.
        let states = [ChannelState::Enabled, ChannelState::Limited];
        self.store.reader().await?.db().polled_channels(&states).await
    }

    fn lease_name(id: ChannelId) -> String {
        format!("poll:{id}")
    }

    async fn take(&self, id: ChannelId) -> Result<Option<i64>, StoreError> {
        let (owner, seconds) = (Arc::clone(&self.owner), i64::from(self.lease_seconds));
        self.store
            .write_system(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let until = now.plus_seconds(seconds);
                    tx.db().take_lease(&Self::lease_name(id), &owner, now, until).await
                })
            })
            .await
    }

    async fn release(&self, id: ChannelId) -> Result<(), StoreError> {
        let owner = Arc::clone(&self.owner);
        self.store
            .write_system(move |tx| {
                Box::pin(async move { tx.db().release_lease(&Self::lease_name(id), &owner).await })
            })
            .await
    }

    /// Polls one channel until it stops working, another node has it, or polling is no longer wanted.
    async fn poll(&self, id: ChannelId) -> Result<(), StoreError> {
        let Some(fence) = self.take(id).await? else { return Ok(()) };
        let mut lease = Lease::new(fence, self.lease_seconds);
        let mut failures: usize = 0;
        loop {
            let Some(secrets) = self.store.reader().await?.db().channel_secrets(id).await? else {
                return Ok(());
            };
            if !is_polled(&secrets.channel) {
                return self.release(id).await;
            }
            let Some(driver) = self.drivers.get(secrets.channel.kind) else { return Ok(()) };
            let access = drivers::access(self.store.vault(), &secrets)?;
            let cursor = secrets.poll_cursor.as_deref();
            let poll = driver.poll(&access, cursor);
            let Some(polled) = self.renewing(id, &mut lease, poll).await? else { return Ok(()) };
            match polled {
                Ok(batch) => {
                    // Switched off, deleted or given to webhooks while the provider was asked: it keeps
                    // what is not confirmed.
                    if !batch.updates.is_empty() && !self.is_still_polled(id).await? {
                        return self.release(id).await;
                    }
                    let store = self.store_batch(driver, &secrets.channel, fence, cursor, batch);
                    let Some(stored) = self.renewing(id, &mut lease, store).await? else {
                        return Ok(());
                    };
                    match stored {
                        // Between our look and the commit: nothing was stored, and nothing is confirmed.
                        Err(StoreError::ChannelDeleted) => return self.release(id).await,
                        stored => stored?,
                    }
                    failures = 0;
                    if secrets.channel.state == ChannelState::Limited {
                        self.observe(&secrets.channel, ChannelState::Enabled, None).await?;
                    }
                }
                Err(error) => {
                    self.failed(&secrets.channel, &error, failures).await?;
                    let wait = match &error {
                        DriverError::Retry { retry_after_ms: Some(after), .. } => {
                            Duration::from_millis((*after).min(300_000))
                        }
                        _ => Duration::from_secs(
                            BACKOFF_SECONDS[failures.min(BACKOFF_SECONDS.len() - 1)],
                        ),
                    };
                    failures += 1;
                    let wait = tokio::time::sleep(wait);
                    if self.renewing(id, &mut lease, wait).await?.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn is_still_polled(&self, id: ChannelId) -> Result<bool, StoreError> {
        let secrets = self.store.reader().await?.db().channel_secrets(id).await?;
        Ok(secrets.is_some_and(|secrets| is_polled(&secrets.channel)))
    }

    /// Runs `work` while the lease is ours; `None` when it went to another node.
    async fn renewing<T>(
        &self,
        id: ChannelId,
        lease: &mut Lease,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, StoreError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                _ = lease.renewal.tick() => {
                    if self.take(id).await? != Some(lease.fence) {
                        tracing::info!(channel.id = id.0, "another node polls the channel now");
                        return Ok(None);
                    }
                }
                done = &mut work => return Ok(Some(done)),
            }
        }
    }

    async fn store_batch(
        &self,
        driver: &SharedDriver,
        channel: &Channel,
        fence: i64,
        cursor: Option<&str>,
        batch: PollBatch,
    ) -> Result<(), StoreError> {
        if !batch.updates.is_empty() {
            apply_updates(&self.store, &**driver, channel, batch.updates).await?;
        }
        if batch.next_cursor.as_deref() == cursor {
            return Ok(());
        }
        let (id, owner) = (channel.id, Arc::clone(&self.owner));
        self.store
            .write_system(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let name = Self::lease_name(id);
                    if tx.db().lease_is_held(&name, &owner, fence, now).await? {
                        tx.db().save_poll_cursor(id, batch.next_cursor.as_deref()).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn failed(
        &self,
        channel: &Channel,
        error: &DriverError,
        failures: usize,
    ) -> Result<(), StoreError> {
        metrics::counter!("uzel_poll_failures_total", "code" => error.code()).increment(1);
        tracing::warn!(channel.id = channel.id.0, code = error.code(), "polling failed");
        match error {
            DriverError::Unauthorized { code, .. } => {
                self.observe(channel, ChannelState::Disabled, Some(code)).await
            }
            DriverError::Conflict { code: "webhook_active", .. } => self.configure(channel).await,
            DriverError::Conflict { code, .. } | DriverError::Refused { code, .. } => {
                self.observe(channel, ChannelState::Limited, Some(code)).await
            }
            // A provider that is away for a moment is no news.
            DriverError::Retry { code, .. } | DriverError::Unknown { code, .. } => {
                if failures >= 3 {
                    self.observe(channel, ChannelState::Limited, Some(code)).await
                } else {
                    Ok(())
                }
            }
        }
    }

    async fn observe(
        &self,
        channel: &Channel,
        state: ChannelState,
        reason: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let id = channel.id;
        self.store
            .write(channel.company_id, move |tx| {
                Box::pin(async move { observe_state(tx, id, state, reason).await })
            })
            .await
    }

    /// A webhook left over from elsewhere keeps updates from us: the provider is told again.
    async fn configure(&self, channel: &Channel) -> Result<(), StoreError> {
        let (id, company) = (channel.id, channel.company_id);
        self.store
            .write(company, move |tx| {
                Box::pin(async move {
                    observe_state(tx, id, ChannelState::Connecting, Some("webhook_active")).await?;
                    let Some(channel) = tx.db().channel(company, id).await? else { return Ok(()) };
                    if channel.state == ChannelState::Connecting {
                        crate::actions::connect_channel::enqueue_configuration(tx, &channel)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

fn is_polled(channel: &Channel) -> bool {
    matches!(channel.state, ChannelState::Enabled | ChannelState::Limited)
        && channel.intake == IntakeMode::Polling
}
