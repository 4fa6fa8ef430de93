//! A session as a browser has one: it loads what there is, follows the log over a WebSocket, reconnects from
//! its position, and writes down everything it was told.
//!
//! It knows the public protocol only. What it holds is made by one reducer (newer version wins) from HTTP
//! answers and events; what it writes down beside that (offsets, reconnects, close codes) is for a checker to
//! judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hub_domain::channel::Channel;
use hub_domain::event::{Event, EventType};
use hub_domain::{
    ChannelId, CompanyId, Conversation, ConversationId, Message, MessageId, StreamPosition,
};
use serde::Deserialize;
use serde_json::json;
use simulator::faults::Chance;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::{ApiClient, ApiFailure, History};

const HEARTBEAT: Duration = Duration::from_secs(20);
/// A side that hears nothing for so long closes.
const SILENCE: Duration = Duration::from_mins(1);
/// First of the close codes after which a client does not come back.
const STOP_CODES: u16 = 4100;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerFrame {
    Hello {},
    Watching { company_id: CompanyId, recovered: bool, position: StreamPosition },
    Events { company_id: CompanyId, position: StreamPosition, events: Vec<Event> },
    Ephemeral {},
    Heartbeat,
    Error { code: String, detail: String },
}

/// One event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub epoch: String,
    pub offset: i64,
    pub event_type: EventType,
    pub message: Option<MessageId>,
}

/// What a session was told, and what it made of it.
#[derive(Debug, Clone, Default)]
pub struct SessionLog {
    pub name: String,
    /// Through where the session knows everything.
    pub position: Option<StreamPosition>,
    /// Where it began, and where it began anew after `recovered: false`.
    pub beginnings: Vec<StreamPosition>,
    pub seen: Vec<Seen>,
    pub messages: BTreeMap<MessageId, Message>,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Connections that got as far as watching.
    pub connections: usize,
    /// How often the server could not continue from the position.
    pub not_recovered: usize,
    /// Close codes, in order; `None` for a connection that just broke.
    pub closes: Vec<Option<u16>>,
    /// What contradicts the protocol.
    pub complaints: Vec<String>,
}

impl SessionLog {
    /// Messages of one conversation in its order.
    pub fn conversation(&self, id: ConversationId) -> Vec<&Message> {
        let mut found: Vec<&Message> =
            self.messages.values().filter(|message| message.conversation_id == id).collect();
        found.sort_by_key(|message| (message.position, message.ordinal, message.id));
        found
    }

    fn load(&mut self, history: History) {
        for (conversation, messages) in history.conversations {
            self.apply_conversation(conversation);
            for message in messages {
                self.apply_message(message);
            }
        }
    }

    fn begin(&mut self, position: StreamPosition) {
        self.beginnings.push(position.clone());
        self.position = Some(position);
    }

    fn apply_message(&mut self, message: Message) {
        let held = self.messages.get(&message.id).map(|held| held.version);
        if held.is_none_or(|held| message.version > held) {
            self.messages.insert(message.id, message);
        }
    }

    fn apply_conversation(&mut self, conversation: Conversation) {
        let held = self.conversations.get(&conversation.id).map(|held| held.version);
        if held.is_none_or(|held| conversation.version > held) {
            self.conversations.insert(conversation.id, conversation);
        }
    }

    fn apply_channel(&mut self, channel: Channel) {
        let held = self.channels.get(&channel.id).map(|held| held.version);
        if held.is_none_or(|held| channel.version > held) {
            self.channels.insert(channel.id, channel);
        }
    }

    fn apply_events(&mut self, position: StreamPosition, events: Vec<Event>) {
        for event in events {
            self.seen.push(Seen {
                epoch: position.epoch.clone(),
                offset: event.offset,
                event_type: event.event_type,
                message: event.changes.message.as_ref().map(|message| message.id),
            });
            let changes = event.changes;
            changes.message.into_iter().for_each(|message| self.apply_message(message));
            changes.conversation.into_iter().for_each(|one| self.apply_conversation(one));
            changes.channel.into_iter().for_each(|channel| self.apply_channel(channel));
        }
        let held = self.position.as_ref();
        if held.is_some_and(|held| held.epoch != position.epoch || held.offset > position.offset) {
            self.complaints.push(format!("position went from {held:?} to {position:?}"));
        }
        self.position = Some(position);
    }
}

struct Shared {
    log: Mutex<SessionLog>,
    changed: Notify,
    stop: CancellationToken,
    /// The same member at every node the session may turn to.
    nodes: Vec<ApiClient>,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, SessionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, change: impl FnOnce(&mut SessionLog) -> T) -> T {
        let changed = change(&mut self.log());
        self.changed.notify_waiters();
        changed
    }
}

/// A running session. It ends with this value.
pub struct Session {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Session {
    /// Loads everything, then follows the log from there. Turns to the next node when one is away.
    pub async fn start(name: &str, nodes: Vec<ApiClient>) -> Result<Self, ApiFailure> {
        let first = nodes.first().expect("a session has a node to turn to");
        let history = first.history().await?;
        let mut log = SessionLog { name: name.to_owned(), ..SessionLog::default() };
        log.begin(history.position.clone());
        log.load(history);
        let shared = Arc::new(Shared {
            log: Mutex::new(log),
            changed: Notify::new(),
            stop: CancellationToken::new(),
            nodes,
        });
        let following = Arc::clone(&shared);
        let task = TaskTracker::new().spawn(async move {
            let stop = following.stop.clone();
            stop.run_until_cancelled(follow(&following)).await;
        });
        Ok(Self { shared, task })
    }

    /// Looks at what is written down so far.
    pub fn read<T>(&self, read: impl FnOnce(&SessionLog) -> T) -> T {
        read(&self.shared.log())
    }

    /// Waits until what is written down is as wanted; tells whether it came to that.
    pub async fn wait_until(&self, longest: Duration, is: impl Fn(&SessionLog) -> bool) -> bool {
        let wanted = async {
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                // Registered before looking, so that no change falls in between.
                changed.as_mut().enable();
                if self.read(&is) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(longest, wanted).await.is_ok()
    }

    /// Ends the session and gives what was written down.
    pub async fn finish(mut self) -> SessionLog {
        self.shared.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            self.shared.log().complaints.push(format!("the session itself failed: {error}"));
        }
        self.shared.log().clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

async fn follow(shared: &Shared) {
    // Sessions must not come back in step; how exactly does not matter.
    let seed = shared.log().name.bytes().map(u64::from).sum();
    let mut chance = Chance::seeded(seed);
    for node in shared.nodes.iter().cycle() {
        if let Ok(code) = follow_once(shared, node).await {
            shared.write(|log| log.closes.push(code));
            if code.is_some_and(|code| code >= STOP_CODES) {
                shared.write(|log| log.complaints.push(format!("told to stop by {code:?}")));
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20 + chance.next_u64() % 80)).await;
    }
}

/// The node is away: nothing was told.
struct NotConnected;

/// Follows over one connection, and gives the code with which it was closed.
async fn follow_once(shared: &Shared, node: &ApiClient) -> Result<Option<u16>, NotConnected> {
    let mut request = node.realtime_url().into_client_request().map_err(|_| NotConnected)?;
    let bearer = format!("Bearer {}", node.token()).parse().map_err(|_| NotConnected)?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let connecting = tokio_tungstenite::connect_async(request);
    let connected = tokio::time::timeout(Duration::from_secs(5), connecting).await;
    let (mut socket, _) = match connected {
        Ok(Ok(connected)) => connected,
        Ok(Err(SocketError::Http(answer))) if answer.status().as_u16() < 500 => {
            let status = answer.status();
            shared.write(|log| log.complaints.push(format!("handshake answered with {status}")));
            return Err(NotConnected);
        }
        Ok(Err(_)) | Err(_) => return Err(NotConnected),
    };
    let position = shared.log().position.clone();
    let watch = json!({ "type": "watch", "company_id": node.company(), "position": position });
    if socket.send(Frame::text(watch.to_string())).await.is_err() {
        return Ok(None);
    }
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let frame = tokio::select! {
            _ = heartbeat.tick() => {
                if socket.send(Frame::text(r#"{"type":"heartbeat"}"#)).await.is_err() {
                    return Ok(None);
                }
                continue;
            }
            frame = tokio::time::timeout(SILENCE, socket.next()) => frame,
        };
        match frame {
            Ok(Some(Ok(Frame::Text(text)))) => hear(shared, node, &text).await,
            Ok(Some(Ok(Frame::Close(frame)))) => {
                return Ok(frame.map(|frame| frame.code.into()));
            }
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) => return Ok(None),
            Err(_) => {
                shared.write(|log| log.complaints.push("nothing heard for a minute".to_owned()));
                return Ok(None);
            }
        }
    }
}

async fn hear(shared: &Shared, node: &ApiClient, text: &str) {
    let frame = match serde_json::from_str(text) {
        Ok(frame) => frame,
        Err(error) => {
            shared.write(|log| log.complaints.push(format!("a frame cannot be read: {error}")));
            return;
        }
    };
    match frame {
        ServerFrame::Hello {} | ServerFrame::Heartbeat | ServerFrame::Ephemeral {} => {}
        ServerFrame::Error { code, detail } => {
            shared.write(|log| log.complaints.push(format!("error {code}: {detail}")));
        }
        ServerFrame::Watching { company_id, .. } | ServerFrame::Events { company_id, .. }
            if company_id != node.company() =>
        {
            shared.write(|log| log.complaints.push("told of another company".to_owned()));
        }
        ServerFrame::Events { position, events, .. } => {
            shared.write(|log| log.apply_events(position, events));
        }
        ServerFrame::Watching { recovered: true, position, .. } => shared.write(|log| {
            log.connections += 1;
            let held = log.position.as_ref();
            if held.is_some_and(|held| *held != position) {
                log.complaints.push(format!("recovered from {position:?}, not from {held:?}"));
            }
        }),
        ServerFrame::Watching { recovered: false, position, .. } => {
            shared.write(|log| {
                log.connections += 1;
                log.not_recovered += 1;
                log.begin(position);
            });
            // What was missed is read while the events go on; versions sort it out.
            match node.history().await {
                Ok(history) => shared.write(|log| log.load(history)),
                Err(error) => {
                    shared.write(|log| log.complaints.push(format!("reload failed: {error}")));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hub_domain::Timestamp;
    use hub_domain::event::{Changes, Origin};

    use super::*;

    fn at(offset: i64) -> StreamPosition {
        StreamPosition { epoch: "e".to_owned(), offset }
    }

    fn event(offset: i64) -> Event {
        Event {
            offset,
            event_type: EventType::MemberChanged,
            at: Timestamp(0),
            origin: Origin::System,
            changes: Changes::default(),
        }
    }

    #[test]
    fn a_position_that_goes_back_or_changes_its_epoch_is_a_complaint() {
        let mut log = SessionLog::default();
        log.begin(at(3));
        log.apply_events(at(4), vec![event(4)]);
        assert!(log.complaints.is_empty());
        log.apply_events(at(4), vec![]);
        log.apply_events(at(2), vec![]);
        assert_eq!(log.complaints.len(), 1);
        log.apply_events(StreamPosition { epoch: "f".to_owned(), offset: 9 }, vec![]);
        assert_eq!(log.complaints.len(), 2);
    }

    #[test]
    fn every_event_is_written_down_also_one_that_was_seen_before() {
        let mut log = SessionLog::default();
        log.begin(at(0));
        log.apply_events(at(2), vec![event(1), event(2)]);
        log.apply_events(at(2), vec![event(2)]);
        let offsets: Vec<i64> = log.seen.iter().map(|seen| seen.offset).collect();
        assert_eq!(offsets, [1, 2, 2]);
    }
}
