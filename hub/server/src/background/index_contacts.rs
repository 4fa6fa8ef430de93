//! Makes clients findable that were added by a release which knew no search: once after an upgrade.
//!
//! Whoever adds or changes a client writes the terms in the same transaction; this walks past all clients
//! once, in order of their ids, and gives terms to those without. It needs no memory of where it was: what
//! is done is skipped. Later rounds look at newer clients only, as nodes of the former release may still
//! add some while the nodes are replaced one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use hub_domain::CompanyId;
use hub_store::{Store, StoreError};

use crate::lifecycle::Lifecycle;

const EVERY: Duration = Duration::from_mins(10);
const LEASE: &str = "index_contacts";
const LEASE_SECONDS: i64 = 300;
/// Clients of one step: what others want written waits behind it.
const STEP: i64 = 500;
/// How much longer than a step the pause behind it is, so that the store stays free for messages.
const REST: u32 = 2;

/// Walks past the clients of every company.
#[derive(Debug, Default)]
pub struct ContactIndexer {
    /// The last client that was looked at.
    through: i64,
}

impl ContactIndexer {
    pub fn start(mut self, store: Store, node: String, lifecycle: &Lifecycle) {
        lifecycle.spawn_until_draining("index_contacts", async move {
            loop {
                if let Err(error) = self.run_once(&store, &node).await {
                    tracing::error!(%error, "clients cannot be indexed");
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Goes on to the last client there is, unless another node does. Returns how many were given terms.
    pub async fn run_once(&mut self, store: &Store, node: &str) -> Result<u64, StoreError> {
        let mut given = 0;
        loop {
            if !take_lease(store, node).await? {
                return Ok(given);
            }
            let started = tokio::time::Instant::now();
            let step = store.reader().await?.db().contacts_to_index(self.through, STEP).await?;
            let Some(last) = step.last().map(|contact| contact.id) else { return Ok(given) };
            let mut missing: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
            for contact in step.iter().filter(|contact| !contact.indexed) {
                missing.entry(contact.company_id).or_default().push(contact.id);
            }
            for (company, ids) in missing {
                given += ids.len() as u64;
                // In the company's turn: nobody renames a client meanwhile.
                store
                    .write(CompanyId(company), move |tx| {
                        Box::pin(async move { tx.db().index_contacts(&ids).await })
                    })
                    .await?;
            }
            self.through = last;
            tokio::time::sleep(started.elapsed() * REST).await;
        }
    }
}

async fn take_lease(store: &Store, node: &str) -> Result<bool, StoreError> {
    let owner = node.to_owned();
    let fence = store
        .write_system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let until = now.plus_seconds(LEASE_SECONDS);
                tx.db().take_lease(LEASE, &owner, now, until).await
            })
        })
        .await?;
    Ok(fence.is_some())
}
