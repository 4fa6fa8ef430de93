//! One connection: it reads what the client says and takes to it what its followers find.
//!
//! There is no queue in front of the socket. While a write is under way nothing is taken, and the
//! follower's position is all there is to remember; what bounds a connection is therefore how long one
//! write may take and how far behind it may be. Either ends it as a slow consumer, which connects again
//! and goes on from its position.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use hub_domain::{ChannelId, CompanyId, ConversationId, Ephemeral, Scope, StreamPosition};
use tokio::time::timeout;

use super::Doorkeeper;
use super::fanout::{Admission, Fanout};
use super::protocol::{ClientFrame, Close, HEARTBEAT, PROTOCOL, ServerFrame};
use super::recovery::{Follower, Outbox, Step};
use super::stream::Head;
use crate::assets;
use crate::bus::Passing;

/// Bytes written before the connection listens again.
const BATCH_BYTES: usize = 128 * 1024;
/// Frames a client may send at once, and a second in the long run.
const FRAMES_AT_ONCE: u32 = 30;
const FRAMES_PER_SECOND: u32 = 5;
/// Frames over that which are answered with an error before the connection ends.
const FRAMES_TOO_MANY: u32 = 100;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// We say so, and why.
    Close(Close),
    /// The other side went, or the socket did.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl From<axum::Error> for End {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

pub struct Session {
    socket: WebSocket,
    admission: Admission,
    door: Arc<dyn Doorkeeper>,
    followers: Vec<Follower>,
    allowance: Allowance,
    /// The conversation the client last spoke of, which is mostly the one it speaks of next.
    spoken_of: Option<(CompanyId, ConversationId, ChannelId)>,
}

impl Session {
    pub fn new(socket: WebSocket, admission: Admission, door: Arc<dyn Doorkeeper>) -> Self {
        let allowance = Allowance::new(admission.fanout().now_ms());
        Self { socket, admission, door, followers: Vec::new(), allowance, spoken_of: None }
    }

    pub async fn run(mut self) {
        let end = match self.converse().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        // Its place at the streams is free now, however long the farewell takes.
        self.followers.clear();
        if let End::Close(close) = end {
            tracing::debug!(
                user.id = %self.admission.bell.caller.user_id, reason = close.reason(),
                "a realtime connection is closed"
            );
            if close == Close::SlowConsumer {
                self.fanout().count_slow_consumer();
            }
            let wait = self.fanout().settings().close_timeout;
            turn_away(&mut self.socket, close, wait).await;
        }
    }

    fn fanout(&self) -> &Fanout {
        self.admission.fanout()
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, End> {
        let heartbeat_seconds = self.fanout().settings().heartbeat.as_secs();
        let build = assets::build().map(ToOwned::to_owned);
        let hello = ServerFrame::Hello { protocol: PROTOCOL, heartbeat_seconds, build };
        self.say(&hello).await?;
        loop {
            self.deliver().await?;
            let heard = tokio::select! {
                () = self.admission.bell.rung() => None,
                message = self.socket.recv() => Some(message),
            };
            match heard {
                None => {}
                Some(None) => return Err(End::Gone),
                Some(Some(message)) => self.hear(message).await?,
            }
        }
    }

    /// Takes to the client what there is, in batches; after a full one, listens before the next.
    async fn deliver(&mut self) -> Result<(), End> {
        if let Some(close) = self.admission.bell.closing() {
            return Err(close.into());
        }
        let max_lag = self.fanout().settings().max_lag_events;
        let mut out = Outbox::default();
        if self.admission.bell.take_heartbeat() {
            out.push(HEARTBEAT);
        }
        let mut index = 0;
        while let Some(follower) = self.followers.get_mut(index) {
            if out.bytes >= BATCH_BYTES {
                // The rest at the next turn.
                self.admission.bell.ring();
                break;
            }
            match follower.take(&mut out, BATCH_BYTES, max_lag) {
                Step::Current => {
                    follower.take_passing(&mut out);
                    index += 1;
                }
                Step::Took => {}
                Step::Read(head) => Box::pin(self.read(index, &head, &mut out)).await?,
                Step::TooSlow => return Err(Close::SlowConsumer.into()),
                Step::Ended => return Err(Close::Forbidden.into()),
            }
        }
        if out.frames.is_empty() {
            return Ok(());
        }
        let events = out.events;
        self.write(out.frames).await?;
        self.fanout().count_events(events);
        Ok(())
    }

    async fn read(&mut self, index: usize, head: &Head, out: &mut Outbox) -> Result<(), End> {
        let fanout = self.admission.fanout().clone();
        let _turn = fanout.read_turn().await;
        let Some(follower) = self.followers.get_mut(index) else { return Ok(()) };
        let company = follower.company_id();
        follower.read(fanout.store(), head, out).await.map_err(|error| {
            tracing::warn!(error = %error, company.id = %company, "a log cannot be read");
            End::Close(Close::Overloaded)
        })
    }

    async fn say(&mut self, frame: &ServerFrame) -> Result<(), End> {
        self.write(vec![frame.encode()]).await
    }

    async fn write(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), End> {
        let wait = self.fanout().settings().write_timeout;
        let slow = |_| Close::SlowConsumer;
        // Each by itself: a thin line that moves is waited for as long as its lag allows.
        for frame in frames {
            timeout(wait, self.socket.feed(Message::Text(frame))).await.map_err(slow)??;
        }
        timeout(wait, self.socket.flush()).await.map_err(slow)??;
        self.admission.bell.sent(self.fanout().now_ms());
        Ok(())
    }

    async fn hear(&mut self, message: Result<Message, axum::Error>) -> Result<(), End> {
        let now = self.fanout().now_ms();
        self.admission.bell.heard(now);
        let text = match message {
            Ok(Message::Text(text)) => Some(text),
            // The library answers pings.
            Ok(Message::Ping(_) | Message::Pong(_)) => None,
            Ok(Message::Binary(_)) => return Err(Close::BadFrame.into()),
            Err(error) if is_bad_frame(&error) => return Err(Close::BadFrame.into()),
            Ok(Message::Close(_)) | Err(_) => return Err(End::Gone),
        };
        let allowed = match self.allowance.take(now) {
            Taken::Yes => true,
            Taken::No => false,
            Taken::TooMany => return Err(Close::BadFrame.into()),
        };
        let Some(text) = text else { return Ok(()) };
        if !allowed {
            return self.refuse("rate_limited", "Too many frames; this one was not read.").await;
        }
        let frame: ClientFrame = serde_json::from_str(&text).map_err(|_| Close::BadFrame)?;
        drop(text);
        match frame {
            ClientFrame::Heartbeat => Ok(()),
            ClientFrame::Unwatch { company_id } => {
                self.followers.retain(|follower| follower.company_id() != company_id);
                Ok(())
            }
            ClientFrame::Watch { company_id, position } => {
                Box::pin(self.watch(company_id, position.as_ref())).await
            }
            ClientFrame::Typing { company_id, conversation_id } => {
                Box::pin(self.pass(company_id, Some(conversation_id), |scope| Ephemeral::Typing {
                    member_id: scope.member_id,
                    conversation_id,
                }))
                .await
            }
            ClientFrame::LookingAt { company_id, conversation_id } => {
                Box::pin(self.pass(company_id, conversation_id, |scope| Ephemeral::LookingAt {
                    member_id: scope.member_id,
                    conversation_id,
                }))
                .await
            }
        }
    }

    async fn refuse(&mut self, code: &str, detail: &str) -> Result<(), End> {
        let frame = ServerFrame::Error { code: code.to_owned(), detail: detail.to_owned() };
        self.say(&frame).await
    }

    async fn watch(
        &mut self,
        company: CompanyId,
        position: Option<&StreamPosition>,
    ) -> Result<(), End> {
        // Watching again means starting over from the new position.
        self.followers.retain(|follower| follower.company_id() != company);
        if self.followers.len() >= self.fanout().settings().max_watches {
            return Err(Close::TooManyWatches.into());
        }
        let failed = |error: &dyn std::error::Error| {
            tracing::warn!(error = %error, company.id = %company, "a log cannot be watched");
            End::Close(Close::Overloaded)
        };
        let user = self.admission.bell.caller.user_id;
        let scope = self.door.scope(user, company).await.map_err(|error| failed(&error))?;
        let scope = scope.ok_or(Close::Forbidden)?;
        let watched = self.fanout().watch(&self.admission, scope, position).await;
        let (follower, frame) = watched.map_err(|error| failed(&error))?;
        self.followers.push(follower);
        self.say(&frame).await
    }

    /// Shows colleagues what this member does, if it is in a conversation that the member sees.
    async fn pass(
        &mut self,
        company: CompanyId,
        conversation: Option<ConversationId>,
        ephemeral: impl FnOnce(&Scope) -> Ephemeral + Send,
    ) -> Result<(), End> {
        let follower = self.followers.iter().find(|follower| follower.company_id() == company);
        let Some(follower) = follower else {
            return self.refuse("not_watching", "Watch the company first.").await;
        };
        let scope = follower.watching().watcher.scope();
        let channel_id = match conversation {
            None => None,
            Some(conversation) => match self.channel_of(&scope, conversation).await {
                Some(channel) => Some(channel),
                None => return self.refuse("not_found", "There is no such conversation.").await,
            },
        };
        let ephemeral = ephemeral(&scope);
        self.fanout().pass(Passing { company_id: company, channel_id, ephemeral });
        Ok(())
    }

    async fn channel_of(&mut self, scope: &Scope, id: ConversationId) -> Option<ChannelId> {
        if let Some((company, conversation, channel)) = self.spoken_of
            && (company, conversation) == (scope.company_id, id)
            && scope.sees_channel(Some(channel))
        {
            return Some(channel);
        }
        let mut reader = self.fanout().store().reader().await.ok()?;
        let conversation = reader.db().conversation(scope, id).await.ok()??;
        self.spoken_of = Some((scope.company_id, id, conversation.channel_id));
        Some(conversation.channel_id)
    }
}

/// Says why, and waits a little for the other side to close as well: a socket dropped with something
/// unread takes the close frame down with it.
pub(super) async fn turn_away(socket: &mut WebSocket, close: Close, wait: Duration) {
    let farewell = async {
        socket.send(Message::Close(Some(close.frame()))).await?;
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<_, axum::Error>(())
    };
    // If it does not listen, it will find out.
    let _ = timeout(wait, farewell).await;
}

/// Whether the client broke the rules of the wire (a frame too large, not masked, not UTF-8), rather
/// than the wire itself.
fn is_bad_frame(error: &axum::Error) -> bool {
    // axum hides the library's error behind its own; the text is what there is.
    let text = error.to_string();
    ["Space limit exceeded", "WebSocket protocol error", "UTF-8"]
        .iter()
        .any(|hint| text.contains(hint))
        && !text.contains("closing handshake")
}

/// How many frames a client may still send.
#[derive(Debug)]
struct Allowance {
    frames: u32,
    refused: u32,
    at_ms: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    No,
    TooMany,
}

impl Allowance {
    const fn new(now_ms: u64) -> Self {
        Self { frames: FRAMES_AT_ONCE, refused: 0, at_ms: now_ms }
    }

    fn take(&mut self, now_ms: u64) -> Taken {
        let earned = now_ms.saturating_sub(self.at_ms) * u64::from(FRAMES_PER_SECOND) / 1000;
        if earned > 0 {
            self.at_ms = now_ms;
            let earned = u32::try_from(earned).unwrap_or(FRAMES_AT_ONCE);
            self.frames = self.frames.saturating_add(earned).min(FRAMES_AT_ONCE);
        }
        if let Some(left) = self.frames.checked_sub(1) {
            self.frames = left;
            self.refused = 0;
            return Taken::Yes;
        }
        self.refused += 1;
        if self.refused > FRAMES_TOO_MANY { Taken::TooMany } else { Taken::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_speak_in_bursts_but_not_without_end() {
        let mut allowance = Allowance::new(0);
        for _ in 0..FRAMES_AT_ONCE {
            assert_eq!(allowance.take(1), Taken::Yes);
        }
        assert_eq!(allowance.take(1), Taken::No);
        assert_eq!(allowance.take(1000), Taken::Yes);
        for _ in 0..FRAMES_TOO_MANY + FRAMES_PER_SECOND {
            let _ = allowance.take(1001);
        }
        assert_eq!(allowance.take(1001), Taken::TooMany);
        assert_eq!(allowance.take(60_000), Taken::Yes);
    }
}
