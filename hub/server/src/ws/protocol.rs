//! What travels over a realtime connection: frames, and the codes with which it ends.
//!
//! The frames of the client are read into [`ClientFrame`]. Those of the server are described by
//! [`ServerFrame`]; frames of events are put together from the texts in the log instead of being
//! serialised again, and a test keeps the two the same. `docs/realtime.schema.json` is generated from
//! these types.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Utf8Bytes};
use hub_domain::{ChannelId, CompanyId, ConversationId, Ephemeral, Event, Scope, StreamPosition};
use hub_store::records::EventRow;
use serde::{Deserialize, Serialize};

/// Rises when a change would break a client that reads the frames as documented.
pub const PROTOCOL: u32 = 1;

/// Frames of events are closed at this size, unless one event alone is larger: a connection keeps a
/// buffer as large as the largest frame it was sent.
pub const FRAME_BYTES: usize = 32 * 1024;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Follow a company's log from a position; `null`: from now.
    Watch { company_id: CompanyId, position: Option<StreamPosition> },
    /// Follow it no longer.
    Unwatch { company_id: CompanyId },
    /// I am writing in this conversation. Repeat it every 3 seconds while it lasts.
    Typing { company_id: CompanyId, conversation_id: ConversationId },
    /// I look at this conversation, or at none. Repeat it every 30 seconds while it lasts.
    LookingAt { company_id: CompanyId, conversation_id: Option<ConversationId> },
    /// I am here.
    Heartbeat,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame.
    Hello {
        protocol: u32,
        heartbeat_seconds: u64,
        /// Name of the interface this server has; a page of another one should offer to load anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        build: Option<String>,
    },
    /// The answer to `watch`, and, with `recovered: false`, the word that what is on screen has to be
    /// loaded anew.
    Watching {
        company_id: CompanyId,
        /// Everything after the client's position follows.
        recovered: bool,
        /// From where events follow.
        position: StreamPosition,
        /// Offset of the last event there was: whoever has come so far has missed nothing.
        end: i64,
    },
    /// Events in the order of their offsets.
    Events {
        company_id: CompanyId,
        /// Through where the client knows everything now, events it may not see included.
        position: StreamPosition,
        events: Vec<Event>,
    },
    /// What another member, or a client, does at this moment.
    Ephemeral { company_id: CompanyId, ephemeral: Ephemeral },
    /// I am here.
    Heartbeat,
    /// A frame could not be followed. The connection goes on.
    Error { code: String, detail: String },
}

impl ServerFrame {
    pub fn encode(&self) -> Utf8Bytes {
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

pub const HEARTBEAT: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"heartbeat"}"#);

/// What a client does with the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Connect again, after a wait with jitter, and watch from the last position.
    Reconnect,
    /// Do not: it would end the same way.
    Stop,
}

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    ServerRestart,
    SlowConsumer,
    HeartbeatLost,
    Overloaded,
    SignedOut,
    BadFrame,
    Forbidden,
    TooManyWatches,
}

impl Close {
    pub const ALL: [Self; 8] = [
        Self::ServerRestart,
        Self::SlowConsumer,
        Self::HeartbeatLost,
        Self::Overloaded,
        Self::SignedOut,
        Self::BadFrame,
        Self::Forbidden,
        Self::TooManyWatches,
    ];

    /// 40xx: connect again. 41xx: stop.
    pub const fn code(self) -> u16 {
        match self {
            Self::ServerRestart => 4000,
            Self::SlowConsumer => 4001,
            Self::HeartbeatLost => 4002,
            Self::Overloaded => 4003,
            Self::SignedOut => 4100,
            Self::BadFrame => 4101,
            Self::Forbidden => 4102,
            Self::TooManyWatches => 4103,
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::ServerRestart => "server_restart",
            Self::SlowConsumer => "slow_consumer",
            Self::HeartbeatLost => "heartbeat_lost",
            Self::Overloaded => "overloaded",
            Self::SignedOut => "signed_out",
            Self::BadFrame => "bad_frame",
            Self::Forbidden => "forbidden",
            Self::TooManyWatches => "too_many_watches",
        }
    }

    pub const fn policy(self) -> Policy {
        if self.code() < 4100 { Policy::Reconnect } else { Policy::Stop }
    }

    pub fn frame(self) -> CloseFrame {
        CloseFrame { code: self.code(), reason: Utf8Bytes::from_static(self.reason()) }
    }
}

/// A piece of a log, encoded once for everybody.
#[derive(Debug)]
pub struct Chunk {
    company_id: CompanyId,
    epoch: Arc<str>,
    /// Offset before the first event.
    pub after: i64,
    /// Offset of the last event.
    pub through: i64,
    /// With every event in it.
    pub frame: Utf8Bytes,
    /// Whom each event is for, and where it stands in the frame.
    events: Box<[(Option<ChannelId>, Range<u32>)]>,
}

impl Chunk {
    /// Encodes events that follow each other without a gap, in as few frames as their size allows.
    pub fn encode(company_id: CompanyId, epoch: &Arc<str>, rows: &[EventRow]) -> Vec<Self> {
        let mut chunks = Vec::new();
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let mut bytes = first.payload.len();
            let mut count = 1;
            while let Some(row) = rest.get(count)
                && bytes + row.payload.len() < FRAME_BYTES
            {
                bytes += row.payload.len() + 1;
                count += 1;
            }
            let (taken, left) = rest.split_at(count);
            chunks.push(Self::of(company_id, epoch, taken, bytes));
            rest = left;
        }
        chunks
    }

    fn of(company_id: CompanyId, epoch: &Arc<str>, rows: &[EventRow], bytes: usize) -> Self {
        let after = rows.first().map_or(0, |row| row.offset - 1);
        let through = rows.last().map_or(0, |row| row.offset);
        let mut text = events_head(company_id, epoch, through, bytes);
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            if !events.is_empty() {
                text.push(',');
            }
            let start = text.len() as u32;
            text.push_str(&row.payload);
            events.push((row.channel_id.map(ChannelId), start..text.len() as u32));
        }
        text.push_str(EVENTS_TAIL);
        let epoch = Arc::clone(epoch);
        Self { company_id, epoch, after, through, frame: text.into(), events: events.into() }
    }

    /// The frame for a member: the shared one, unless the member may not see all of it.
    pub fn frame_for(&self, scope: &Scope) -> Utf8Bytes {
        if self.events.iter().all(|(channel, _)| scope.sees_channel(*channel)) {
            return self.frame.clone();
        }
        let mut text = events_head(self.company_id, &self.epoch, self.through, self.frame.len());
        let mut first = true;
        for (channel, place) in &self.events {
            if scope.sees_channel(*channel) {
                if !first {
                    text.push(',');
                }
                first = false;
                text.push_str(&self.frame[place.start as usize..place.end as usize]);
            }
        }
        text.push_str(EVENTS_TAIL);
        text.into()
    }

    pub fn event_count(&self) -> u64 {
        self.events.len() as u64
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.frame.len() + self.events.len() * size_of::<(Option<ChannelId>, Range<u32>)>()
    }
}

const EVENTS_TAIL: &str = "]}";

/// The beginning of a frame of events, with room for `bytes` of them.
fn events_head(company_id: CompanyId, epoch: &str, through: i64, bytes: usize) -> String {
    let epoch = serde_json::to_string(epoch).unwrap_or_default();
    let mut text = String::with_capacity(bytes + epoch.len() + 128);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        r#"{{"type":"events","company_id":{company_id},"position":{{"epoch":{epoch},"offset":{through}}},"events":["#
    );
    text
}

#[cfg(test)]
mod tests {
    use hub_domain::event::{Changes, EventType, Origin};
    use hub_domain::{MemberId, Role, Timestamp, UserId, Visibility};

    use super::*;

    fn event(offset: i64) -> Event {
        Event {
            offset,
            event_type: EventType::MessageReceived,
            at: Timestamp(1_700_000_000_000),
            origin: Origin::System,
            changes: Changes::default(),
        }
    }

    fn row(offset: i64, channel_id: Option<i64>) -> EventRow {
        let payload = serde_json::to_string(&event(offset)).unwrap();
        EventRow { offset, channel_id, payload }
    }

    fn scope(visibility: Visibility) -> Scope {
        Scope {
            company_id: CompanyId(7),
            member_id: MemberId(1),
            user_id: UserId(1),
            role: Role::Operator,
            visibility,
        }
    }

    fn frame_of(offset: i64, events: Vec<Event>) -> ServerFrame {
        let position = StreamPosition { epoch: "a\"b".to_owned(), offset };
        ServerFrame::Events { company_id: CompanyId(7), position, events }
    }

    #[test]
    fn an_encoded_chunk_is_the_frame_that_is_documented() {
        let rows = [row(5, Some(1)), row(6, None)];
        let chunks = Chunk::encode(CompanyId(7), &Arc::from("a\"b"), &rows);
        let [chunk] = &chunks[..] else { panic!("one chunk") };
        assert_eq!((chunk.after, chunk.through, chunk.event_count()), (4, 6, 2));
        let frame: ServerFrame = serde_json::from_str(&chunk.frame).unwrap();
        assert_eq!(frame, frame_of(6, vec![event(5), event(6)]));
        let everything = chunk.frame_for(&scope(Visibility::All));
        assert_eq!(everything.as_ptr(), chunk.frame.as_ptr(), "encoded once, shared by all");
    }

    #[test]
    fn a_narrowed_member_gets_the_rest_left_out_and_the_position_moved() {
        let rows = [row(5, Some(1)), row(6, Some(2)), row(7, None), row(8, Some(1))];
        let chunks = Chunk::encode(CompanyId(7), &Arc::from("a\"b"), &rows);
        let frame = chunks[0].frame_for(&scope(Visibility::Channels(vec![ChannelId(2)])));
        let frame: ServerFrame = serde_json::from_str(&frame).unwrap();
        assert_eq!(frame, frame_of(8, vec![event(6), event(7)]));
        let chunks = Chunk::encode(CompanyId(7), &Arc::from("a\"b"), &rows[..1]);
        let frame = chunks[0].frame_for(&scope(Visibility::Channels(vec![])));
        let frame: ServerFrame = serde_json::from_str(&frame).unwrap();
        assert_eq!(frame, frame_of(5, vec![]));
    }

    #[test]
    fn chunks_follow_each_other_and_stay_small() {
        let payload = format!("\"{}\"", "x".repeat(FRAME_BYTES / 5));
        let rows: Vec<EventRow> = (1..=11)
            .map(|offset| EventRow { offset, channel_id: None, payload: payload.clone() })
            .collect();
        let chunks = Chunk::encode(CompanyId(7), &Arc::from("e"), &rows);
        assert!(chunks.len() > 1);
        let mut at = 0;
        for chunk in &chunks {
            assert_eq!(chunk.after, at);
            assert!(chunk.frame.len() < FRAME_BYTES + 256, "{}", chunk.frame.len());
            at = chunk.through;
        }
        assert_eq!(at, 11);
    }

    #[test]
    fn the_code_alone_says_whether_to_connect_again() {
        for close in Close::ALL {
            let stop = close.policy() == Policy::Stop;
            assert_eq!(stop, (4100..4200).contains(&close.code()), "{close:?}");
        }
    }

    #[test]
    fn frames_of_the_client_are_read_as_documented() {
        let read = |text| serde_json::from_str::<ClientFrame>(text).unwrap();
        let watch = r#"{"type":"watch","company_id":1,"position":{"epoch":"k3","offset":12}}"#;
        let position = Some(StreamPosition { epoch: "k3".to_owned(), offset: 12 });
        assert_eq!(read(watch), ClientFrame::Watch { company_id: CompanyId(1), position });
        let company_id = CompanyId(1);
        let now = ClientFrame::Watch { company_id, position: None };
        assert_eq!(read(r#"{"type":"watch","company_id":1,"position":null}"#), now);
        assert_eq!(read(r#"{"type":"watch","company_id":1}"#), now);
        assert_eq!(read(r#"{"type":"heartbeat","added_later":1}"#), ClientFrame::Heartbeat);
        let looking = ClientFrame::LookingAt { company_id, conversation_id: None };
        let text = r#"{"type":"looking_at","company_id":1,"conversation_id":null}"#;
        assert_eq!(read(text), looking);
        assert_eq!(ServerFrame::Heartbeat.encode(), HEARTBEAT);
    }

    /// The schema of the frames, as JSON Schema.
    fn schema() -> String {
        #[derive(utoipa::OpenApi)]
        #[openapi(components(schemas(ClientFrame, ServerFrame)))]
        struct Frames;

        let document = <Frames as utoipa::OpenApi>::openapi();
        let components = document.components.expect("there are frames").schemas;
        let schema = serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Frames of the realtime connection of Uzel",
            "description": "ClientFrame is what a client sends, ServerFrame what it gets. See realtime.md.",
            "oneOf": [{ "$ref": "#/$defs/ClientFrame" }, { "$ref": "#/$defs/ServerFrame" }],
            "$defs": components,
        });
        let text = serde_json::to_string_pretty(&schema).expect("it is JSON");
        text.replace("#/components/schemas/", "#/$defs/") + "\n"
    }

    #[test]
    fn generated_schema_of_the_frames_is_the_committed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/realtime.schema.json");
        let made = schema();
        if std::env::var_os("UZEL_REGEN").is_some() {
            std::fs::write(path, &made).expect("the docs can be written");
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == made, "docs/realtime.schema.json is stale: run `make regen`");
    }
}
