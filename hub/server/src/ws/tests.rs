//! The protocol as a client meets it: over real sockets, on both engines.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{
    ChannelId, Event, FixedClock, Member, MemberId, Role, SessionId, StreamPosition, Timestamp,
    Visibility,
};
use hub_store::{Store, StoreError, StoreOptions, Vault};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest as _};

use super::protocol::{ClientFrame, ServerFrame};
use super::stream::RingLimits;
use super::*;
use crate::auth::Proof;
use crate::bus::Bus;
use crate::lifecycle::Lifecycle;
use crate::listen;

const SOON: Duration = Duration::from_secs(30);
const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);

/// Holds a watch between subscribing and reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Between {
    pub reached: Arc<Notify>,
    pub go_on: Arc<Notify>,
}

macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($place:ident: Place) $body:block)+) => {
        $($(#[$meta])* async fn $name($place: Place) $body)+
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Place::postgres().await).await;
            })+
        }
    };
}

mod anything;
mod connections;
mod following;
mod nodes;

/// A database of a test's own.
struct Place {
    url: String,
    _folder: Option<tempfile::TempDir>,
    _database: Option<test_services::Database>,
}

impl Place {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("uzel.db").display());
        Self { url, _folder: Some(folder), _database: None }
    }

    async fn postgres() -> Self {
        let create = || test_services::create_database("realtime");
        let database = tokio::task::spawn_blocking(create).await.unwrap();
        Self { url: database.url().to_owned(), _folder: None, _database: Some(database) }
    }

    async fn store(&self) -> Store {
        let options = StoreOptions { synchronous_full: false, ..StoreOptions::new(&self.url) };
        let vault = Vault::new(&SecretString::from("a master key of the tests"));
        let store = Store::open(&options, vault, Arc::new(FixedClock::at(START))).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

/// Lets in whoever names a user, to companies of everybody, unless told otherwise.
#[derive(Debug, Default)]
struct TestDoor {
    signed_out: AtomicBool,
    scopes: Mutex<HashMap<(UserId, CompanyId), Option<Visibility>>>,
}

impl TestDoor {
    fn narrow(&self, user: i64, company: CompanyId, visibility: Option<Visibility>) {
        self.scopes.lock().unwrap().insert((UserId(user), company), visibility);
    }
}

#[async_trait]
impl Doorkeeper for TestDoor {
    async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
        let user = headers.get("x-user").and_then(|value| value.to_str().ok());
        let user = user.and_then(|value| value.parse().ok());
        Ok(user
            .map(|user| Caller { user_id: UserId(user), proof: Proof::Session(SessionId(user)) }))
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match headers.get(http::header::ORIGIN) {
            Some(_) => Err(Code::Csrf.into()),
            None => Ok(()),
        }
    }

    async fn is_signed_in(&self, _: Caller) -> Result<bool, ApiError> {
        Ok(!self.signed_out.load(Ordering::Relaxed))
    }

    async fn scope(&self, user: UserId, company: CompanyId) -> Result<Option<Scope>, ApiError> {
        let known = self.scopes.lock().unwrap().get(&(user, company)).cloned();
        let visibility = known.unwrap_or(Some(Visibility::All));
        Ok(visibility.map(|visibility| Scope {
            company_id: company,
            member_id: MemberId(user.0),
            user_id: user,
            role: Role::Operator,
            visibility,
        }))
    }
}

/// A node that does nothing but realtime.
struct Node {
    store: Store,
    fanout: Fanout,
    door: Arc<TestDoor>,
    bus: Bus,
    address: SocketAddr,
}

fn settings() -> Settings {
    Settings {
        heartbeat: Duration::from_secs(25),
        silence: Duration::from_mins(1),
        tick: Duration::from_millis(20),
        // Hints alone have to do, unless a test says otherwise.
        sweep: Duration::from_hours(1),
        revalidate: Duration::from_hours(1),
        write_timeout: Duration::from_secs(10),
        close_timeout: Duration::from_millis(500),
        farewell: Duration::from_millis(100),
        max_catch_up_events: 1000,
        max_lag_events: 20_000,
        ring: RingLimits { frames: 64, bytes: 1 << 20 },
        max_watches: 3,
        max_user_connections: 5,
        max_connections: 2000,
    }
}

#[derive(Clone)]
struct Served {
    fanout: Fanout,
    door: Arc<TestDoor>,
}

impl Node {
    async fn start(place: &Place, settings: Settings) -> Self {
        Self::on_bus(place, settings, Bus::in_process()).await
    }

    async fn on_bus(place: &Place, settings: Settings, bus: Bus) -> Self {
        let store = place.store().await;
        let lifecycle = Lifecycle::new(Duration::from_secs(20));
        let fanout = Fanout::new(store.clone(), bus.clone(), lifecycle.clone(), settings);
        let door = Arc::new(TestDoor::default());
        bus.start(&lifecycle, store.commits());
        fanout.start(Arc::clone(&door) as Arc<dyn Doorkeeper>);
        let served = Served { fanout: fanout.clone(), door: Arc::clone(&door) };
        let open = |State(served): State<Served>, headers: HeaderMap, upgrade| async move {
            accept(&served.fanout, served.door, &headers, upgrade).await
        };
        let router = Router::new().route("/", get(open)).with_state(served);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        lifecycle.spawn("listener", listen::serve(listener, router, lifecycle.clone()));
        Self { store, fanout, door, bus, address }
    }

    async fn company(&self) -> CompanyId {
        self.store
            .write_system(|tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let id = tx.db().insert_company("ООО", "Europe/Moscow", "e1", now).await?;
                    Ok::<_, StoreError>(id)
                })
            })
            .await
            .unwrap()
    }

    async fn append(&self, company: CompanyId, count: usize) -> StreamPosition {
        self.append_about(company, vec![None; count]).await
    }

    async fn append_about(&self, company: CompanyId, channels: Vec<Option<i64>>) -> StreamPosition {
        self.append_named(company, channels, String::new()).await
    }

    /// Appends events about channels, each as large as `name`.
    async fn append_named(
        &self,
        company: CompanyId,
        channels: Vec<Option<i64>>,
        name: String,
    ) -> StreamPosition {
        self.store
            .write(company, move |tx| {
                Box::pin(async move {
                    for channel in channels {
                        let member = (!name.is_empty()).then(|| Member {
                            id: MemberId(1),
                            user_id: UserId(1),
                            name: name.clone(),
                            role: Role::Operator,
                            version: 0,
                            created_at: START,
                        });
                        let changes = Changes { member, ..Changes::default() };
                        let kind = EventType::MemberChanged;
                        tx.append(kind, Origin::System, channel.map(ChannelId), changes).await?;
                    }
                    tx.position()
                })
            })
            .await
            .unwrap()
    }

    async fn set_epoch(&self, company: CompanyId, epoch: &'static str) {
        let set = self.store.write_system(move |tx| {
            Box::pin(async move { tx.db().set_epoch(company, epoch).await })
        });
        set.await.unwrap();
    }

    async fn prune(&self, company: CompanyId, limit: i64) {
        let prune = self.store.write_system(move |tx| {
            let before = START.plus_seconds(60);
            Box::pin(async move { tx.db().prune_events(company, before, limit).await })
        });
        assert_eq!(prune.await.unwrap(), limit);
    }

    fn end(&self) {
        self.fanout.lifecycle().drain();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.fanout.lifecycle().stop();
    }
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[derive(Debug, PartialEq)]
enum Heard {
    Frame(Box<ServerFrame>),
    Closed(u16),
    /// The connection broke without a word.
    Gone,
}

struct Client {
    socket: tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>,
}

impl Client {
    async fn connect(node: &Node, user: i64) -> Self {
        let mut client = Self::open(node, &[("x-user", &user.to_string())]).await.unwrap();
        let hello = client.frame().await;
        assert!(matches!(hello, ServerFrame::Hello { protocol: 1, .. }), "{hello:?}");
        client
    }

    /// With a small window: when it does not read, that shows after few megabytes.
    async fn narrow(node: &Node, user: i64) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let stream = socket.connect(node.address).await.unwrap();
        let mut client = Self::over(stream, node, &[("x-user", &user.to_string())]).await.unwrap();
        client.frame().await;
        client
    }

    async fn open(
        node: &Node,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let stream = tokio::net::TcpStream::connect(node.address).await.unwrap();
        Self::over(stream, node, headers).await
    }

    async fn over(
        stream: tokio::net::TcpStream,
        node: &Node,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{}/", node.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Self { socket })
    }

    async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    async fn hear(&mut self) -> Heard {
        loop {
            let message = timeout(SOON, self.socket.next()).await.expect("the server says nothing");
            match message {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Frame(serde_json::from_str(&text).expect("a documented frame"));
                }
                Some(Ok(Message::Close(Some(close)))) => return Heard::Closed(close.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    async fn frame(&mut self) -> ServerFrame {
        match self.hear().await {
            Heard::Frame(frame) => *frame,
            other => panic!("{other:?} instead of a frame"),
        }
    }

    /// Reads on to the end and says how it ended.
    async fn closed(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Heard::Frame(_) => {}
                Heard::Closed(code) => return code,
                Heard::Gone => panic!("closed without a word"),
            }
        }
    }

    async fn watch(
        &mut self,
        company_id: CompanyId,
        position: Option<&StreamPosition>,
    ) -> (bool, StreamPosition) {
        self.send(&ClientFrame::Watch { company_id, position: position.cloned() }).await;
        self.watching().await
    }

    async fn watching(&mut self) -> (bool, StreamPosition) {
        match self.frame().await {
            ServerFrame::Watching { recovered, position, .. } => (recovered, position),
            other => panic!("{other:?} instead of watching"),
        }
    }

    async fn events(&mut self) -> (Vec<Event>, StreamPosition) {
        match self.frame().await {
            ServerFrame::Events { events, position, .. } => (events, position),
            other => panic!("{other:?} instead of events"),
        }
    }

    /// Reads events until `through`, each following the one before.
    async fn follow(&mut self, after: i64, through: i64) -> StreamPosition {
        let mut at = after;
        loop {
            let (events, position) = self.events().await;
            for event in events {
                assert_eq!(event.offset, at + 1, "in order, without a gap, once");
                at = event.offset;
            }
            assert_eq!(position.offset, at);
            assert!(at <= through, "more events than there are");
            if at == through {
                return position;
            }
        }
    }
}

fn at(epoch: &str, offset: i64) -> StreamPosition {
    StreamPosition { epoch: epoch.to_owned(), offset }
}
