//! The live side of a widget: connections of visitors, each following its own conversation.
//!
//! One task reads the logs of companies whose visitors are here, behind their heads, once for all of
//! them, and hands each event to the connections it concerns. A connection that comes reads what it
//! missed from the log itself. So each event reaches a visitor once and in order, or the connection is
//! told to load anew. What a connection cannot take in time ends it; it comes again and goes on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket};
use hub_domain::{
    ChannelId, CompanyId, ConversationId, Ephemeral, Event, MemberId, StreamPosition,
};
use hub_store::records::StreamRow;
use hub_store::{Commit, Store, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::time::timeout;

use super::view::{Item, View, conversation_of};
use super::{KnownVisitor, OpenWidget, visitor_of};
use crate::actions::take_receipt::take_receipt;
use crate::app::App;
use crate::bus::{Bus, Passing, Signal};
use crate::lifecycle::Lifecycle;
use crate::limits::Network;
use crate::ws::protocol::Close;

/// Events read at once.
const PAGE_EVENTS: i64 = 256;
/// A visitor further behind loads anew: it is one short page.
const CATCH_UP_EVENTS: i64 = 2000;
/// What a connection may leave waiting.
const WAITING: usize = 128;
/// How often the logs are looked at without a hint.
const SWEEP: Duration = Duration::from_millis(1500);
const HEARTBEAT: Duration = Duration::from_secs(25);
const SILENCE: Duration = Duration::from_secs(70);
const FIRST_FRAME: Duration = Duration::from_secs(15);
const WRITE: Duration = Duration::from_secs(10);
/// Frames a visitor may send in one heartbeat's time.
const FRAMES: u32 = 60;
/// Conversations whose visitor is remembered.
const REMEMBERED: usize = 20_000;

/// What a visitor says over the connection.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// The first frame.
    Watch {
        token: String,
        position: Option<StreamPosition>,
    },
    Typing,
    /// Messages of members up to this position have arrived, or were read.
    Delivered {
        through: i64,
    },
    Read {
        through: i64,
    },
    Heartbeat,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'t> {
    Watching { recovered: bool, position: &'t StreamPosition },
    Events { position: &'t StreamPosition, items: &'t [Item] },
    Typing { author: Option<String> },
    Heartbeat { position: &'t StreamPosition },
}

/// What the task hands to a connection.
#[derive(Debug, Clone)]
enum Handed {
    Event(Arc<Event>),
    Typing(MemberId, ConversationId),
    /// The log is another one.
    Reset(StreamPosition),
}

#[derive(Debug)]
struct Seat {
    channel: ChannelId,
    visitor: String,
    sender: mpsc::Sender<Handed>,
}

#[derive(Debug, Default)]
struct Company {
    /// Through where the task has read.
    read: Option<StreamPosition>,
    seats: HashMap<u64, Seat>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    count: usize,
    by_network: HashMap<Network, usize>,
    companies: HashMap<CompanyId, Company>,
}

/// Cheap to clone; every clone is the same registry.
#[derive(Debug, Clone)]
pub struct Visitors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    lifecycle: Lifecycle,
    seats: Mutex<Seats>,
    wake: Notify,
    /// Whose conversation it is; a conversation never changes hands.
    visitors: Mutex<HashMap<ConversationId, Option<Arc<str>>>>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Visitors {
    pub fn new(store: Store, lifecycle: Lifecycle) -> Self {
        let inner = Inner {
            store,
            lifecycle,
            seats: Mutex::default(),
            wake: Notify::new(),
            visitors: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Starts the task that serves all connections, and those that wake it.
    pub fn start(&self, bus: &Bus, passings: broadcast::Receiver<Passing>) {
        let lifecycle = &self.inner.lifecycle;
        let (visitors, commits) = (self.clone(), self.inner.store.commits());
        lifecycle.spawn_until_draining("visitors: commits", async move {
            visitors.follow_commits(commits).await;
        });
        let (visitors, signals) = (self.clone(), bus.subscribe());
        lifecycle.spawn_until_draining("visitors: bus", async move {
            visitors.follow_signals(signals).await;
        });
        let visitors = self.clone();
        lifecycle.spawn_until_draining("visitors: passing", async move {
            visitors.follow_passings(passings).await;
        });
        let visitors = self.clone();
        lifecycle.spawn_until_draining("visitors", async move { visitors.run().await });
    }

    pub fn connection_count(&self) -> usize {
        hold(&self.inner.seats).count
    }

    async fn follow_commits(&self, mut commits: broadcast::Receiver<Commit>) {
        loop {
            match commits.recv().await {
                Ok(Commit::Events { company_id, .. }) => self.hint(company_id),
                Ok(Commit::Deliveries) => {}
                Err(RecvError::Lagged(_)) => self.inner.wake.notify_one(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn follow_signals(&self, mut signals: broadcast::Receiver<Signal>) {
        loop {
            match signals.recv().await {
                Ok(Signal::Hint { company_id, .. }) => self.hint(company_id),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.inner.wake.notify_one(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hint(&self, company: CompanyId) {
        if hold(&self.inner.seats).companies.contains_key(&company) {
            self.inner.wake.notify_one();
        }
    }

    async fn follow_passings(&self, mut passings: broadcast::Receiver<Passing>) {
        loop {
            match passings.recv().await {
                Ok(Passing { company_id, channel_id: Some(channel), ephemeral }) => {
                    if let Ephemeral::Typing { member_id, conversation_id } = ephemeral
                        && self.is_watched(company_id, channel)
                    {
                        let handed = Handed::Typing(member_id, conversation_id);
                        if let Ok(Some(visitor)) = self.visitor_of(conversation_id).await {
                            self.hand(company_id, channel, &visitor, &handed);
                        }
                    }
                }
                // What passes by may get lost.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn is_watched(&self, company: CompanyId, channel: ChannelId) -> bool {
        let seats = hold(&self.inner.seats);
        let company = seats.companies.get(&company);
        company.is_some_and(|company| company.seats.values().any(|seat| seat.channel == channel))
    }

    async fn run(&self) {
        loop {
            let _ = timeout(SWEEP, self.inner.wake.notified()).await;
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "the logs cannot be read for visitors");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    async fn read(&self) -> Result<(), StoreError> {
        let companies: Vec<i64> = {
            let seats = hold(&self.inner.seats);
            let begun = seats.companies.iter().filter(|(_, company)| company.read.is_some());
            begun.map(|(id, _)| id.0).collect()
        };
        if companies.is_empty() {
            return Ok(());
        }
        let rows = self.inner.store.reader().await?.db().company_streams(&companies).await?;
        for row in rows {
            self.read_company(&row).await?;
        }
        Ok(())
    }

    async fn read_company(&self, row: &StreamRow) -> Result<(), StoreError> {
        let id = CompanyId(row.id);
        loop {
            let (read, channels) = {
                let seats = hold(&self.inner.seats);
                let Some(company) = seats.companies.get(&id) else { return Ok(()) };
                let Some(read) = company.read.clone() else { return Ok(()) };
                let channels: BTreeSet<ChannelId> =
                    company.seats.values().map(|seat| seat.channel).collect();
                (read, channels)
            };
            let same = read.epoch == row.epoch && read.offset >= row.pruned_offset;
            if !same || read.offset > row.event_offset {
                self.reset(id, &row.position());
                return Ok(());
            }
            if read.offset == row.event_offset {
                return Ok(());
            }
            let mut reader = self.inner.store.reader().await?;
            let events =
                reader.db().events_after(id, read.offset, row.event_offset, PAGE_EVENTS).await?;
            drop(reader);
            let contiguous =
                (read.offset + 1..).zip(&events).all(|(offset, event)| event.offset == offset);
            let Some(last) = events.last().filter(|_| contiguous) else {
                self.reset(id, &row.position());
                return Ok(());
            };
            let through = StreamPosition { epoch: read.epoch, offset: last.offset };
            for event in &events {
                let channel = event.channel_id.map(ChannelId);
                let Some(channel) = channel.filter(|channel| channels.contains(channel)) else {
                    continue;
                };
                let Ok(event) = serde_json::from_str::<Event>(&event.payload) else { continue };
                let Some(conversation) = conversation_of(&event) else { continue };
                let Some(visitor) = self.visitor_of(conversation).await? else { continue };
                self.hand(id, channel, &visitor, &Handed::Event(Arc::new(event)));
            }
            let mut seats = hold(&self.inner.seats);
            if let Some(company) = seats.companies.get_mut(&id) {
                company.read = Some(through);
            }
        }
    }

    fn reset(&self, id: CompanyId, position: &StreamPosition) {
        let mut seats = hold(&self.inner.seats);
        let Some(company) = seats.companies.get_mut(&id) else { return };
        company.read = Some(position.clone());
        company
            .seats
            .retain(|_, seat| seat.sender.try_send(Handed::Reset(position.clone())).is_ok());
    }

    /// Whose conversation it is; `None`: no visitor's.
    async fn visitor_of(&self, id: ConversationId) -> Result<Option<Arc<str>>, StoreError> {
        if let Some(known) = hold(&self.inner.visitors).get(&id) {
            return Ok(known.clone());
        }
        let found = self.inner.store.reader().await?.db().identity_of_conversation(id).await?;
        let found: Option<Arc<str>> = found.map(Arc::from);
        let mut visitors = hold(&self.inner.visitors);
        if visitors.len() >= REMEMBERED {
            visitors.clear();
        }
        visitors.insert(id, found.clone());
        Ok(found)
    }

    /// Hands something to the connections of a visitor. One that does not take it loses its seat, which
    /// ends it.
    fn hand(&self, company: CompanyId, channel: ChannelId, visitor: &str, handed: &Handed) {
        let mut seats = hold(&self.inner.seats);
        let Some(company) = seats.companies.get_mut(&company) else { return };
        company.seats.retain(|_, seat| {
            seat.channel != channel
                || seat.visitor != visitor
                || seat.sender.try_send(handed.clone()).is_ok()
        });
    }

    /// Whether a network has room for another connection; takes the room.
    pub fn admit(&self, network: Network, most: usize, of_network: usize) -> Option<Room> {
        let mut seats = hold(&self.inner.seats);
        if self.inner.lifecycle.is_draining() || seats.count >= most {
            return None;
        }
        let of = seats.by_network.entry(network).or_default();
        if *of >= of_network {
            return None;
        }
        *of += 1;
        seats.count += 1;
        metrics::gauge!("uzel_widget_connections").set(seats.count as f64);
        Some(Room { visitors: self.clone(), network })
    }

    /// Subscribes first; what the caller reads of the log after it overlaps with what it is handed.
    async fn sit(
        &self,
        company: CompanyId,
        channel: ChannelId,
        visitor: &str,
    ) -> Result<(Sitting, mpsc::Receiver<Handed>), StoreError> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (number, begun) = {
            let mut seats = hold(&self.inner.seats);
            let number = seats.next;
            seats.next += 1;
            let seat = Seat { channel, visitor: visitor.to_owned(), sender };
            let of_company = seats.companies.entry(company).or_default();
            of_company.seats.insert(number, seat);
            (number, of_company.read.is_some())
        };
        let sitting = Sitting { visitors: self.clone(), company, number };
        if !begun {
            let row = self.inner.store.reader().await?.db().company_stream(company).await?;
            let row = row.ok_or_else(|| StoreError::inconsistent("the company has gone"))?;
            let mut seats = hold(&self.inner.seats);
            if let Some(of_company) = seats.companies.get_mut(&company) {
                // Somebody may have been faster: theirs is not later than what we go on to read.
                of_company.read.get_or_insert(row.position());
            }
        }
        Ok((sitting, receiver))
    }
}

/// A connection's place in the count; it is free when this is dropped.
#[derive(Debug)]
pub struct Room {
    visitors: Visitors,
    network: Network,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut seats = hold(&self.visitors.inner.seats);
        seats.count -= 1;
        metrics::gauge!("uzel_widget_connections").set(seats.count as f64);
        if let Some(of) = seats.by_network.get_mut(&self.network) {
            *of -= 1;
            if *of == 0 {
                seats.by_network.remove(&self.network);
            }
        }
    }
}

/// A connection's place at a company's log.
#[derive(Debug)]
struct Sitting {
    visitors: Visitors,
    company: CompanyId,
    number: u64,
}

impl Drop for Sitting {
    fn drop(&mut self) {
        let mut seats = hold(&self.visitors.inner.seats);
        if let Some(company) = seats.companies.get_mut(&self.company) {
            company.seats.remove(&self.number);
            if company.seats.is_empty() {
                seats.companies.remove(&self.company);
            }
        }
    }
}

/// How a connection ends: with a code, or because it is gone.
type End = Option<Close>;

/// One connection, from its first frame to its end.
pub async fn converse(app: App, widget: OpenWidget, mut socket: WebSocket, room: Room) {
    let end = match Connection::open(&app, widget, &mut socket).await {
        Ok(mut connection) => match connection.run(&mut socket).await {
            Ok(never) => match never {},
            Err(end) => end,
        },
        Err(end) => end,
    };
    drop(room);
    if let Some(close) = end {
        let farewell = async {
            let reason = Utf8Bytes::from_static(close.reason());
            let frame = CloseFrame { code: close.code(), reason };
            socket.send(Frame::Close(Some(frame))).await?;
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        let _ = timeout(Duration::from_secs(2), farewell).await;
    }
}

struct Connection {
    app: App,
    widget: OpenWidget,
    visitor: KnownVisitor,
    view: View,
    position: StreamPosition,
    conversation: Option<ConversationId>,
    handed: mpsc::Receiver<Handed>,
    _sitting: Sitting,
}

fn overloaded(error: &dyn std::error::Error) -> Close {
    tracing::warn!(%error, "a visitor's conversation cannot be followed");
    Close::Overloaded
}

impl Connection {
    async fn open(app: &App, widget: OpenWidget, socket: &mut WebSocket) -> Result<Self, End> {
        let first = timeout(FIRST_FRAME, socket.recv()).await;
        let Ok(Some(Ok(Frame::Text(text)))) = first else { return Err(Some(Close::BadFrame)) };
        let Ok(Said::Watch { token, position }) = serde_json::from_str(&text) else {
            return Err(Some(Close::BadFrame));
        };
        let visitor = visitor_of(app, widget.channel.id, &token);
        let visitor = visitor.map_err(|_| Some(Close::SignedOut))?;
        let (company, channel) = (widget.channel.company_id, widget.channel.id);
        let sat = app.visitors.sit(company, channel, visitor.id.as_str()).await;
        let (sitting, handed) = sat.map_err(|error| Some(overloaded(&error)))?;
        let log = async {
            let mut reader = app.store.reader().await?;
            let row = reader.db().company_stream(company).await?;
            let found = reader.db().conversation_of_identity(channel, visitor.id.as_str()).await?;
            let row = row.ok_or_else(|| StoreError::inconsistent("the company has gone"))?;
            Ok::<_, StoreError>((row, found.map(|conversation| conversation.id)))
        };
        let (row, conversation) = log.await.map_err(|error| Some(overloaded(&error)))?;
        let mut connection = Self {
            view: View::new(app, widget.clone(), visitor.id.clone()),
            app: app.clone(),
            widget,
            visitor,
            position: row.position(),
            conversation,
            handed,
            _sitting: sitting,
        };
        connection.catch_up(&row, position, socket).await?;
        Ok(connection)
    }

    /// Everything after the visitor's position, or the word that it has to load anew.
    async fn catch_up(
        &mut self,
        row: &StreamRow,
        position: Option<StreamPosition>,
        socket: &mut WebSocket,
    ) -> Result<(), End> {
        let from = position.filter(|position| {
            position.epoch == row.epoch
                && (row.pruned_offset..=row.event_offset).contains(&position.offset)
                && row.event_offset - position.offset <= CATCH_UP_EVENTS
        });
        let Some(from) = from else {
            let position = self.position.clone();
            return say(socket, &Told::Watching { recovered: false, position: &position }).await;
        };
        say(socket, &Told::Watching { recovered: true, position: &from }).await?;
        let Some(own) = self.conversation else { return Ok(()) };
        let (company, channel) = (self.widget.channel.company_id, self.widget.channel.id);
        let missed = async {
            let mut reader = self.app.store.reader().await?;
            let through = row.event_offset;
            reader.db().channel_events_after(company, channel, from.offset, through).await
        };
        let mut items = Vec::new();
        for missed in missed.await.map_err(|error| Some(overloaded(&error)))? {
            let Ok(event) = serde_json::from_str::<Event>(&missed.payload) else { continue };
            if conversation_of(&event) == Some(own) {
                let item = self.view.item(&event).await;
                items.extend(item.map_err(|_| Some(Close::Overloaded))?);
            }
        }
        let position = self.position.clone();
        say(socket, &Told::Events { position: &position, items: &items }).await
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Result<std::convert::Infallible, End> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = tokio::time::Instant::now();
        let mut frames = 0;
        let draining = self.app.lifecycle.drain_token();
        loop {
            tokio::select! {
                handed = self.handed.recv() => match handed {
                    // Our seat was taken from us.
                    None => return Err(Some(Close::SlowConsumer)),
                    Some(handed) => self.tell(handed, socket).await?,
                },
                message = socket.recv() => {
                    heard = tokio::time::Instant::now();
                    frames += 1;
                    if frames > FRAMES {
                        return Err(Some(Close::BadFrame));
                    }
                    match message {
                        Some(Ok(Frame::Text(text))) => self.hear(&text).await?,
                        Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                        Some(Ok(Frame::Binary(_))) => return Err(Some(Close::BadFrame)),
                        Some(Ok(Frame::Close(_)) | Err(_)) | None => return Err(None),
                    }
                }
                _ = heartbeat.tick() => {
                    frames = 0;
                    if heard.elapsed() > SILENCE {
                        return Err(Some(Close::HeartbeatLost));
                    }
                    say(socket, &Told::Heartbeat { position: &self.position.clone() }).await?;
                }
                () = draining.cancelled() => return Err(Some(Close::ServerRestart)),
            }
        }
    }

    async fn tell(&mut self, handed: Handed, socket: &mut WebSocket) -> Result<(), End> {
        match handed {
            Handed::Event(event) if event.offset <= self.position.offset => Ok(()),
            Handed::Event(event) => {
                self.conversation = conversation_of(&event);
                let item = self.view.item(&event).await.map_err(|_| Some(Close::Overloaded))?;
                self.position.offset = event.offset;
                let items: Vec<Item> = item.into_iter().collect();
                let position = self.position.clone();
                say(socket, &Told::Events { position: &position, items: &items }).await
            }
            Handed::Typing(member, conversation) => {
                if self.conversation != Some(conversation) {
                    return Ok(());
                }
                let author = self.view.name_of(member).await.unwrap_or_default();
                say(socket, &Told::Typing { author }).await
            }
            Handed::Reset(position) => {
                self.position = position;
                let position = self.position.clone();
                say(socket, &Told::Watching { recovered: false, position: &position }).await
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<(), End> {
        let said: Said = serde_json::from_str(text).map_err(|_| Some(Close::BadFrame))?;
        match said {
            Said::Watch { .. } => Err(Some(Close::BadFrame)),
            Said::Heartbeat => Ok(()),
            Said::Typing => {
                if let Some(conversation_id) = self.own_conversation().await {
                    let channel = &self.widget.channel;
                    self.app.fanout.pass(Passing {
                        company_id: channel.company_id,
                        channel_id: Some(channel.id),
                        ephemeral: Ephemeral::ClientTyping { conversation_id },
                    });
                }
                Ok(())
            }
            Said::Delivered { through } => self.receipt(through, false).await,
            Said::Read { through } => self.receipt(through, true).await,
        }
    }

    async fn receipt(&mut self, through: i64, read: bool) -> Result<(), End> {
        let Some(conversation) = self.own_conversation().await else { return Ok(()) };
        let (company, channel) = (self.widget.channel.company_id, self.widget.channel.id);
        let taken = take_receipt(&self.app.store, company, channel, conversation, through, read);
        taken.await.map_err(|error| Some(overloaded(&error)))
    }

    async fn own_conversation(&mut self) -> Option<ConversationId> {
        if self.conversation.is_none() {
            let mut reader = self.app.store.reader().await.ok()?;
            let id = self.visitor.id.as_str();
            let found = reader.db().conversation_of_identity(self.widget.channel.id, id).await;
            self.conversation = found.ok()?.map(|conversation| conversation.id);
        }
        self.conversation
    }
}

async fn say(socket: &mut WebSocket, told: &Told<'_>) -> Result<(), End> {
    let text = serde_json::to_string(told).map_err(|_| Some(Close::Overloaded))?;
    match timeout(WRITE, socket.send(Frame::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(Close::SlowConsumer)),
    }
}
