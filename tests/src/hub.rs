//! The inside of the product without HTTP: a store, the delivery engine, a fake channel, a company.
//!
//! For tests of flows, which need to hold the provider still and look at every step. What is looked at
//! is what a client could know: snapshots are made by the queries that answer clients, and the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel_testkit::FakeChannel;
use hub_domain::channel::{Channel, ChannelKind, IntakeMode, NumberedUpdate};
use hub_domain::{
    ChatOrder, Clock as _, Company, CompanyId, Conversation, ConversationId, Event, FixedClock,
    Member, Message, Role, Scope, Timestamp, Visibility,
};
use hub_server::actions::apply_updates::apply_updates;
use hub_server::actions::connect_channel::{ConnectChannel, connect_channel};
use hub_server::bus::Bus;
use hub_server::config::DeliveryConfig;
use hub_server::delivery::{Engine, EngineParts};
use hub_server::drivers::Drivers;
use hub_server::files::Files;
use hub_server::gateways::Gateways;
use hub_server::lifecycle::Lifecycle;
use hub_store::records::{
    ClaimRequest, ConversationFilter, ConversationPage, ConversationQuery, ListPart, MessageKey,
};
use hub_store::{Store, StoreError, StoreOptions, Vault};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// When tests take place.
pub const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);
/// Longest wait for something to happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The engine a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Keeps the database of a test alive.
pub enum Place {
    Folder(tempfile::TempDir),
    Database(test_services::Database, tempfile::TempDir),
}

impl Place {
    pub fn new(database: Database) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        match database {
            Database::Sqlite => Self::Folder(folder),
            Database::Postgres => Self::Database(test_services::create_database("flow"), folder),
        }
    }

    pub fn folder(&self) -> &std::path::Path {
        match self {
            Self::Folder(folder) | Self::Database(_, folder) => folder.path(),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.path().join("uzel.db").display()),
            Self::Database(database, _) => database.url().to_owned(),
        }
    }
}

/// What a client that has loaded everything would hold, by id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    pub conversations: BTreeMap<i64, Conversation>,
    pub messages: BTreeMap<i64, Message>,
    pub channels: BTreeMap<i64, Channel>,
    pub members: BTreeMap<i64, Member>,
    pub companies: BTreeMap<i64, Company>,
    /// By `conversation:member`.
    pub read_markers: BTreeMap<String, hub_domain::conversation::ReadMarker>,
    /// Marks of deleted ones included.
    pub quick_replies: BTreeMap<i64, hub_domain::QuickReply>,
}

impl Snapshot {
    /// What a client does with an event: the newer version of each entity stays.
    pub fn apply(&mut self, event: &Event) {
        fn put<K: Ord, T>(held: &mut BTreeMap<K, T>, key: K, new: T, version: impl Fn(&T) -> i64) {
            let newer = held.get(&key).is_none_or(|old| version(old) < version(&new));
            if newer {
                held.insert(key, new);
            }
        }
        let changes = event.changes.clone();
        if let Some(new) = changes.conversation {
            put(&mut self.conversations, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.message {
            put(&mut self.messages, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.channel {
            put(&mut self.channels, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.member {
            put(&mut self.members, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.quick_reply {
            put(&mut self.quick_replies, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.company {
            put(&mut self.companies, new.id.0, new, |it| it.version);
        }
        if let Some(new) = changes.read_marker {
            let key = format!("{}:{}", new.conversation_id, new.member_id);
            put(&mut self.read_markers, key, new, |it| it.version);
        }
    }
}

/// The product's inside, on a database of its own.
pub struct TestHub {
    pub store: Store,
    pub fake: FakeChannel,
    pub files: Files,
    pub clock: FixedClock,
    pub company: CompanyId,
    /// The administrator.
    pub scope: Scope,
    pub operator: Scope,
    pub channel: Channel,
    lifecycle: Lifecycle,
    _place: Place,
}

impl TestHub {
    pub async fn start(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// With `concurrency` deliveries at a time; with one, events come in the same order every time.
    pub async fn with_concurrency(database: Database, concurrency: usize) -> Self {
        Self::with(database, |config| config.concurrency = concurrency).await
    }

    /// With deliveries as `change` leaves their configuration.
    pub async fn with(database: Database, change: impl FnOnce(&mut DeliveryConfig)) -> Self {
        let place = Place::new(database);
        let clock = FixedClock::at(START);
        let options = StoreOptions { synchronous_full: false, ..StoreOptions::new(place.url()) };
        let vault = Vault::new(&SecretString::from("a master key of the tests"));
        let store = Store::open(&options, vault, Arc::new(clock.clone())).await.expect("opens");
        store.migrate().await.expect("migrates");
        let (company, scope, operator) = found_company(&store).await;

        let fake = FakeChannel::new();
        let drivers = Drivers::of(vec![fake.driver()]);
        let config = hub_server::config::load(&hub_server::config::Inputs::from_flags([]))
            .expect("defaults load")
            .config;
        let mut delivery =
            DeliveryConfig { retry_schedule: vec![10, 60], concurrency: 16, ..config.delivery };
        change(&mut delivery);
        let files = Files::open(
            &config.files,
            hub_server::config::files::FilesLocation::Folder(place.folder().join("files")),
        )
        .expect("files open");
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        Engine::new(EngineParts {
            store: store.clone(),
            drivers,
            files: files.clone(),
            gateways: Gateways::new(Vec::new()),
            bus: Bus::in_process(),
            config: delivery,
            public_url: "https://uzel.example".parse().expect("a URL"),
            max_file_bytes: 50 << 20,
            node: "test".to_owned(),
        })
        .start(&lifecycle);

        let request = ConnectChannel {
            kind: ChannelKind::TelegramBot,
            credential: SecretString::from("100:token"),
            name: Some("Support".to_owned()),
            intake: IntakeMode::Webhook,
        };
        let channel =
            connect_channel(&store, &fake.driver(), &scope, request).await.expect("connects");
        let mut hub = Self {
            store,
            fake,
            files,
            clock,
            company,
            scope,
            operator,
            channel,
            lifecycle,
            _place: place,
        };
        hub.quiet().await;
        hub.channel = hub.snapshot().await.channels.into_values().next().expect("the channel");
        hub
    }

    /// What the channel tells, applied and settled.
    pub async fn receive(&self, updates: Vec<NumberedUpdate>) {
        self.try_receive(updates).await.expect("updates apply");
        self.quiet().await;
    }

    pub async fn try_receive(&self, updates: Vec<NumberedUpdate>) -> Result<(), StoreError> {
        apply_updates(&self.store, &self.fake, &self.channel, updates).await
    }

    /// Waits until no delivery is due or under way. Held sends count as settled.
    pub async fn quiet(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            // Asked in the writer's turn, where no claim is half done.
            let (counts, due) = self
                .store
                .write_system::<_, StoreError, _>(|tx| {
                    Box::pin(async move {
                        let now = tx.now();
                        let owner = String::new();
                        let request = ClaimRequest { owner, now, lease_until: now, limit: 1 };
                        let counts = tx.db().delivery_counts().await?;
                        Ok((counts, tx.db().claim_candidates(&request).await?.deliveries))
                    })
                })
                .await
                .expect("reads");
            let flying: i64 =
                counts.iter().filter(|(state, _)| state == "in_flight").map(|(_, n)| n).sum();
            let held = i64::try_from(self.fake.held_sends()).unwrap_or(i64::MAX);
            if due.is_empty() && flying <= held {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "never quiet: {counts:?} {due:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Moves the clock past every wait of the retry schedule.
    pub async fn later(&self, seconds: i64) {
        self.clock.advance_millis(seconds * 1000);
        self.quiet().await;
    }

    /// Everything a client could load now.
    pub async fn snapshot(&self) -> Snapshot {
        let mut reader = self.store.reader().await.expect("a reader");
        let mut snapshot = Snapshot::default();
        let page = ConversationPage {
            query: ConversationQuery::of(ConversationFilter::All, self.clock.now()),
            order: ChatOrder::Activity,
            part: ListPart::Top,
            limit: 10_000,
        };
        let conversations = reader.db().conversations(&self.scope, &page).await.expect("a list");
        for conversation in conversations {
            let id = conversation.id;
            let messages = reader.db().messages_after(id, MessageKey::START, 100_000).await;
            for message in messages.expect("messages") {
                snapshot.messages.insert(message.id.0, message);
            }
            for member in [&self.scope, &self.operator] {
                let marker = reader.db().read_marker(member.member_id, id).await.expect("marker");
                if let Some(marker) = marker {
                    snapshot.read_markers.insert(format!("{id}:{}", marker.member_id), marker);
                }
            }
            snapshot.conversations.insert(id.0, conversation);
        }
        for channel in reader.db().channels(&self.scope).await.expect("channels") {
            snapshot.channels.insert(channel.id.0, channel);
        }
        for quick_reply in reader.db().quick_replies(self.company, true).await.expect("replies") {
            snapshot.quick_replies.insert(quick_reply.id.0, quick_reply);
        }
        for member in reader.db().members(self.company).await.expect("members") {
            snapshot.members.insert(member.id.0, member);
        }
        let company = reader.db().company(self.company).await.expect("a company");
        snapshot.companies.extend(company.map(|company| (company.id.0, company)));
        snapshot
    }

    /// The log after `offset`.
    pub async fn events_after(&self, offset: i64) -> Vec<Event> {
        let mut reader = self.store.reader().await.expect("a reader");
        let rows = reader.db().events_after(self.company, offset, i64::MAX, 100_000).await;
        let events: Vec<Event> = rows
            .expect("the log")
            .iter()
            .map(|row| serde_json::from_str(&row.payload).expect("an event"))
            .collect();
        for (index, event) in events.iter().enumerate() {
            let expected = offset + 1 + i64::try_from(index).unwrap_or(i64::MAX);
            assert_eq!(event.offset, expected, "the log has a gap");
        }
        events
    }

    pub async fn offset(&self) -> i64 {
        self.store.position(self.company).await.expect("reads").expect("the company").offset
    }

    /// The only conversation with this client.
    pub async fn conversation_with(&self, external_id: &str) -> Conversation {
        let mut reader = self.store.reader().await.expect("a reader");
        let found = reader.db().conversation_of_identity(self.channel.id, external_id).await;
        found.expect("reads").expect("a conversation")
    }

    pub async fn messages(&self, conversation: ConversationId) -> Vec<Message> {
        let mut reader = self.store.reader().await.expect("a reader");
        let messages = reader.db().messages_after(conversation, MessageKey::START, 100_000).await;
        messages.expect("messages")
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

/// A company with an administrator and an operator.
async fn found_company(store: &Store) -> (CompanyId, Scope, Scope) {
    let members = store
        .write_system::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                let now = tx.now();
                let epoch = "epoch".to_owned();
                let company = tx.db().insert_company("Школа", "Europe/Moscow", &epoch, now).await?;
                tx.adopt_company(company, epoch);
                let mut scopes = Vec::new();
                let people = [
                    ("79036041728", "Марина Белова", Role::Administrator),
                    ("79036041729", "Анна Соловьёва", Role::Operator),
                ];
                for (phone, name, role) in people {
                    let user_id = tx.db().insert_user(phone, name, now).await?;
                    let member_id = tx.db().insert_member(company, user_id, role, 0, now).await?;
                    scopes.push(Scope {
                        company_id: company,
                        member_id,
                        user_id,
                        role,
                        visibility: Visibility::All,
                    });
                }
                Ok(scopes)
            })
        })
        .await
        .expect("a company");
    let [scope, operator] = <[Scope; 2]>::try_from(members).expect("two members");
    (scope.company_id, scope, operator)
}
