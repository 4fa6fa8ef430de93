//! Updates of the provider as updates of the hub. Pure: JSON and the time in, [`NumberedUpdate`] out.
//!
//! Only private chats are conversations; everything else is skipped with its reason. Nothing a client
//! said is dropped: what cannot be shown comes out as unsupported with the payload kept. Nothing here
//! fails: whatever the JSON holds, an update with a number yields an update of ours, so that the cursor
//! always moves on.

mod content;
mod entities;
mod file_name;

use hub_domain::Timestamp;
use hub_domain::channel::{InboundMessage, InboundReply, InboundUpdate, NumberedUpdate, Sender};
use hub_domain::content::{ForwardOrigin, without_nul};
use serde_json::{Map, Value};

use crate::outbound::MessageRef;
use crate::wire;
use content::Reading;

/// Kinds the provider may send that are not for a messaging hub, or not asked for.
const UNUSED_KINDS: [&str; 16] = [
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "poll",
    "poll_answer",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "message_reaction_count",
    "purchased_paid_media",
    "managed_bot",
    "guest_message",
    "custom_event",
    "custom_query",
];

/// Correspondence of a person's own account that lets the bot in.
const BUSINESS_KINDS: [&str; 4] = [
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
];

/// Longest name of an unknown kind that is passed on; it may end up in a log line.
const KIND_NAME_LIMIT: usize = 64;

/// Reads the payload of one kind; the error is why there is nothing for us.
type Reader = fn(&Value, Timestamp) -> Result<InboundUpdate, &'static str>;

/// One update; `None` when it has no number, so is none.
pub fn update(update: &Value, now: Timestamp) -> Option<NumberedUpdate> {
    let fields = update.as_object()?;
    let update_id = fields.get("update_id")?.as_i64()?;
    Some(NumberedUpdate { update_id: Some(update_id), update: meaning(fields, now) })
}

fn meaning(fields: &Map<String, Value>, now: Timestamp) -> InboundUpdate {
    let readers: [(&str, Reader); 5] = [
        ("message", new_message),
        ("edited_message", edited_message),
        ("callback_query", button_pressed),
        ("my_chat_member", reachability),
        ("message_reaction", reaction),
    ];
    for (kind, reader) in readers {
        if let Some(payload) = fields.get(kind) {
            return reader(payload, now).unwrap_or_else(|reason| skipped(reason, kind, payload));
        }
    }
    let Some((kind, payload)) = fields.iter().find(|(key, _)| *key != "update_id") else {
        return skipped("malformed", "update", &Value::Null);
    };
    let reason = match kind.as_str() {
        "channel_post" | "edited_channel_post" => "channel_post",
        kind if BUSINESS_KINDS.contains(&kind) => "business",
        kind if UNUSED_KINDS.contains(&kind) => "unused_kind",
        _ => "unknown_kind",
    };
    skipped(reason, kind, payload)
}

fn skipped(reason: &'static str, kind: &str, payload: &Value) -> InboundUpdate {
    // These may be ours to show, once we understand them.
    let keep = matches!(reason, "malformed" | "unknown_kind") && !payload.is_null();
    InboundUpdate::Skipped {
        reason,
        kind: printable(kind),
        raw: keep.then(|| without_nul_within(payload.clone())),
    }
}

fn new_message(payload: &Value, now: Timestamp) -> Result<InboundUpdate, &'static str> {
    message(payload, now).map(|message| InboundUpdate::Message(Box::new(message)))
}

fn edited_message(payload: &Value, now: Timestamp) -> Result<InboundUpdate, &'static str> {
    let mut message = message(payload, now)?;
    // The date of an edit is not promised; that it is one is.
    message.edited_at.get_or_insert(message.sent_at);
    Ok(InboundUpdate::Edited(Box::new(message)))
}

fn message(payload: &Value, now: Timestamp) -> Result<InboundMessage, &'static str> {
    let fields = payload.as_object().ok_or("malformed")?;
    let message: wire::Message = wire::read(payload).ok_or("malformed")?;
    only_private(&message.chat)?;
    let from = message.from.clone().unwrap_or_else(|| message.chat.as_user());
    let said = match content::read(fields, &message, from.id) {
        Reading::Said(said) => said,
        Reading::Service => return Err("service"),
    };
    Ok(InboundMessage {
        external_id: MessageRef::of(&message.chat, message.message_id).to_string(),
        sender: sender(&from, &message.chat),
        by_us: false,
        ordinal: message.message_id,
        sent_at: time(message.date).unwrap_or(now),
        edited_at: time(message.edit_date),
        content: said.content,
        attachments: said.attachments,
        album_id: message.media_group_id.clone().map(without_nul),
        reply_to: reply(&message),
        forwarded_from: message
            .forward_origin
            .as_ref()
            .map(|origin| ForwardOrigin { name: without_nul(origin.name()) }),
        verified_phone: said.verified_phone,
        raw: said.keep_raw.then(|| without_nul_within(payload.clone())),
    })
}

fn reply(message: &wire::Message) -> Option<InboundReply> {
    let marked = message.quote.as_ref().and_then(|quote| quote.text.clone());
    if let Some(quoted) = &message.reply_to_message {
        let same_chat = quoted.chat.id == message.chat.id;
        let words = marked.or_else(|| quoted.text.clone()).or_else(|| quoted.caption.clone());
        return Some(InboundReply {
            external_id: same_chat
                .then(|| MessageRef::of(&quoted.chat, quoted.message_id).to_string()),
            text: without_nul(words.unwrap_or_default()),
        });
    }
    // A message of another chat: nothing to link to, only what the client marked or where it is from.
    let external = message.external_reply.as_ref()?;
    let words = marked.or_else(|| external.origin.as_ref().map(wire::Origin::name));
    Some(InboundReply { external_id: None, text: without_nul(words.unwrap_or_default()) })
}

fn button_pressed(payload: &Value, now: Timestamp) -> Result<InboundUpdate, &'static str> {
    let query: wire::CallbackQuery = wire::read(payload).ok_or("malformed")?;
    let chat = query.message.as_ref().map(|message| &message.chat);
    if let Some(chat) = chat {
        only_private(chat)?;
    }
    let sender = match chat {
        Some(chat) => sender(&query.from, chat),
        // A button under an inline result: no chat is told, the private one has the person's id.
        None => sender_of(&query.from, query.from.id),
    };
    let message_external_id = query
        .message
        .as_ref()
        .map(|message| MessageRef::of(&message.chat, message.message_id).to_string());
    Ok(InboundUpdate::ButtonPressed {
        external_id: without_nul(query.id),
        sender,
        data: without_nul(query.data.or(query.game_short_name).unwrap_or_default()),
        message_external_id,
        // A press has no place in the numbering of messages, and no time of its own.
        ordinal: 0,
        sent_at: now,
    })
}

fn reachability(payload: &Value, now: Timestamp) -> Result<InboundUpdate, &'static str> {
    let update: wire::ChatMemberUpdated = wire::read(payload).ok_or("malformed")?;
    only_private(&update.chat)?;
    let reachable = match update.new_chat_member.status.as_str() {
        "kicked" | "left" => false,
        "member" => true,
        _ => return Err("unused_kind"),
    };
    let from = update.from.unwrap_or_else(|| update.chat.as_user());
    let sender = sender(&from, &update.chat);
    Ok(InboundUpdate::Reachability { sender, reachable, at: time(update.date).unwrap_or(now) })
}

fn reaction(payload: &Value, now: Timestamp) -> Result<InboundUpdate, &'static str> {
    let update: wire::ReactionUpdated = wire::read(payload).ok_or("malformed")?;
    only_private(&update.chat)?;
    let from = update.user.unwrap_or_else(|| update.chat.as_user());
    Ok(InboundUpdate::Reaction {
        message_external_id: MessageRef::of(&update.chat, update.message_id).to_string(),
        sender: sender(&from, &update.chat),
        emojis: update.new_reaction.iter().map(reaction_emoji).collect(),
        at: time(update.date).unwrap_or(now),
    })
}

/// Every reaction yields something to show: an empty list would mean "taken away".
fn reaction_emoji(reaction: &Value) -> String {
    const UNKNOWN: &str = "\u{2754}";
    match wire::read::<wire::Reaction>(reaction) {
        Some(wire::Reaction { kind, .. }) if kind == "paid" => "\u{2b50}".to_owned(),
        Some(wire::Reaction { emoji: Some(emoji), .. }) => without_nul(emoji),
        _ => UNKNOWN.to_owned(),
    }
}

fn only_private(chat: &wire::Chat) -> Result<(), &'static str> {
    if chat.is_private() {
        Ok(())
    } else if chat.is_channel() {
        Err("channel_post")
    } else {
        Err("group_chat")
    }
}

fn sender(user: &wire::User, chat: &wire::Chat) -> Sender {
    sender_of(user, chat.id)
}

fn sender_of(user: &wire::User, chat_id: i64) -> Sender {
    Sender {
        external_id: user.id.to_string(),
        chat_id: chat_id.to_string(),
        name: without_nul(user.full_name()),
        username: user.username.clone().map(without_nul),
        language: user.language_code.clone().map(without_nul),
    }
}

/// A date as the provider tells it; 0 means that it does not.
fn time(seconds: Option<i64>) -> Option<Timestamp> {
    /// End of the year 9999: later dates have no RFC 3339 form.
    const LAST: i64 = 253_402_300_799;
    seconds.filter(|seconds| (1..=LAST).contains(seconds)).map(Timestamp::from_seconds)
}

/// A name that may be logged: bounded, without anything that is not printable ASCII.
fn printable(name: &str) -> String {
    name.chars()
        .take(KIND_NAME_LIMIT)
        .map(|one| if one.is_ascii_graphic() { one } else { '?' })
        .collect()
}

/// The payload as it came, except for what PostgreSQL cannot store.
pub fn without_nul_within(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(text)),
        Value::Array(items) => items.into_iter().map(without_nul_within).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (without_nul(key), without_nul_within(value)))
            .collect(),
        other => other,
    }
}
