//! Cleaning up: old events, finished deliveries, raw updates, files that never became a message.

use std::time::Duration;

use hub_domain::CompanyId;
use hub_store::{Store, StoreError};

use crate::files::Files;
use crate::lifecycle::Lifecycle;

const EVERY: Duration = Duration::from_mins(10);
const LEASE: &str = "prune";
/// Rows of one step: others wait behind it.
const STEP: i64 = 1000;
const DAY_MS: i64 = 86_400_000;

/// What is kept for how long.
#[derive(Debug, Clone, Copy)]
pub struct Pruner {
    /// Days of the log that can be replayed.
    pub keep_event_days: u32,
}

impl Pruner {
    pub fn start(self, store: Store, files: Files, node: String, lifecycle: &Lifecycle) {
        lifecycle.spawn_until_draining("prune", async move {
            loop {
                if let Err(error) = self.run_once(&store, &files, &node).await {
                    tracing::error!(%error, "cleaning up failed");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// One round, unless another node has it.
    pub async fn run_once(
        self,
        store: &Store,
        files: &Files,
        node: &str,
    ) -> Result<(), StoreError> {
        let owner = node.to_owned();
        let ours = store
            .write_system(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    tx.db().take_lease(LEASE, &owner, now, now.plus_seconds(300)).await
                })
            })
            .await?
            .is_some();
        if !ours {
            return Ok(());
        }
        let now = store.clock().now();
        let before = now.plus_millis(-i64::from(self.keep_event_days) * DAY_MS);
        let companies = store.reader().await?.db().companies_with_events_before(before).await?;
        for company in companies {
            loop {
                let pruned = store
                    .write(CompanyId(company), move |tx| {
                        Box::pin(async move {
                            tx.db().prune_events(CompanyId(company), before, STEP).await
                        })
                    })
                    .await?;
                if pruned < STEP {
                    break;
                }
            }
        }
        let month_ago = now.plus_millis(-30 * DAY_MS);
        loop {
            let pruned = store
                .write_system(move |tx| {
                    Box::pin(async move { tx.db().prune_deliveries(month_ago, STEP).await })
                })
                .await?;
            if pruned < STEP {
                break;
            }
        }
        store
            .write_system(move |tx| {
                Box::pin(async move { tx.db().prune_raw_updates(month_ago).await })
            })
            .await?;
        let day_ago = now.plus_millis(-DAY_MS);
        let orphans = store.reader().await?.db().orphaned_attachments(day_ago, STEP).await?;
        for orphan in orphans {
            if let Some(key) = &orphan.file_key
                && let Err(error) = files.delete(key).await
            {
                tracing::warn!(%error, "a file cannot be removed");
                continue;
            }
            let id = orphan.attachment.id;
            store
                .write_system(move |tx| {
                    Box::pin(async move { tx.db().delete_attachment(id).await })
                })
                .await?;
        }
        Ok(())
    }
}
