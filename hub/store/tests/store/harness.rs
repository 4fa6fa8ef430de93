//! A store of a test's own on either engine, a small company to work with, and a way to look at the
//! tables past the store.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hub_domain::channel::{
    Capabilities, ChannelKind, InboundAttachment, InboundMessage, IntakeMode, Sender,
};
use hub_domain::delivery::DeliveryKind;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{
    AttachmentKind, ChannelId, CompanyId, Content, Conversation, ConversationId, Direction, Event,
    FixedClock, MemberId, Message, MessageId, MessageStatus, Role, Scope, Timestamp, UserId,
    Visibility,
};
use hub_store::records::{Incoming, Ingested, MessageKey, NewChannel, NewDelivery, NewMessage};
use hub_store::{Db, Store, StoreError, StoreOptions, Tx, Vault};
use secrecy::SecretString;
use sqlx::Connection as _;

/// When the tests take place.
pub const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);

/// Makes each case a test of both engines: `sqlite::name` and `postgres::name`.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident: $kind:ident) $body:block)+) => {
        $($(#[$meta])* async fn $name($store: $kind) $body)+
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::TestStore::on_sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::TestStore::on_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_engines;

enum Place {
    /// Holds the folder until the test has ended.
    Sqlite {
        _folder: tempfile::TempDir,
    },
    Postgres(test_services::Database),
}

/// A migrated store on a database of its own.
pub struct TestStore {
    pub store: Store,
    pub clock: FixedClock,
    options: StoreOptions,
    place: Place,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub fn test_vault() -> Vault {
    Vault::new(&SecretString::from("a master key of the tests"))
}

impl TestStore {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("uzel.db").display());
        Self::open(
            StoreOptions { synchronous_full: false, ..StoreOptions::new(url) },
            Place::Sqlite { _folder: folder },
        )
        .await
    }

    pub async fn on_postgres() -> Self {
        let database =
            tokio::task::spawn_blocking(|| test_services::create_database("store")).await.unwrap();
        Self::open(StoreOptions::new(database.url()), Place::Postgres(database)).await
    }

    async fn open(options: StoreOptions, place: Place) -> Self {
        let clock = FixedClock::at(START);
        let store = Store::open(&options, test_vault(), Arc::new(clock.clone())).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, clock, options, place }
    }

    /// The same database under another store: with a shorter queue, or as another node would open it.
    pub async fn open_again(&self, change: impl FnOnce(&mut StoreOptions)) -> Store {
        let mut options = self.options.clone();
        change(&mut options);
        Store::open(&options, test_vault(), Arc::new(self.clock.clone())).await.unwrap()
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// Runs SQL past the store.
    pub async fn execute(&self, sql: impl Into<String>) {
        self.try_execute(sql).await.unwrap();
    }

    pub async fn try_execute(&self, sql: impl Into<String>) -> Result<(), StoreError> {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.into()));
        match &self.place {
            Place::Sqlite { .. } => {
                let mut conn = sqlx::SqliteConnection::connect(&self.options.url).await.unwrap();
                sql.execute(&mut conn).await?;
            }
            Place::Postgres(database) => {
                let mut conn = sqlx::PgConnection::connect(database.url()).await.unwrap();
                sql.execute(&mut conn).await?;
            }
        }
        Ok(())
    }

    /// The only column of a query, as text.
    pub async fn texts(&self, sql: impl Into<String>) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql.into());
        match &self.place {
            Place::Sqlite { .. } => {
                let mut conn = sqlx::SqliteConnection::connect(&self.options.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap()
            }
            Place::Postgres(database) => {
                let mut conn = sqlx::PgConnection::connect(database.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap()
            }
        }
    }

    /// The only number of a query.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql.into());
        match &self.place {
            Place::Sqlite { .. } => {
                let mut conn = sqlx::SqliteConnection::connect(&self.options.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
            }
            Place::Postgres(database) => {
                let mut conn = sqlx::PgConnection::connect(database.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
            }
        }
    }

    /// How the engine would run `sql` for the store, one step a line; arguments in PostgreSQL's words.
    pub async fn plan(&self, sql: &str, arguments: &str) -> Vec<String> {
        let mut reader = self.reader().await.unwrap();
        match reader.db() {
            Db::Sqlite(conn) => {
                let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                let rows: Vec<(i64, i64, i64, String)> =
                    sqlx::query_as(sql).fetch_all(conn).await.unwrap();
                rows.into_iter().map(|(_, _, _, step)| step).collect()
            }
            Db::Postgres(conn) => {
                let prepare = sqlx::AssertSqlSafe(format!("PREPARE asked AS {sql}"));
                sqlx::raw_sql(prepare).execute(&mut *conn).await.unwrap();
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN EXECUTE asked({arguments})"));
                let rows = sqlx::raw_sql(explain).fetch_all(&mut *conn).await.unwrap();
                sqlx::raw_sql("DEALLOCATE asked").execute(conn).await.unwrap();
                rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
            }
        }
    }

    pub async fn company(&self, name: &str) -> CompanyId {
        let name = name.to_owned();
        self.system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.db().insert_company(&name, "Europe/Moscow", "epoch", now).await
            })
        })
        .await
    }

    /// A company with a channel and an administrator.
    pub async fn office(&self, name: &str) -> Office {
        let company = self.company(name).await;
        let channel = self.channel(company, &format!("bot of {name}")).await;
        let member = self.member(company, &format!("phone of {name}")).await;
        Office { company, channel, member }
    }

    pub async fn channel(&self, company: CompanyId, account: &str) -> ChannelId {
        let channel = new_channel(company, account);
        self.system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.db().insert_channel(&channel, 0, now).await
            })
        })
        .await
    }

    pub async fn member(&self, company: CompanyId, phone: &str) -> MemberId {
        let phone = phone.to_owned();
        self.system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let user = tx.db().insert_user(&phone, "Марина Белова", now).await?;
                tx.db().insert_member(company, user, Role::Administrator, 0, now).await
            })
        })
        .await
    }

    /// A job of no company that must succeed.
    pub async fn system<T, F>(&self, job: F) -> T
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        self.store.write_system(job).await.unwrap()
    }

    /// A job of a company that must succeed.
    pub async fn job<T, F>(&self, company: CompanyId, job: F) -> T
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        self.store.write(company, job).await.unwrap()
    }

    /// Stores one message, and answers its ids.
    pub async fn take(&self, company: CompanyId, message: Incoming) -> (MessageId, ConversationId) {
        match self.ingest(company, vec![message]).await.unwrap()[..] {
            [Ingested::Stored { message_id, conversation_id }] => (message_id, conversation_id),
            ref other => panic!("stored was expected, not {other:?}"),
        }
    }

    pub async fn conversation(&self, company: CompanyId, id: ConversationId) -> Conversation {
        let mut reader = self.reader().await.unwrap();
        reader.db().conversation_of_company(company, id).await.unwrap().expect("the conversation")
    }

    pub async fn message(&self, company: CompanyId, id: MessageId) -> Message {
        let mut reader = self.reader().await.unwrap();
        reader.db().message(company, id).await.unwrap().expect("the message")
    }

    /// All messages of a conversation in the order members see them.
    pub async fn history(&self, conversation: ConversationId) -> Vec<Message> {
        let mut reader = self.reader().await.unwrap();
        reader.db().messages_before(conversation, MessageKey::END, 10_000).await.unwrap()
    }

    /// The whole log of a company.
    pub async fn log(&self, company: CompanyId) -> Vec<Event> {
        let mut reader = self.reader().await.unwrap();
        let rows = reader.db().events_after(company, 0, i64::MAX, 1_000_000).await.unwrap();
        rows.iter()
            .map(|row| {
                let event: Event = serde_json::from_str(&row.payload).unwrap();
                assert_eq!(event.offset, row.offset);
                event
            })
            .collect()
    }

    /// Asserts that the log is numbered from 1 without gaps up to the company's offset.
    pub async fn assert_gap_free(&self, company: CompanyId) -> i64 {
        let offsets: Vec<i64> = self.log(company).await.iter().map(|event| event.offset).collect();
        let end = self.position(company).await.unwrap().expect("the company").offset;
        assert_eq!(offsets, (1..=end).collect::<Vec<_>>());
        end
    }

    /// A message of ours at the end of the conversation, as the server's action writes one.
    pub async fn answer(&self, office: &Office, to: ConversationId, text: &str) -> MessageId {
        let (office, text) = (*office, text.to_owned());
        self.job(office.company, move |tx| {
            Box::pin(async move { answer(tx, &office, to, &text).await })
        })
        .await
    }
}

async fn answer(
    tx: &mut Tx,
    office: &Office,
    to: ConversationId,
    text: &str,
) -> Result<MessageId, StoreError> {
    let position = tx.next_offset()?;
    let now = tx.now();
    let id = tx
        .db()
        .insert_message(&NewMessage {
            company_id: office.company,
            channel_id: office.channel,
            conversation_id: to,
            direction: Direction::Outgoing,
            author_member_id: Some(office.member),
            client_message_id: None,
            intention_hash: None,
            content: Content::text(text),
            reply_to: None,
            status: Some(MessageStatus::Queued),
            position,
            sent_at: now,
            version: position,
        })
        .await?;
    let message = tx.db().message(office.company, id).await?;
    let mut conversation =
        tx.db().conversation_of_company(office.company, to).await?.expect("the conversation");
    conversation.last_message = message.as_ref().map(hub_store::ingest::preview);
    conversation.unanswered_count = 0;
    conversation.waiting_since = None;
    tx.db().set_last_place(to, position, 0).await?;
    let changes = Changes { message, conversation: Some(conversation), ..Changes::default() };
    let origin = Origin::Member { member_id: office.member };
    tx.append(EventType::MessageCreated, origin, Some(office.channel), changes).await?;
    Ok(id)
}

/// A company to work with.
#[derive(Debug, Clone, Copy)]
pub struct Office {
    pub company: CompanyId,
    pub channel: ChannelId,
    pub member: MemberId,
}

impl Office {
    pub fn scope(&self, visibility: Visibility) -> Scope {
        Scope {
            company_id: self.company,
            member_id: self.member,
            user_id: UserId(1),
            role: Role::Operator,
            visibility,
        }
    }

    pub fn sees_all(&self) -> Scope {
        self.scope(Visibility::All)
    }
}

pub fn new_channel(company: CompanyId, account: &str) -> NewChannel {
    NewChannel {
        company_id: company,
        kind: ChannelKind::TelegramBot,
        name: "Бот поддержки".to_owned(),
        intake: IntakeMode::Polling,
        external_id: account.to_owned(),
        username: None,
        capabilities: Capabilities {
            text_limit: 4096,
            caption_limit: 1024,
            media: Vec::new(),
            download_limit_bytes: 20_000_000,
            reply: true,
            edit: true,
            delete: true,
            reactions: true,
            delivered_receipts: false,
            read_receipts: false,
            write_first: false,
            sends_per_second: 25,
        },
        secret_sealed: "v1:sealed".to_owned(),
        webhook_secret_sealed: "v1:sealed".to_owned(),
    }
}

/// A message of `client`; the ordinal makes it unique and places it.
pub fn incoming(channel: ChannelId, client: &str, ordinal: i64) -> Incoming {
    Incoming {
        channel_id: channel,
        message: InboundMessage {
            external_id: format!("{client}:{ordinal}"),
            sender: Sender {
                external_id: client.to_owned(),
                chat_id: client.to_owned(),
                name: format!("Клиент {client}"),
                username: None,
                language: Some("ru".to_owned()),
            },
            by_us: false,
            ordinal,
            sent_at: START.plus_seconds(ordinal),
            edited_at: None,
            content: Content::text(format!("сообщение {ordinal}")),
            attachments: Vec::new(),
            album_id: None,
            reply_to: None,
            forwarded_from: None,
            verified_phone: None,
            raw: None,
        },
        download_limit_bytes: 20_000_000,
        answer_button: None,
        uploaded: Vec::new(),
    }
}

pub fn photo(size_bytes: i64) -> InboundAttachment {
    InboundAttachment {
        kind: AttachmentKind::Photo,
        file_ref: "file-of-the-provider".to_owned(),
        unique_ref: None,
        file_name: None,
        mime_type: Some("image/jpeg".to_owned()),
        size_bytes: Some(size_bytes),
        width: Some(1280),
        height: Some(720),
        duration_seconds: None,
        emoji: None,
    }
}

pub fn new_delivery(company: CompanyId, lane: &str, target: &str) -> NewDelivery {
    NewDelivery {
        company_id: Some(company),
        kind: DeliveryKind::SendMessage,
        lane: lane.to_owned(),
        target: target.to_owned(),
        subject_id: 1,
        payload: "{}".to_owned(),
        not_before: START,
    }
}

/// Appends an event about the member, the smallest change there is.
pub async fn append_something(tx: &mut Tx) -> Result<i64, StoreError> {
    let changes = tx.append(EventType::MemberChanged, Origin::System, None, Changes::default());
    changes.await?;
    Ok(tx.position()?.offset)
}

/// Waits for what other tasks do, and says so when it does not come.
pub async fn within_seconds<T>(seconds: u64, what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), wait)
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than {seconds} s"))
}
