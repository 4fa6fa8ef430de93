//! What a message says, found on its raw fields: the first known content wins.
//!
//! The order matters where the provider sends a copy for older programs: an animation comes with a
//! document, a venue with a location.

use hub_domain::channel::InboundAttachment;
use hub_domain::content::without_nul;
use hub_domain::{AttachmentKind, Content};
use serde_json::{Map, Value};

use super::{entities, file_name, printable};
use crate::wire;

/// What a message turned out to be.
pub enum Reading {
    Said(Said),
    /// The provider's own remark, nothing the client said.
    Service,
}

pub struct Said {
    pub content: Content,
    pub attachments: Vec<InboundAttachment>,
    pub verified_phone: Option<String>,
    pub keep_raw: bool,
}

impl Said {
    fn plain(content: Content) -> Self {
        Self { content, attachments: Vec::new(), verified_phone: None, keep_raw: false }
    }

    fn unsupported(what: &str, text: Option<String>) -> Self {
        let text = text.map(without_nul).filter(|text| !text.is_empty());
        let content = Content::Unsupported { what: printable(what), text };
        Self { keep_raw: true, ..Self::plain(content) }
    }
}

/// Files, in the order of detection, after text.
const FILES: [(&str, AttachmentKind); 8] = [
    ("animation", AttachmentKind::Animation),
    ("photo", AttachmentKind::Photo),
    ("video", AttachmentKind::Video),
    ("video_note", AttachmentKind::VideoNote),
    ("voice", AttachmentKind::Voice),
    ("audio", AttachmentKind::Audio),
    ("document", AttachmentKind::Document),
    ("sticker", AttachmentKind::Sticker),
];

/// Fields around the content.
const ENVELOPE: [&str; 43] = [
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "edit_date",
    "business_connection_id",
    "chat",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_sender_name",
    "forward_signature",
    "forward_date",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "external_reply",
    "quote",
    "via_bot",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
    "guest_bot_caller_user",
];

/// Remarks of the provider that can stand in a private chat, or in any other.
const SERVICE: [&str; 47] = [
    "new_chat_members",
    "new_chat_member",
    "new_chat_participant",
    "left_chat_member",
    "left_chat_participant",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "connected_website",
    "write_access_allowed",
    "passport_data",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_completed",
    "paid_message_price_changed",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
    "chat_owner_changed",
];

/// Reads one kind of content; takes the sender's id. `None` when it lacks what it must have.
type Reader = fn(&Value, &wire::Message, i64) -> Option<Said>;

pub fn read(fields: &Map<String, Value>, message: &wire::Message, from: i64) -> Reading {
    let present = |field: &str| fields.get(field).filter(|payload| !payload.is_null());
    if present("text").is_some() {
        return Reading::Said(text(message));
    }
    for (field, kind) in FILES {
        if let Some(payload) = present(field) {
            return Reading::Said(file(field, kind, payload, message));
        }
    }
    let others: [(&str, Reader); 5] = [
        ("contact", contact),
        ("venue", venue),
        ("location", location),
        ("poll", poll),
        ("dice", dice),
    ];
    for (field, reader) in others {
        if let Some(payload) = present(field) {
            let said = reader(payload, message, from);
            return Reading::Said(said.unwrap_or_else(|| Said::unsupported(field, None)));
        }
    }
    if SERVICE.into_iter().any(|field| present(field).is_some()) {
        return Reading::Service;
    }
    let unknown = fields
        .iter()
        .find(|(field, payload)| !payload.is_null() && !ENVELOPE.contains(&field.as_str()));
    match unknown {
        Some((what, payload)) => Reading::Said(Said::unsupported(what, stand_in(payload, message))),
        None if message.caption.is_some() => {
            Reading::Said(Said::unsupported("caption", message.caption.clone()))
        }
        None => Reading::Service,
    }
}

fn text(message: &wire::Message) -> Said {
    match message.text.clone().map(without_nul) {
        Some(text) if !text.is_empty() => {
            let entities = entities::within(&text, &message.entities);
            Said::plain(Content::Text { text, entities })
        }
        _ => Said::unsupported("text", None),
    }
}

fn file(field: &str, kind: AttachmentKind, payload: &Value, message: &wire::Message) -> Said {
    let file = match payload {
        Value::Array(sizes) => largest(sizes),
        payload => wire::read(payload),
    };
    let Some(file) = file.filter(|file: &wire::File| !file.file_id.is_empty()) else {
        return Said::unsupported(field, message.caption.clone());
    };
    let text = without_nul(message.caption.clone().unwrap_or_default());
    let entities = entities::within(&text, &message.caption_entities);
    Said {
        attachments: vec![attachment(kind, file)],
        ..Said::plain(Content::Text { text, entities })
    }
}

/// All sizes are one picture: the largest by area is the picture.
fn largest(sizes: &[Value]) -> Option<wire::File> {
    let area = |file: &wire::File| {
        i64::from(file.width.unwrap_or(0)) * i64::from(file.height.unwrap_or(0))
    };
    sizes
        .iter()
        .filter_map(wire::read::<wire::File>)
        .max_by_key(|file| (area(file), file.file_size.unwrap_or(0)))
}

fn attachment(kind: AttachmentKind, file: wire::File) -> InboundAttachment {
    let mime_type = file.mime_type.as_deref().and_then(plausible_mime_type).or_else(|| {
        let known = match kind {
            AttachmentKind::Photo => "image/jpeg",
            AttachmentKind::VideoNote => "video/mp4",
            AttachmentKind::Voice => "audio/ogg",
            AttachmentKind::Sticker if file.is_animated == Some(true) => "application/x-tgsticker",
            AttachmentKind::Sticker if file.is_video == Some(true) => "video/webm",
            AttachmentKind::Sticker => "image/webp",
            _ => return None,
        };
        Some(known.to_owned())
    });
    let positive = |number: Option<i32>| number.filter(|number| *number >= 0);
    InboundAttachment {
        kind,
        file_ref: without_nul(file.file_id),
        unique_ref: file.file_unique_id.map(without_nul),
        file_name: file.file_name.as_deref().and_then(file_name::harmless),
        mime_type,
        size_bytes: file.file_size.filter(|size| *size >= 0),
        width: positive(file.width.or(file.length)),
        height: positive(file.height.or(file.length)),
        duration_seconds: positive(file.duration),
        emoji: file.emoji.map(without_nul),
    }
}

/// The sender's claim, when it has the form of a type at all.
fn plausible_mime_type(claim: &str) -> Option<String> {
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let (kind, subtype) = claim.split_once('/')?;
    let plausible = claim.len() <= 127 && is_token(kind) && is_token(subtype);
    plausible.then(|| claim.to_ascii_lowercase())
}

fn contact(payload: &Value, message: &wire::Message, from: i64) -> Option<Said> {
    let contact: wire::Contact = wire::read(payload)?;
    let phone = contact.phone_number.clone().map(without_nul).filter(|phone| !phone.is_empty());
    let name = without_nul(contact.full_name());
    if phone.is_none() && name.is_empty() {
        return None;
    }
    // The provider vouches for the number only in a card the person shared of themselves; a forwarded
    // card was made by somebody else.
    let own = contact.user_id == Some(from) && message.forward_origin.is_none() && phone.is_some();
    Some(Said {
        verified_phone: phone.clone().filter(|_| own),
        keep_raw: contact.vcard.is_some(),
        ..Said::plain(Content::Contact { name, phone, own })
    })
}

fn venue(payload: &Value, _: &wire::Message, _: i64) -> Option<Said> {
    let venue: wire::Venue = wire::read(payload)?;
    let title = venue.title.map(without_nul);
    let address = venue.address.map(without_nul);
    Some(Said::plain(place(&venue.location, title, address)))
}

fn location(payload: &Value, _: &wire::Message, _: i64) -> Option<Said> {
    Some(Said::plain(place(&wire::read(payload)?, None, None)))
}

fn place(location: &wire::Location, title: Option<String>, address: Option<String>) -> Content {
    Content::Location {
        latitude: location.latitude,
        longitude: location.longitude,
        title,
        address,
        live: location.live_period.is_some(),
    }
}

fn poll(payload: &Value, _: &wire::Message, _: i64) -> Option<Said> {
    let poll: wire::Poll = wire::read(payload)?;
    let options = poll.options.iter().map(|option| format!("\n\u{2013} {}", option.text));
    let text = std::iter::once(poll.question.clone()).chain(options).collect();
    Some(Said::unsupported("poll", Some(text)))
}

fn dice(payload: &Value, _: &wire::Message, _: i64) -> Option<Said> {
    let dice: wire::Dice = wire::read(payload)?;
    Some(Said::unsupported("dice", Some(format!("{} {}", dice.emoji, dice.value))))
}

/// Words for something we do not know: its caption, or what it calls itself.
fn stand_in(payload: &Value, message: &wire::Message) -> Option<String> {
    let named = |field: &str| payload.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
    message
        .caption
        .clone()
        .or_else(|| named("title"))
        .or_else(|| named("text"))
        .or_else(|| named("button_text"))
}
