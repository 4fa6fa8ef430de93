//! The engine itself: claims, paces, has effects made, settles, and finds what a crash left behind.
//!
//! Order: only the head of a lane is claimed, and a lane has one head until it is settled. Truth: an
//! attempt is stored before its call and settled after it; what is open when its lease ends is lost,
//! never assumed. Pace: a target's next free moment is kept in the store, so that all nodes share it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hub_domain::channel::{Channel, ChannelAccess, ChannelKind, SharedDriver};
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::{ChannelId, Timestamp};
use hub_store::records::{ChannelSecrets, ClaimRequest, Claimable, Delivery};
use hub_store::{Commit, Store, StoreError};
use tokio::sync::{Notify, Semaphore, broadcast};

use super::outcome::{Outcome, RetryRules};
use super::{configure, fetch, message, sign_in_code};
use crate::actions::delete_channel::CHANNEL_DELETED;
use crate::actions::record_attempt::{channel_of, end_attempt, lose_attempt, start_attempt};
use crate::bus::{Bus, Signal};
use crate::config::DeliveryConfig;
use crate::drivers::{self, Drivers};
use crate::files::Files;
use crate::gateways::Gateways;
use crate::lifecycle::Lifecycle;
use crate::random;

/// How far a target may run ahead of its even pace, in sends: short bursts are what chats are made of.
const BURST: i64 = 3;
/// How long the engine sleeps at most: the safety net under the wake-ups.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How often ended leases are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Most deliveries claimed at once.
const CLAIM: i64 = 64;

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    pub store: Store,
    pub drivers: Drivers,
    pub files: Files,
    pub gateways: Gateways,
    pub bus: Bus,
    pub config: DeliveryConfig,
    /// Address of this installation, where webhooks go.
    pub public_url: url::Url,
    /// Largest file taken in from a client.
    pub max_file_bytes: u64,
    /// This process among all nodes.
    pub node: String,
}

/// Cheap to clone; every clone is the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: EngineParts,
    rules: RetryRules,
    slots: Arc<Semaphore>,
    wake: Notify,
}

impl Engine {
    pub fn new(parts: EngineParts) -> Self {
        let rules = RetryRules {
            schedule: parts.config.retry_schedule.clone(),
            retry_after_limit_ms: parts.config.retry_after_limit_seconds * 1000,
        };
        let slots = Arc::new(Semaphore::new(parts.config.concurrency));
        Self { inner: Arc::new(Inner { parts, rules, slots, wake: Notify::new() }) }
    }

    /// Works until the process drains; what is under way then is finished.
    pub fn start(&self, lifecycle: &Lifecycle) {
        let (engine, commits) = (self.clone(), self.inner.parts.store.commits());
        lifecycle.spawn_until_draining("delivery wake-ups", async move {
            engine.follow_commits(commits).await;
        });
        let (engine, signals) = (self.clone(), self.inner.parts.bus.subscribe());
        lifecycle.spawn_until_draining("delivery wake-ups of other nodes", async move {
            engine.follow_nodes(signals).await;
        });
        let engine = self.clone();
        lifecycle.spawn_until_draining("delivery sweep", async move { engine.sweep().await });
        let (engine, tasks) = (self.clone(), lifecycle.clone());
        lifecycle.spawn_until_draining("delivery engine", async move { engine.run(&tasks).await });
    }

    async fn follow_commits(&self, mut commits: broadcast::Receiver<Commit>) {
        loop {
            match commits.recv().await {
                Ok(Commit::Deliveries) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.inner.wake.notify_one();
                }
                Ok(Commit::Events { .. }) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Another node, perhaps one without a worker, has written deliveries.
    async fn follow_nodes(&self, mut signals: broadcast::Receiver<Signal>) {
        loop {
            match signals.recv().await {
                Ok(Signal::Deliveries | Signal::Resync)
                | Err(broadcast::error::RecvError::Lagged(_)) => self.inner.wake.notify_one(),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    async fn run(&self, tasks: &Lifecycle) {
        self.recover().await;
        loop {
            let free = self.inner.slots.available_permits();
            let claimed = if free == 0 { Ok((Vec::new(), false)) } else { self.claim(free).await };
            let more = match claimed {
                Ok((deliveries, skipped)) => {
                    let full = !deliveries.is_empty();
                    for delivery in deliveries {
                        let Ok(slot) = Arc::clone(&self.inner.slots).acquire_owned().await else {
                            return;
                        };
                        let engine = self.clone();
                        tasks.spawn("delivery", async move {
                            engine.deliver(delivery).await;
                            drop(slot);
                            engine.inner.wake.notify_one();
                        });
                    }
                    full || skipped
                }
                Err(error) => {
                    tracing::error!(%error, "deliveries cannot be claimed");
                    false
                }
            };
            if !more {
                let sleep = self.until_due().await;
                let _ = tokio::time::timeout(sleep, self.inner.wake.notified()).await;
            }
        }
    }

    /// How long nothing becomes due by itself.
    async fn until_due(&self) -> Duration {
        let store = &self.inner.parts.store;
        let now = store.clock().now();
        let due = async { store.reader().await?.db().next_due(now).await };
        match due.await {
            Ok(Some(due)) => {
                let wait = due.millis_since(now).clamp(1, LONGEST_SLEEP.as_millis() as i64);
                Duration::from_millis(wait.unsigned_abs())
            }
            Ok(None) => LONGEST_SLEEP,
            Err(error) => {
                tracing::warn!(%error, "the queue of deliveries cannot be read");
                LONGEST_SLEEP
            }
        }
    }

    /// Claims what is due and fits into the pace of its target. Also tells whether something due was
    /// left, because of its pace or because another node is at its lane, so that it is looked again.
    async fn claim(&self, free: usize) -> Result<(Vec<Delivery>, bool), StoreError> {
        let parts = &self.inner.parts;
        let now = parts.store.clock().now();
        let lease = i64::try_from(parts.config.lease_seconds).unwrap_or(i64::MAX);
        let request = ClaimRequest {
            owner: parts.node.clone(),
            now,
            lease_until: now.plus_seconds(lease),
            limit: CLAIM.min(i64::try_from(free).unwrap_or(CLAIM)),
        };
        let drivers = parts.drivers.clone();
        parts
            .store
            .write_system(move |tx| {
                Box::pin(async move {
                    let Claimable { deliveries: candidates, contested } =
                        tx.db().claim_candidates(&request).await?;
                    let found = candidates.len();
                    if found == 0 {
                        return Ok((candidates, contested));
                    }
                    let targets: BTreeSet<String> =
                        candidates.iter().map(|delivery| delivery.target.clone()).collect();
                    let targets: Vec<String> = targets.into_iter().collect();
                    let mut free_at: HashMap<String, i64> = tx
                        .db()
                        .target_paces(&targets)
                        .await?
                        .into_iter()
                        .map(|(target, paused, next)| (target, paused.max(next)))
                        .collect();
                    let mut paced = BTreeSet::new();
                    let mut intervals: HashMap<String, Option<i64>> = HashMap::new();
                    let mut claimed = Vec::with_capacity(found);
                    for delivery in candidates {
                        if !intervals.contains_key(&delivery.target) {
                            let interval = interval_ms(tx, &drivers, &delivery).await?;
                            intervals.insert(delivery.target.clone(), interval);
                        }
                        let interval = intervals.get(&delivery.target).copied().flatten();
                        let Some(interval) = interval.filter(|_| is_paced(delivery.kind)) else {
                            claimed.push(delivery);
                            continue;
                        };
                        let free = free_at.entry(delivery.target.clone()).or_default();
                        if *free > request.now.0 {
                            continue;
                        }
                        // `next_free_at` is the even pace minus the burst allowed.
                        let even = (*free + BURST * interval).max(request.now.0) + interval;
                        *free = even - BURST * interval;
                        paced.insert(delivery.target.clone());
                        claimed.push(delivery);
                    }
                    for target in paced {
                        let at = free_at.get(&target).copied().unwrap_or_default();
                        tx.db().save_target_pace(&target, Timestamp(at)).await?;
                    }
                    let ids: Vec<i64> = claimed.iter().map(|delivery| delivery.id.0).collect();
                    tx.db().lease_deliveries(&ids, &request.owner, request.lease_until).await?;
                    let skipped = contested || claimed.len() < found;
                    Ok((claimed, skipped))
                })
            })
            .await
    }

    /// Makes one effect: attempt stored, call, settled.
    async fn deliver(&self, delivery: Delivery) {
        let parts = &self.inner.parts;
        let (owner, begun) = (parts.node.clone(), delivery.clone());
        let number = match self
            .write(&delivery, move |tx| {
                let (owner, begun) = (owner.clone(), begun.clone());
                async move { start_attempt(tx, &begun, &owner).await }.boxed()
            })
            .await
        {
            Ok(Some(number)) => number,
            Ok(None) => return,
            Err(error) => {
                // Nothing was called: the lease ends, and another try begins.
                tracing::error!(%error, delivery.id = delivery.id.0, "an attempt cannot be stored");
                return;
            }
        };
        let outcome = self.holding(&delivery, self.make(&delivery)).await;
        let now = parts.store.clock().now();
        let settled = self.inner.rules.settle(&delivery, number, &outcome, random::fraction(), now);
        metrics::counter!(
            "uzel_attempts_total",
            "kind" => delivery.kind.as_str(), "outcome" => settled.outcome
        )
        .increment(1);
        tracing::debug!(
            delivery.id = delivery.id.0,
            kind = delivery.kind.as_str(),
            attempt = number,
            outcome = settled.outcome,
            code = outcome.code(),
            "attempt ended"
        );
        // What the provider answered must not be forgotten because the database has a bad moment.
        for pause in [0, 100, 500, 2000, 5000] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let (owner, ended) = (parts.node.clone(), delivery.clone());
            let (outcome, settled) = (outcome.clone(), settled.clone());
            let stored = self
                .write(&delivery, move |tx| {
                    let (owner, ended) = (owner.clone(), ended.clone());
                    let (outcome, settled) = (outcome.clone(), settled.clone());
                    async move {
                        let ours =
                            end_attempt(tx, &ended, &owner, number, &outcome, &settled).await?;
                        if let Some(until) = settled.pause_until {
                            tx.db().pause_target(&ended.target, until).await?;
                        }
                        Ok(ours)
                    }
                    .boxed()
                })
                .await;
            match stored {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(delivery.id = delivery.id.0, "a lease ended before its attempt");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, delivery.id = delivery.id.0, "an attempt cannot be settled");
                }
            }
        }
    }

    /// Makes a call under its lease, however long it takes: a file may take minutes.
    async fn holding(&self, delivery: &Delivery, call: impl Future<Output = Outcome>) -> Outcome {
        let parts = &self.inner.parts;
        let third = Duration::from_secs(parts.config.lease_seconds) / 3;
        let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + third, third);
        renewal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut call = std::pin::pin!(call);
        let mut held = true;
        loop {
            tokio::select! {
                biased;
                outcome = &mut call => return outcome,
                _ = renewal.tick(), if held => held = self.hold(delivery).await,
            }
        }
    }

    /// Renews a lease; `false` when it is ours no more. The call cannot be taken back then: whoever has the
    /// delivery now has called it lost.
    async fn hold(&self, delivery: &Delivery) -> bool {
        let parts = &self.inner.parts;
        let (id, owner) = (delivery.id, parts.node.clone());
        let seconds = i64::try_from(parts.config.lease_seconds).unwrap_or(i64::MAX);
        let held = self.write(delivery, move |tx| {
            async move {
                let until = tx.now().plus_seconds(seconds);
                tx.db().hold_delivery(id, &owner, until).await
            }
            .boxed()
        });
        match held.await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(%error, delivery.id = id.0, "a lease was not renewed");
                true
            }
        }
    }

    async fn write<T, F>(&self, delivery: &Delivery, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(
                &'t mut hub_store::Tx,
            )
                -> futures_util::future::BoxFuture<'t, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let store = &self.inner.parts.store;
        match delivery.company_id {
            Some(company) => store.write(company, job).await,
            None => store.write_system(job).await,
        }
    }

    /// The call itself. A panic in it is an outcome nobody knows, not the end of the engine.
    async fn make(&self, delivery: &Delivery) -> Outcome {
        let parts = &self.inner.parts;
        let call = async {
            match delivery.kind {
                DeliveryKind::SendMessage => message::send(parts, delivery).await,
                DeliveryKind::EditMessage => message::edit(parts, delivery).await,
                DeliveryKind::DeleteMessage => message::delete(parts, delivery).await,
                DeliveryKind::AnswerButton => message::answer_button(parts, delivery).await,
                DeliveryKind::FetchAttachment => fetch::fetch(parts, delivery).await,
                DeliveryKind::ConfigureChannel => configure::configure(parts, delivery).await,
                DeliveryKind::SendSignInCode => Ok(sign_in_code::send(parts, delivery).await),
            }
        };
        match std::panic::AssertUnwindSafe(call).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            // Nothing was called yet when what is needed for the call could not be read.
            Ok(Err(error)) => {
                tracing::error!(%error, delivery.id = delivery.id.0, "a delivery cannot be prepared");
                Outcome::retry("hub_error", "the hub could not prepare it")
            }
            Err(_) => {
                tracing::error!(delivery.id = delivery.id.0, "a delivery panicked");
                Outcome::Unknown { code: "hub_error".to_owned(), detail: String::new() }
            }
        }
    }

    /// Looks for leases that ended: their nodes died, or were too slow.
    async fn sweep(&self) {
        let store = &self.inner.parts.store;
        loop {
            match self.sweep_once(store.clock().now()).await {
                Ok(0) => {}
                Ok(_) => self.inner.wake.notify_one(),
                Err(error) => tracing::error!(%error, "ended leases cannot be looked for"),
            }
            tokio::time::sleep(SWEEP).await;
        }
    }

    /// An embedded database has one process: whatever is in flight when it starts was left behind by
    /// its former self, and need not wait for its lease to end. Before anything is claimed.
    async fn recover(&self) {
        if !self.inner.parts.store.is_embedded() {
            return;
        }
        loop {
            match self.sweep_once(Timestamp::from_millis(i64::MAX)).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "what was left in flight cannot be looked for");
                    tokio::time::sleep(LONGEST_SLEEP).await;
                }
            }
        }
    }

    async fn sweep_once(&self, before: Timestamp) -> Result<usize, StoreError> {
        let store = &self.inner.parts.store;
        let expired = store.reader().await?.db().expired_deliveries(before, 500).await?;
        let swept = expired.len();
        for (delivery, open) in expired {
            let lost = delivery.clone();
            self.write(&delivery, move |tx| {
                async move {
                    if open {
                        tracing::warn!(delivery.id = lost.id.0, "an attempt was left open");
                        return lose_attempt(tx, &lost).await;
                    }
                    let now = tx.now();
                    let (held, free) = (DeliveryState::InFlight, DeliveryState::Pending);
                    tx.db().set_delivery_state(lost.id, held, free, now).await?;
                    tx.wake_deliveries();
                    Ok(())
                }
                .boxed()
            })
            .await?;
        }
        Ok(swept)
    }
}

/// What counts against the rate that a provider allows an account.
const fn is_paced(kind: DeliveryKind) -> bool {
    matches!(
        kind,
        DeliveryKind::SendMessage | DeliveryKind::EditMessage | DeliveryKind::DeleteMessage
    )
}

/// Milliseconds between two sends of a target at an even pace; `None`: not paced.
async fn interval_ms(
    tx: &mut hub_store::Tx,
    drivers: &Drivers,
    delivery: &Delivery,
) -> Result<Option<i64>, StoreError> {
    let Some(channel) = channel_of(delivery) else { return Ok(None) };
    let kind = channel_kind(tx, channel).await?;
    let per_second = kind
        .and_then(|kind| drivers.get(kind))
        .map_or(0, |driver| driver.capabilities().sends_per_second);
    Ok((per_second > 0).then(|| (1000 / i64::from(per_second)).max(1)))
}

async fn channel_kind(
    tx: &mut hub_store::Tx,
    id: ChannelId,
) -> Result<Option<ChannelKind>, StoreError> {
    Ok(tx.db().channel_secrets(id).await?.map(|secrets| secrets.channel.kind))
}

/// A channel with what it takes to act for it.
pub(super) struct Ready {
    pub channel: Channel,
    pub driver: SharedDriver,
    pub access: ChannelAccess,
}

/// The channel of a delivery, or what became of the delivery without it.
pub(super) async fn channel_for(
    parts: &EngineParts,
    id: ChannelId,
) -> Result<Result<Ready, Outcome>, StoreError> {
    let secrets = parts.store.reader().await?.db().channel_secrets(id).await?;
    match secrets {
        Some(secrets) if secrets.channel.deleted_at.is_some() => {
            Ok(Err(Outcome::Cancelled { code: CHANNEL_DELETED.to_owned(), detail: String::new() }))
        }
        Some(secrets) => ready(parts, secrets),
        None => Ok(Err(Outcome::refused("subject_gone", "the channel is not there any more"))),
    }
}

pub(super) fn ready(
    parts: &EngineParts,
    secrets: ChannelSecrets,
) -> Result<Result<Ready, Outcome>, StoreError> {
    let Some(driver) = parts.drivers.get(secrets.channel.kind) else {
        return Ok(Err(Outcome::refused("subject_gone", "there is no driver for the channel")));
    };
    let access = drivers::access(parts.store.vault(), &secrets)?;
    Ok(Ok(Ready { channel: secrets.channel, driver: Arc::clone(driver), access }))
}
