//! The channels that webhooks come for: found with what proves a webhook genuine.
//!
//! Each webhook is judged by its channel as it was when the webhook came or later, never by a copy from
//! before: a channel switched off elsewhere refuses at once. What many webhooks ask while a read is
//! under way is answered by the next read, for all of them; alone, a webhook reads at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hub_domain::ChannelId;
use hub_domain::channel::{Channel, ChannelAccess};
use hub_store::{Store, StoreError};

use crate::drivers;

/// A channel, opened.
#[derive(Debug)]
pub struct Opened {
    pub channel: Channel,
    pub access: ChannelAccess,
}

/// What the last read found.
#[derive(Debug, Default)]
struct Found {
    round: u64,
    channels: HashMap<ChannelId, Arc<Opened>>,
    asked: Vec<ChannelId>,
}

/// What the next read is to look for, and its number.
#[derive(Debug)]
struct Asked {
    round: u64,
    ids: Vec<ChannelId>,
}

#[derive(Debug)]
pub struct WebhookChannels {
    store: Store,
    asked: Mutex<Asked>,
    found: tokio::sync::Mutex<Found>,
}

impl WebhookChannels {
    pub fn new(store: Store) -> Self {
        let asked = Asked { round: 1, ids: Vec::new() };
        Self { store, asked: Mutex::new(asked), found: tokio::sync::Mutex::default() }
    }

    /// The channel as it is now; `None` when there is none.
    pub async fn find(&self, id: ChannelId) -> Result<Option<Arc<Opened>>, StoreError> {
        let round = self.ask(id);
        let mut found = self.found.lock().await;
        // A read that began after we asked has looked for it. One that failed, or was dropped with
        // whoever made it, counts for nothing.
        if found.round < round || !found.asked.contains(&id) {
            // Once more: whoever took our question may not have come to an answer.
            self.ask(id);
            let (round, ids) = self.take();
            let channels = self.read(&ids).await?;
            *found = Found { round, channels, asked: ids };
        }
        Ok(found.channels.get(&id).map(Arc::clone))
    }

    fn ask(&self, id: ChannelId) -> u64 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.ids.contains(&id) {
            asked.ids.push(id);
        }
        asked.round
    }

    /// Begins a read: who asks from now on waits for the one after it.
    fn take(&self) -> (u64, Vec<ChannelId>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let round = asked.round;
        asked.round += 1;
        (round, std::mem::take(&mut asked.ids))
    }

    async fn read(&self, ids: &[ChannelId]) -> Result<HashMap<ChannelId, Arc<Opened>>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut reader = self.store.reader().await?;
        let rows = reader.db().secrets_of_channels(&ids).await?;
        drop(reader);
        let mut channels = HashMap::with_capacity(rows.len());
        for secrets in rows {
            let access = drivers::access(self.store.vault(), &secrets)?;
            let channel = secrets.channel;
            channels.insert(channel.id, Arc::new(Opened { channel, access }));
        }
        Ok(channels)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use hub_domain::channel::{Capabilities, ChannelKind, IntakeMode};
    use hub_domain::{CompanyId, FixedClock, Timestamp};
    use hub_store::records::NewChannel;
    use hub_store::{StoreOptions, Vault};
    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;
    use crate::actions::bootstrap::{Bootstrap, bootstrap};
    use crate::actions::connect_channel::{SECRET_PURPOSE, WEBHOOK_SECRET_PURPOSE};

    struct Place {
        store: Store,
        company: CompanyId,
        _folder: tempfile::TempDir,
    }

    impl Place {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("uzel.db").display());
            let vault = Vault::new(&SecretString::from("a master key of the tests"));
            let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_795_500_000_000)));
            let store = Store::open(&StoreOptions::new(url), vault, clock).await.unwrap();
            store.migrate().await.unwrap();
            let request = Bootstrap {
                company_name: "Company".to_owned(),
                phone: "+79261234567".to_owned(),
                name: "Anna".to_owned(),
            };
            let company = bootstrap(&store, 24, request).await.unwrap().company.id;
            Self { store, company, _folder: folder }
        }

        async fn channel(&self, account: &str) -> ChannelId {
            let seal = |purpose, text: &str| {
                self.store.vault().seal(purpose, &SecretString::from(text.to_owned()))
            };
            let new = NewChannel {
                company_id: self.company,
                kind: ChannelKind::TelegramBot,
                name: account.to_owned(),
                intake: IntakeMode::Webhook,
                external_id: account.to_owned(),
                username: None,
                capabilities: Capabilities {
                    text_limit: 4096,
                    caption_limit: 1024,
                    media: Vec::new(),
                    download_limit_bytes: 0,
                    reply: true,
                    edit: true,
                    delete: true,
                    reactions: true,
                    delivered_receipts: false,
                    read_receipts: false,
                    write_first: false,
                    sends_per_second: 30,
                },
                secret_sealed: seal(SECRET_PURPOSE, "token"),
                webhook_secret_sealed: seal(WEBHOOK_SECRET_PURPOSE, account),
            };
            self.store
                .write(self.company, move |tx| {
                    Box::pin(async move {
                        let now = tx.now();
                        tx.db().insert_channel(&new, 0, now).await
                    })
                })
                .await
                .unwrap()
        }

        async fn rename(&self, id: ChannelId, name: String) {
            self.store
                .write(self.company, move |tx| {
                    Box::pin(async move {
                        let company = tx.company_id()?;
                        let mut channel = tx.db().channel(company, id).await?.expect("it exists");
                        channel.name = name;
                        tx.db().save_channel(&channel).await
                    })
                })
                .await
                .unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_at_once_find_each_their_own_channel_and_strangers_none() {
        let place = Place::new().await;
        let first = place.channel("first").await;
        let second = place.channel("second").await;
        let channels = WebhookChannels::new(place.store.clone());
        let finds = (0..300).map(|n| {
            let id = [first, second, ChannelId(4711)][n % 3];
            let channels = &channels;
            async move { (n, channels.find(id).await.unwrap()) }
        });
        for (n, opened) in join_all(finds).await {
            let found = opened.as_ref().map(|opened| opened.access.webhook_secret.expose_secret());
            assert_eq!(found, [Some("first"), Some("second"), None][n % 3]);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_was_changed_before_the_question_is_in_the_answer() {
        let place = Place::new().await;
        let id = place.channel("first").await;
        let channels = WebhookChannels::new(place.store.clone());
        for n in 0..50 {
            place.rename(id, n.to_string()).await;
            for opened in join_all((0..8).map(|_| channels.find(id))).await {
                assert_eq!(opened.unwrap().unwrap().channel.name, n.to_string());
            }
        }
    }

    #[tokio::test]
    async fn a_question_that_was_dropped_harms_no_other() {
        let place = Place::new().await;
        let id = place.channel("first").await;
        let channels = WebhookChannels::new(place.store.clone());
        let mut was_reading = 0;
        while was_reading < 20 {
            let mut dropped = Box::pin(channels.find(id));
            // Sometimes the store is as quick as we are.
            if futures_util::poll!(dropped.as_mut()).is_ready() {
                continue;
            }
            was_reading += 1;
            let mut waiting = Box::pin(channels.find(id));
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
            drop(dropped);
            assert!(waiting.await.unwrap().is_some());
        }
    }
}
