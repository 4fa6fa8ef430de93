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
    ChannelId, ConversationId, Ephemeral, Event, FixedClock, Member, MemberId, Role, SessionId,
    StreamPosition, Timestamp, Visibility,
};
use hub_store::{Store, StoreError, StoreOptions, Vault};
use proptest::prelude::*;
use secrecy::SecretString;
use test_services::RedisServer;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest as _};

use super::protocol::{ClientFrame, ServerFrame};
use super::recovery::{Outbox, Step};
use super::stream::RingLimits;
use super::*;
use crate::auth::Proof;
use crate::bus::{Bus, Passing};
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

on_both_engines! {
    async fn a_client_gets_what_it_missed_and_then_what_comes(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 700).await;
        let mut client = Client::connect(&node, 1).await;
        assert_eq!(client.watch(company, Some(&at("e1", 10))).await, (true, at("e1", 10)));
        client.follow(10, 700).await;
        for last in 701..720 {
            node.append(company, 1).await;
            client.follow(last - 1, last).await;
        }
        // The same over a connection that comes back, from the ring this time.
        let mut again = Client::connect(&node, 1).await;
        assert_eq!(again.watch(company, Some(&at("e1", 705))).await, (true, at("e1", 705)));
        again.follow(705, 719).await;
    }

    async fn a_client_that_was_never_here_follows_from_now(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        assert_eq!(client.watch(company, None).await, (false, at("e1", 5)));
        node.append(company, 3).await;
        client.follow(5, 8).await;
    }

    async fn positions_that_cannot_be_followed_are_told_so(place: Place) {
        let node = Node::start(&place, Settings { max_catch_up_events: 50, ..settings() }).await;
        let company = node.company().await;
        node.append(company, 100).await;
        node.prune(company, 80).await;
        let mut client = Client::connect(&node, 1).await;
        let now = (false, at("e1", 100));
        assert_eq!(client.watch(company, Some(&at("e1", 79))).await, now, "pruned");
        assert_eq!(client.watch(company, Some(&at("e0", 90))).await, now, "another epoch");
        assert_eq!(client.watch(company, Some(&at("e1", 101))).await, now, "ahead");
        assert_eq!(client.watch(company, Some(&at("e1", 80))).await, (true, at("e1", 80)));
        client.follow(80, 100).await;
        node.append(company, 31).await;
        client.follow(100, 131).await;
        assert_eq!(
            client.watch(company, Some(&at("e1", 80))).await,
            (false, at("e1", 131)),
            "too far behind"
        );
        node.append(company, 1).await;
        client.follow(131, 132).await;
    }

    async fn a_new_epoch_sends_those_who_watch_to_a_reload(place: Place) {
        let sweep = Duration::from_millis(50);
        let node = Node::start(&place, Settings { sweep, ..settings() }).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 5))).await;
        node.set_epoch(company, "e2").await;
        assert_eq!(client.watching().await, (false, at("e2", 5)));
        let position = node.append(company, 2).await;
        assert_eq!(client.follow(5, 7).await, position);
        // And those who come back with the old one.
        assert_eq!(client.watch(company, Some(&at("e1", 5))).await, (false, at("e2", 7)));
    }

    async fn a_client_that_watches_just_after_the_epoch_changed_gets_the_new_one(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut first = Client::connect(&node, 1).await;
        first.watch(company, None).await;
        node.set_epoch(company, "e2").await;
        let mut second = Client::connect(&node, 2).await;
        assert_eq!(second.watch(company, Some(&at("e2", 3))).await, (true, at("e2", 3)));
        second.follow(3, 5).await;
        assert_eq!(first.watching().await, (false, at("e2", 5)));
    }

    async fn what_is_written_between_subscribing_and_reading_comes_once(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let between = Between::default();
        node.fanout.set_between(between.clone());
        for (position, recovered) in [(Some(at("e1", 4)), true), (None, false)] {
            let mut client = Client::connect(&node, 1).await;
            let company_id = company;
            client.send(&ClientFrame::Watch { company_id, position }).await;
            between.reached.notified().await;
            let written = node.append(company, 3).await;
            between.go_on.notify_one();
            let (told, from) = client.watching().await;
            assert_eq!(told, recovered);
            let after = node.append(company, 2).await;
            assert_eq!(client.follow(from.offset, after.offset).await, after);
            assert_eq!(from.offset, if recovered { 4 } else { written.offset });
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a client of the test")]
    async fn a_slow_consumer_is_closed_and_loses_nothing(place: Place) {
        let write_timeout = Duration::from_secs(2);
        let node = Node::start(&place, Settings { write_timeout, ..settings() }).await;
        let company = node.company().await;
        let mut slow = Client::narrow(&node, 1).await;
        let mut quick = Client::connect(&node, 2).await;
        slow.watch(company, None).await;
        quick.watch(company, None).await;
        let large = "x".repeat(100_000);
        // The others do not wait for it.
        let quick = tokio::spawn(async move { quick.follow(0, 100).await });
        for _ in 0..10 {
            node.append_named(company, vec![None; 10], large.clone()).await;
        }
        timeout(SOON, quick).await.unwrap().unwrap();
        until("the slow one is closed", || node.fanout.connection_count() == 0).await;
        let mut reached = 0;
        while let Heard::Frame(frame) = slow.hear().await {
            let ServerFrame::Events { events, .. } = *frame else { panic!("only events") };
            for event in events {
                assert_eq!(event.offset, reached + 1);
                reached = event.offset;
            }
        }
        assert!(reached < 100, "it was not slow");
        let mut again = Client::connect(&node, 1).await;
        let position = at("e1", reached);
        assert_eq!(again.watch(company, Some(&position)).await, (true, position));
        again.follow(reached, 100).await;
    }

    async fn watching_twice_starts_over_from_the_new_position(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 5))).await;
        assert_eq!(client.watch(company, Some(&at("e1", 5))).await, (true, at("e1", 5)));
        node.append(company, 1).await;
        client.follow(5, 6).await;
        client.watch(company, Some(&at("e1", 3))).await;
        client.follow(3, 6).await;
        node.append(company, 1).await;
        client.follow(6, 7).await;
    }

    async fn events_of_companies_not_watched_do_not_come(place: Place) {
        let node = Node::start(&place, settings()).await;
        let (first, second) = (node.company().await, node.company().await);
        let mut client = Client::connect(&node, 1).await;
        client.watch(first, None).await;
        client.watch(second, None).await;
        client.send(&ClientFrame::Unwatch { company_id: second }).await;
        until("it is left", || node.fanout.stream_count() == 1).await;
        node.append(second, 1).await;
        node.append(first, 1).await;
        client.follow(0, 1).await;
        drop(client);
        until("nobody is left", || node.fanout.stream_count() == 0).await;
        until("nobody is left", || node.fanout.connection_count() == 0).await;
    }

    async fn a_restart_in_the_middle_loses_and_doubles_nothing(place: Place) {
        let old = Node::start(&place, settings()).await;
        let company = old.company().await;
        let mut client = Client::connect(&old, 1).await;
        client.watch(company, None).await;
        for _ in 0..50 {
            old.append(company, 3).await;
        }
        old.end();
        let (mut reached, mut ended) = (at("e1", 0), None);
        while ended.is_none() {
            match client.hear().await {
                Heard::Frame(frame) => {
                    let ServerFrame::Events { events, position, .. } = *frame else { panic!() };
                    assert_eq!(events.first().unwrap().offset, reached.offset + 1);
                    reached = position;
                }
                Heard::Closed(code) => ended = Some(code),
                Heard::Gone => panic!("closed without a word"),
            }
        }
        assert_eq!(ended, Some(4000));
        drop(client);
        let finished = timeout(SOON, old.fanout.lifecycle().finished()).await;
        assert!(finished.is_ok(), "draining does not hang on connections");
        let new = Node::start(&place, settings()).await;
        new.append(company, 10).await;
        let mut client = Client::connect(&new, 1).await;
        assert_eq!(client.watch(company, Some(&reached)).await, (true, reached.clone()));
        client.follow(reached.offset, 160).await;
    }

    async fn a_narrowed_member_gets_only_what_it_may_see_and_moves_on(place: Place) {
        let revalidate = Duration::from_millis(50);
        let node = Node::start(&place, Settings { revalidate, ..settings() }).await;
        let company = node.company().await;
        let seen = Visibility::Channels(vec![ChannelId(2)]);
        node.door.narrow(1, company, Some(seen));
        node.append_about(company, vec![Some(1), Some(2), None]).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 0))).await;
        let (events, position) = client.events().await;
        let offsets: Vec<i64> = events.iter().map(|event| event.offset).collect();
        assert_eq!((offsets, position), (vec![2, 3], at("e1", 3)));
        node.append_about(company, vec![Some(1)]).await;
        assert_eq!(client.events().await, (vec![], at("e1", 4)));
        // Seeing more means that what was left out has to be loaded.
        node.door.narrow(1, company, Some(Visibility::All));
        assert_eq!(client.watching().await, (false, at("e1", 4)));
        node.append_about(company, vec![Some(1)]).await;
        client.follow(4, 5).await;
        node.door.narrow(1, company, None);
        assert_eq!(client.closed().await, 4102);
    }

    async fn colleagues_see_each_other_type_and_nobody_else_does(place: Place) {
        let node = Node::start(&place, settings()).await;
        let (company, other) = (node.company().await, node.company().await);
        let conversation_id = conversation(&node.store, company).await;
        let mut watching = Vec::new();
        for (user, company) in [(1, company), (1, company), (2, company), (3, other)] {
            let mut client = Client::connect(&node, user).await;
            client.watch(company, None).await;
            watching.push(client);
        }
        let [author, own_tab, colleague, stranger] = &mut watching[..] else { panic!() };
        author.send(&ClientFrame::Typing { company_id: company, conversation_id }).await;
        let typing = Ephemeral::Typing { member_id: MemberId(1), conversation_id };
        let expected = ServerFrame::Ephemeral { company_id: company, ephemeral: typing };
        assert_eq!(colleague.frame().await, expected);
        let looking = ClientFrame::LookingAt { company_id: company, conversation_id: None };
        colleague.send(&looking).await;
        let looking = Ephemeral::LookingAt { member_id: MemberId(2), conversation_id: None };
        let expected = ServerFrame::Ephemeral { company_id: company, ephemeral: looking };
        // Its own typing did not come back to the author, nor to the author's other tab.
        assert_eq!(author.frame().await, expected);
        assert_eq!(own_tab.frame().await, expected);
        // A stranger can neither hear nor say anything about the company.
        stranger.send(&ClientFrame::Typing { company_id: company, conversation_id }).await;
        let ServerFrame::Error { code, .. } = stranger.frame().await else { panic!() };
        assert_eq!(code, "not_watching");
        stranger.send(&ClientFrame::Typing { company_id: other, conversation_id }).await;
        let ServerFrame::Error { code, .. } = stranger.frame().await else { panic!() };
        assert_eq!(code, "not_found");
    }
}

async fn conversation(store: &Store, company: CompanyId) -> ConversationId {
    use hub_domain::Content;
    use hub_domain::channel::{Capabilities, ChannelKind, InboundMessage, IntakeMode, Sender};
    use hub_store::records::{Incoming, Ingested, NewChannel};

    let channel = NewChannel {
        company_id: company,
        kind: ChannelKind::TelegramBot,
        name: "Бот".to_owned(),
        intake: IntakeMode::Polling,
        external_id: "1".to_owned(),
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
    };
    let channel_id = store
        .write_system(move |tx| {
            let now = tx.now();
            Box::pin(async move { tx.db().insert_channel(&channel, 0, now).await })
        })
        .await
        .unwrap();
    let message = InboundMessage {
        external_id: "1:1".to_owned(),
        sender: Sender {
            external_id: "1".to_owned(),
            chat_id: "1".to_owned(),
            ..Sender::default()
        },
        by_us: false,
        ordinal: 1,
        sent_at: START,
        edited_at: None,
        content: Content::text("здравствуйте"),
        attachments: Vec::new(),
        album_id: None,
        reply_to: None,
        forwarded_from: None,
        verified_phone: None,
        raw: None,
    };
    let incoming = Incoming {
        channel_id,
        message,
        download_limit_bytes: 0,
        answer_button: None,
        uploaded: Vec::new(),
    };
    match store.ingest(company, vec![incoming]).await.unwrap()[..] {
        [Ingested::Stored { conversation_id, .. }] => conversation_id,
        _ => panic!("it was not stored"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_learns_why() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let mut nobody = Client::open(&node, &[]).await.unwrap();
    assert_eq!(nobody.closed().await, 4100, "a browser sees close codes only");
    let refused = |headers: &'static [(&'static str, &'static str)]| {
        let node = &node;
        async move {
            match Client::open(node, headers).await {
                Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
                other => panic!("{:?}", other.map(|_| ())),
            }
        }
    };
    assert_eq!(refused(&[("authorization", "Bearer wrong")]).await, 401);
    assert_eq!(refused(&[("x-user", "1"), ("origin", "https://evil.example")]).await, 403);
    let plain = |headers: &'static str| {
        let address = node.address;
        async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request =
                format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer[9..12].to_owned()
        }
    };
    assert_eq!(plain("").await, "401");
    assert_eq!(plain("x-user: 1\r\n").await, "426");
    node.door.narrow(1, CompanyId(1), None);
    let mut stranger = Client::connect(&node, 1).await;
    let watch = ClientFrame::Watch { company_id: CompanyId(1), position: None };
    stranger.send(&watch).await;
    assert_eq!(stranger.closed().await, 4102);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_idle_connection_keeps_is_small() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let (sizes, mut measured) = tokio::sync::mpsc::channel(1);
    let door = Arc::clone(&node.door);
    let served = Served { fanout: node.fanout.clone(), door };
    let open = move |State(served): State<Served>, upgrade: WebSocketUpgrade| async move {
        let caller = Caller { user_id: UserId(1), proof: Proof::PrivateToken([0; 32]) };
        let admission = served.fanout.admit(caller).unwrap();
        upgrade.on_upgrade(async move |socket| {
            let run = session::Session::new(socket, admission, served.door).run();
            sizes.send(size_of_val(&run)).await.unwrap();
        })
    };
    let router = Router::new().route("/", get(open)).with_state(served);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lifecycle = node.fanout.lifecycle();
    lifecycle.spawn("listener", listen::serve(listener, router, lifecycle.clone()));
    let (_socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
    let size = timeout(SOON, measured.recv()).await.unwrap().unwrap();
    println!("future of a session: {size} bytes");
    assert!(size < 3 * 1024, "{size} bytes: box what is rarely used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_connections_of_that_session_at_once() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let (mut gone, mut stays) = (Client::connect(&node, 1).await, Client::connect(&node, 2).await);
    node.fanout.signed_out(SessionId(1));
    assert_eq!(gone.closed().await, 4100);
    let company = node.company().await;
    assert_eq!(stays.watch(company, None).await, (false, at("e1", 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_elsewhere_is_noticed() {
    let place = Place::sqlite();
    let revalidate = Duration::from_millis(50);
    let node = Node::start(&place, Settings { revalidate, ..settings() }).await;
    let mut client = Client::connect(&node, 1).await;
    node.door.signed_out.store(true, Ordering::Relaxed);
    assert_eq!(client.closed().await, 4100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_read_end_the_connection() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let large = format!(r#"{{"type":"heartbeat","x":"{}"}}"#, "x".repeat(70_000));
    let bad = [
        Message::Text("{".into()),
        Message::Text(r#"{"type":"shout"}"#.into()),
        Message::Text(r#"{"type":"watch"}"#.into()),
        Message::Binary(vec![1].into()),
        Message::Text(large.into()),
    ];
    for message in bad {
        let mut client = Client::connect(&node, 1).await;
        let named = format!("{message:.60?}");
        client.socket.send(message).await.unwrap();
        assert_eq!(client.closed().await, 4101, "{named}");
    }
    let mut client = Client::connect(&node, 1).await;
    for _ in 0..200 {
        if client.socket.send(Message::Text(r#"{"type":"heartbeat"}"#.into())).await.is_err() {
            break;
        }
    }
    let frame = client.frame().await;
    assert!(
        matches!(&frame, ServerFrame::Error { code, .. } if code == "rate_limited"),
        "{frame:?}"
    );
    assert_eq!(client.closed().await, 4101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let mut client = Client::connect(&node, 1).await;
    for _ in 0..settings().max_watches {
        client.watch(node.company().await, None).await;
    }
    let watch = ClientFrame::Watch { company_id: node.company().await, position: None };
    client.send(&watch).await;
    assert_eq!(client.closed().await, 4103);
    drop(client);
    until("it is gone", || node.fanout.connection_count() == 0).await;
    let mut clients = Vec::new();
    for _ in 0..settings().max_user_connections {
        clients.push(Client::connect(&node, 1).await);
    }
    let Err(tungstenite::Error::Http(refusal)) = Client::open(&node, &[("x-user", "1")]).await
    else {
        panic!("one too many was let in");
    };
    assert_eq!(refusal.status().as_u16(), 429);
    clients.pop();
    let others = Client::connect(&node, 2).await;
    until("there is room", || node.fanout.connection_count() == settings().max_user_connections)
        .await;
    drop((Client::connect(&node, 1).await, others));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_notice_silence() {
    let place = Place::sqlite();
    let heartbeat = Duration::from_millis(50);
    let silence = Duration::from_millis(600);
    let node = Node::start(&place, Settings { heartbeat, silence, ..settings() }).await;
    let mut alive = Client::connect(&node, 1).await;
    let mut silent = Client::connect(&node, 2).await;
    let started = std::time::Instant::now();
    while started.elapsed() < silence * 2 {
        assert_eq!(alive.frame().await, ServerFrame::Heartbeat);
        alive.send(&ClientFrame::Heartbeat).await;
    }
    assert_eq!(silent.closed().await, 4002);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_get_each_others_events_in_order() {
    let redis = RedisServer::start_own();
    let place = Place::postgres().await;
    let bus = || Bus::redis(&redis.url(), "test").unwrap();
    let first = Node::on_bus(&place, settings(), bus()).await;
    let second = Node::on_bus(&place, settings(), bus()).await;
    until("both are connected", || first.bus.is_healthy() && second.bus.is_healthy()).await;
    let company = first.company().await;
    let (mut at_first, mut at_second) =
        (Client::connect(&first, 1).await, Client::connect(&second, 2).await);
    at_first.watch(company, None).await;
    at_second.watch(company, None).await;
    let write = |node: &'static str, writer: &Node| {
        let (store, count) = (writer.store.clone(), if node == "first" { 40 } else { 60 });
        async move {
            for _ in 0..count {
                let append = store.write(company, |tx| {
                    Box::pin(async move {
                        let kind = EventType::ConversationAnswered;
                        tx.append(kind, Origin::System, None, Changes::default()).await
                    })
                });
                append.await.map(drop).map_err(|error: StoreError| error)?;
            }
            Ok::<_, StoreError>(())
        }
    };
    let (one, two) = tokio::join!(write("first", &first), write("second", &second));
    one.and(two).unwrap();
    // No sweep helps here: the hints do it.
    at_first.follow(0, 100).await;
    at_second.follow(0, 100).await;
    // What members do passes between nodes as well, and so does the end of a session.
    let looking = ClientFrame::LookingAt { company_id: company, conversation_id: None };
    at_first.send(&looking).await;
    let ephemeral = Ephemeral::LookingAt { member_id: MemberId(1), conversation_id: None };
    let expected = ServerFrame::Ephemeral { company_id: company, ephemeral };
    assert_eq!(at_second.frame().await, expected);
    // What a client does has no author to be spared: every connection hears of it.
    let ephemeral = Ephemeral::ClientTyping { conversation_id: ConversationId(5) };
    first.fanout.pass(Passing {
        company_id: company,
        channel_id: None,
        ephemeral: ephemeral.clone(),
    });
    let expected = ServerFrame::Ephemeral { company_id: company, ephemeral };
    assert_eq!(at_first.frame().await, expected);
    assert_eq!(at_second.frame().await, expected);
    first.fanout.signed_out(SessionId(2));
    assert_eq!(at_second.closed().await, 4100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nodes_look_and_with_it_they_hear_again() {
    let mut redis = RedisServer::start_own();
    let place = Place::postgres().await;
    let bus = || Bus::redis(&redis.url(), "test").unwrap();
    let writer = Node::on_bus(&place, settings(), bus()).await;
    let sweep = Duration::from_millis(100);
    let looks = Node::on_bus(&place, Settings { sweep, ..settings() }, bus()).await;
    let hears = Node::on_bus(&place, settings(), bus()).await;
    let nodes = [&writer, &looks, &hears];
    until("all are connected", || nodes.iter().all(|node| node.bus.is_healthy())).await;
    let company = writer.company().await;
    let (mut looking, mut hearing) =
        (Client::connect(&looks, 1).await, Client::connect(&hears, 2).await);
    looking.watch(company, None).await;
    hearing.watch(company, None).await;
    writer.append(company, 2).await;
    looking.follow(0, 2).await;
    hearing.follow(0, 2).await;
    redis.kill();
    until("all noticed", || nodes.iter().all(|node| !node.bus.is_healthy())).await;
    writer.append(company, 3).await;
    looking.follow(2, 5).await;
    redis.restart();
    // This one never looks by itself: it does because the bus is back.
    hearing.follow(2, 5).await;
    until("all are connected", || nodes.iter().all(|node| node.bus.is_healthy())).await;
    writer.append(company, 1).await;
    hearing.follow(5, 6).await;
    looking.follow(5, 6).await;
}

/// What may happen around those who follow a log.
#[derive(Debug, Clone)]
enum Happening {
    Append {
        events: usize,
        bytes: usize,
    },
    /// Somebody begins so many events behind the end.
    Watch {
        behind: i64,
    },
    /// Follower `who` takes about so much.
    Take {
        who: usize,
        bytes: usize,
    },
    Leave {
        who: usize,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1..30usize, 1..4000usize).prop_map(|(events, bytes)| Happening::Append { events, bytes }),
        2 => (0..120i64).prop_map(|behind| Happening::Watch { behind }),
        6 => (0..8usize, 1..40_000usize).prop_map(|(who, bytes)| Happening::Take { who, bytes }),
        1 => (0..8usize).prop_map(|who| Happening::Leave { who }),
    ]
}

struct Reader {
    follower: super::recovery::Follower,
    at: i64,
    _admission: super::fanout::Admission,
    bell: Arc<super::bell::Bell>,
}

impl Reader {
    /// Takes a step; `false` when there was nothing to take.
    async fn step(&mut self, store: &Store, bytes: usize) -> Result<bool, TestCaseError> {
        let mut out = Outbox::default();
        match self.follower.take(&mut out, bytes, i64::MAX) {
            Step::Current => return Ok(false),
            Step::Took => {}
            Step::Read(head) => self.follower.read(store, &head, &mut out).await.unwrap(),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        }
        for frame in out.frames {
            let frame: ServerFrame = serde_json::from_str(&frame).unwrap();
            let ServerFrame::Events { events, position, .. } = frame else {
                return Err(TestCaseError::fail(format!("{frame:?}")));
            };
            for event in events {
                prop_assert_eq!(event.offset, self.at + 1);
                self.at = event.offset;
            }
            prop_assert_eq!(position.offset, self.at);
        }
        Ok(true)
    }
}

async fn play(node: &Node, happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let company = node.company().await;
    let mut readers: Vec<Reader> = Vec::new();
    let mut end = 0;
    for happening in happenings {
        match happening {
            Happening::Append { events, bytes } => {
                let position =
                    node.append_named(company, vec![None; events], "x".repeat(bytes)).await;
                end = position.offset;
            }
            Happening::Watch { behind } => {
                let number = readers.len() as i64;
                let caller =
                    Caller { user_id: UserId(number), proof: Proof::PrivateToken([0; 32]) };
                let admission = node.fanout.admit(caller).unwrap();
                let scope = node.door.scope(UserId(1), company).await.unwrap().unwrap();
                let from = at("e1", (end - behind).max(0));
                let (follower, frame) =
                    node.fanout.watch(&admission, scope, Some(&from)).await.unwrap();
                let company_id = company;
                let expected = ServerFrame::Watching {
                    company_id,
                    recovered: true,
                    position: from.clone(),
                    end,
                };
                prop_assert_eq!(frame, expected);
                let bell = Arc::clone(&admission.bell);
                readers.push(Reader { follower, at: from.offset, _admission: admission, bell });
            }
            Happening::Take { who, bytes } if !readers.is_empty() => {
                let count = readers.len();
                readers[who % count].step(&node.store, bytes).await?;
            }
            Happening::Leave { who } if !readers.is_empty() => {
                let count = readers.len();
                readers.remove(who % count);
            }
            Happening::Take { .. } | Happening::Leave { .. } => {}
        }
    }
    for reader in &mut readers {
        while reader.at < end {
            if !reader.step(&node.store, 4096).await? {
                let rung = timeout(SOON, reader.bell.rung()).await;
                prop_assert!(rung.is_ok(), "{} of {end}: nobody rang", reader.at);
            }
        }
        prop_assert!(!reader.step(&node.store, 4096).await?, "events after the last one");
    }
    Ok(())
}

#[test]
fn whatever_happens_each_follower_sees_each_offset_once_in_order() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let place = Place::sqlite();
    let ring = RingLimits { frames: 4, bytes: 60_000 };
    let max_user_connections = usize::MAX;
    let limits = Settings { ring, max_user_connections, ..settings() };
    let node = runtime.block_on(Node::start(&place, limits));
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() };
    proptest!(config, |(happenings in prop::collection::vec(happening(), 1..60))| {
        runtime.block_on(play(&node, happenings))?;
    });
}
