//! The methods of the Bot API, each a step on the world that either takes effect whole or is refused.
//!
//! Texts of refusals are the provider's. Nothing here waits: the long poll is in [`super::http`].

use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::Inner;
use super::answer::{Answer, Refusal, Success};
use super::files::MediaKind;
use super::http::member_integer;
use super::params::{Params, Upload};
use super::text::{
    CAPTION_LIMIT, Formatted, TEXT_LIMIT, formatted, formatted_item, found_entities, utf16_length,
};
use super::webhook::Webhook;
use super::world::{Author, Bot, Message, Noticed, Standing, World};
use crate::media;

const PHOTO_LIMIT: usize = 10 << 20;
const DOWNLOAD_LIMIT: u64 = 20 << 20;
const DELETE_WITHIN_SECONDS: i64 = 48 * 3600;
const CALLBACK_ANSWER_SECONDS: i64 = 15 * 60;

const METHODS: [&str; 28] = [
    "getMe",
    "getUpdates",
    "setWebhook",
    "deleteWebhook",
    "getWebhookInfo",
    "sendMessage",
    "sendPhoto",
    "sendDocument",
    "sendVideo",
    "sendAnimation",
    "sendVoice",
    "sendAudio",
    "sendVideoNote",
    "sendSticker",
    "sendLocation",
    "sendVenue",
    "sendContact",
    "sendMediaGroup",
    "sendChatAction",
    "editMessageText",
    "editMessageCaption",
    "editMessageReplyMarkup",
    "deleteMessage",
    "deleteMessages",
    "setMessageReaction",
    "answerCallbackQuery",
    "getFile",
    "getChat",
];

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

const REACTIONS: &str = "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳❤\u{200d}🔥🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👨\u{200d}💻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡";

/// The method's name as the contract spells it; names are case-insensitive.
pub(super) fn canonical(method: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|known| known.eq_ignore_ascii_case(method))
}

const UPLOAD_FIELDS: [&str; 8] =
    ["photo", "document", "video", "animation", "voice", "audio", "video_note", "sticker"];

/// Files of this call that are given by address.
pub(super) fn file_addresses(params: &Params) -> Vec<String> {
    let is_address = |text: &String| text.starts_with("http://") || text.starts_with("https://");
    let mut addresses: Vec<String> =
        UPLOAD_FIELDS.iter().filter_map(|field| params.text(field)).filter(is_address).collect();
    if let Ok(Some(Value::Array(items))) = params.nested("media") {
        let given = items.iter().filter_map(|item| item.get("media")?.as_str().map(str::to_owned));
        addresses.extend(given.filter(is_address));
    }
    addresses
}

pub(super) fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

enum Markup {
    None,
    /// A member of the message.
    Inline(Value),
    /// Shown to the client only.
    Keyboard(Value),
}

/// One call under way.
pub(super) struct Context<'a> {
    world: &'a mut World,
    bot_id: i64,
    params: &'a Params,
    now: i64,
    inner: &'a Inner,
    /// The generation of a webhook that this call set.
    pub started_webhook: Option<u64>,
}

impl<'a> Context<'a> {
    pub fn new(
        world: &'a mut World,
        bot_id: i64,
        params: &'a Params,
        now: i64,
        inner: &'a Inner,
    ) -> Self {
        Self { world, bot_id, params, now, inner, started_webhook: None }
    }

    pub fn run(&mut self, method: &str) -> Answer {
        match method {
            "getMe" => Ok(Success::of(self.bot()?.about())),
            "setWebhook" => self.set_webhook(),
            "deleteWebhook" => self.delete_webhook(),
            "getWebhookInfo" => self.webhook_info(),
            "sendMessage" => self.send_message(),
            "sendPhoto" => self.send_media(MediaKind::Photo),
            "sendDocument" => self.send_media(MediaKind::Document),
            "sendVideo" => self.send_media(MediaKind::Video),
            "sendAnimation" => self.send_media(MediaKind::Animation),
            "sendVoice" => self.send_media(MediaKind::Voice),
            "sendAudio" => self.send_media(MediaKind::Audio),
            "sendVideoNote" => self.send_media(MediaKind::VideoNote),
            "sendSticker" => self.send_media(MediaKind::Sticker),
            "sendLocation" => self.send_location(),
            "sendVenue" => self.send_venue(),
            "sendContact" => self.send_contact(),
            "sendMediaGroup" => self.send_media_group(),
            "sendChatAction" => self.send_chat_action(),
            "editMessageText" => self.edit_text(),
            "editMessageCaption" => self.edit_caption(),
            "editMessageReplyMarkup" => self.edit_markup(),
            "deleteMessage" => self.delete_message(),
            "deleteMessages" => self.delete_messages(),
            "setMessageReaction" => self.set_reaction(),
            "answerCallbackQuery" => self.answer_callback(),
            "getFile" => self.get_file(),
            "getChat" => self.get_chat(),
            _ => Err(Refusal::METHOD_NOT_FOUND),
        }
    }

    fn bot(&mut self) -> Result<&mut Bot, Refusal> {
        self.world.bots.get_mut(&self.bot_id).ok_or(Refusal::UNAUTHORIZED)
    }

    // Where to

    /// The chat of the call, if the bot may write there.
    fn chat(&mut self) -> Result<i64, Refusal> {
        let given = self.params.text("chat_id").unwrap_or_default();
        let given = given.trim();
        if given.is_empty() {
            return Err(Refusal::bad("chat_id is empty"));
        }
        let chat_id: i64 = given.parse().map_err(|_| Refusal::CHAT_NOT_FOUND)?;
        let standing =
            self.bot()?.chats.get(&chat_id).map(|chat| chat.standing).unwrap_or_default();
        if let Some(group) = self.world.groups.get(&chat_id) {
            if let Some(new_id) = group.upgraded_to {
                return Err(Refusal::upgraded(new_id));
            }
            let kind = group.chat["type"].as_str().unwrap_or("group");
            return match standing {
                Standing::Open => Ok(chat_id),
                Standing::Blocked => {
                    Err(Refusal::forbidden(format!("bot was kicked from the {kind} chat")))
                }
                _ => Err(Refusal::forbidden(format!("bot is not a member of the {kind} chat"))),
            };
        }
        let Some(person) = self.world.people.get(&chat_id) else {
            return Err(Refusal::CHAT_NOT_FOUND);
        };
        match standing {
            Standing::Stranger => Err(Refusal::CHAT_NOT_FOUND),
            _ if person.deactivated => Err(Refusal::forbidden("user is deactivated")),
            Standing::Met => Err(Refusal::forbidden("bot can't initiate conversation with a user")),
            Standing::Blocked => Err(Refusal::forbidden("bot was blocked by the user")),
            Standing::Open => Ok(chat_id),
        }
    }

    fn reply(&mut self, chat_id: i64) -> Result<Option<i64>, Refusal> {
        let params = self.params;
        let (id, optional) = match params.nested("reply_parameters")? {
            Some(reply) if reply.is_object() => {
                let optional = reply["allow_sending_without_reply"].as_bool().unwrap_or(false);
                let elsewhere =
                    member_integer(&reply, "chat_id").is_some_and(|other| other != chat_id);
                (member_integer(&reply, "message_id").filter(|_| !elsewhere), optional)
            }
            Some(_) => return Err(Refusal::bad("can't parse reply parameters JSON object")),
            None => {
                (params.integer("reply_to_message_id"), params.flag("allow_sending_without_reply"))
            }
        };
        let Some(id) = id.filter(|id| *id != 0) else { return Ok(None) };
        match self.bot()?.message(chat_id, id) {
            Some(_) => Ok(Some(id)),
            None if optional => Ok(None),
            None => Err(Refusal::bad("message to be replied not found")),
        }
    }

    fn markup(&self, chat_id: i64) -> Result<Markup, Refusal> {
        let Some(markup) = self.params.nested("reply_markup")? else { return Ok(Markup::None) };
        if let Some(rows) = markup.get("inline_keyboard") {
            let buttons =
                buttons(rows).ok_or_else(|| Refusal::bad("can't parse inline keyboard button"))?;
            for button in &buttons {
                let acts = [
                    "url",
                    "callback_data",
                    "web_app",
                    "login_url",
                    "switch_inline_query",
                    "copy_text",
                    "pay",
                ];
                if !button.is_object() || !acts.iter().any(|act| button.get(act).is_some()) {
                    return Err(Refusal::bad(
                        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
                    ));
                }
                let data = button.get("callback_data").and_then(Value::as_str);
                if data.is_some_and(|data| data.is_empty() || data.len() > 64) {
                    return Err(Refusal::bad("BUTTON_DATA_INVALID"));
                }
            }
            if buttons.is_empty() {
                return Ok(Markup::None);
            }
            return Ok(Markup::Inline(markup));
        }
        if let Some(rows) = markup.get("keyboard") {
            let buttons =
                buttons(rows).ok_or_else(|| Refusal::bad("can't parse keyboard button"))?;
            let asks_phone =
                buttons.iter().any(|button| button["request_contact"].as_bool() == Some(true));
            if asks_phone && chat_id < 0 {
                return Err(Refusal::bad("phone number can be requested in private chats only"));
            }
            return Ok(Markup::Keyboard(markup));
        }
        if markup.get("remove_keyboard").is_some() || markup.get("force_reply").is_some() {
            return Ok(Markup::Keyboard(markup));
        }
        Err(Refusal::bad("object expected as reply markup"))
    }

    // Sending

    /// Sends one or several messages (an album) and gives their ids.
    fn send(
        &mut self,
        chat_id: i64,
        contents: Vec<Map<String, Value>>,
    ) -> Result<Vec<i64>, Refusal> {
        let reply_to = self.reply(chat_id)?;
        let markup = self.markup(chat_id)?;
        let (date, bound) = (self.now, self.inner.options.kept_messages);
        let bot = self.bot()?;
        let mut ids = Vec::with_capacity(contents.len());
        for mut content in contents {
            let keyboard = match &markup {
                Markup::None => None,
                Markup::Inline(markup) => {
                    content.insert("reply_markup".into(), markup.clone());
                    None
                }
                Markup::Keyboard(keyboard) => Some(keyboard.clone()),
            };
            let message = Message {
                id: 0,
                author: Author::Bot,
                date,
                edit_date: None,
                content,
                reply_to,
                keyboard,
                reaction: None,
                deleted: false,
            };
            let id = bot.keep(chat_id, message, bound);
            if let Some(chat) = bot.chats.get_mut(&chat_id) {
                chat.notice(Noticed::Message, Some(id), None);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn send_one(&mut self, chat_id: i64, content: Map<String, Value>) -> Answer {
        let ids = self.send(chat_id, vec![content])?;
        let id = ids.first().copied().unwrap_or_default();
        Ok(self.as_answer(chat_id, id))
    }

    fn as_answer(&self, chat_id: i64, id: i64) -> Success {
        let message = self.world.render(self.bot_id, chat_id, id).unwrap_or_default();
        Success::message(id, message)
    }

    fn message_text(&self) -> Result<Map<String, Value>, Refusal> {
        if self.params.text("text").unwrap_or_default().is_empty() {
            return Err(Refusal::bad("message text is empty"));
        }
        let formatted = formatted(self.params, "text", "entities")?;
        if formatted.text.is_empty() {
            return Err(Refusal::bad("text must be non-empty"));
        }
        if utf16_length(&formatted.text) > TEXT_LIMIT {
            return Err(Refusal::bad("message is too long"));
        }
        Ok(text_content("text", "entities", formatted))
    }

    fn caption(&self) -> Result<Map<String, Value>, Refusal> {
        checked_caption(formatted(self.params, "caption", "caption_entities")?)
    }

    fn send_message(&mut self) -> Answer {
        let content = self.message_text()?;
        let chat_id = self.chat()?;
        self.send_one(chat_id, content)
    }

    fn send_media(&mut self, kind: MediaKind) -> Answer {
        let field = kind.field();
        let caption = if kind.has_caption() { self.caption()? } else { Map::new() };
        let chat_id = self.chat()?;
        if matches!(kind, MediaKind::Voice | MediaKind::VideoNote)
            && self.world.people.get(&chat_id).is_some_and(|person| person.forbids_voice)
        {
            return Err(Refusal::bad("VOICE_MESSAGES_FORBIDDEN"));
        }
        let reference = self.params.text(field);
        // Refusals of the reply and of the buttons come before the file is kept.
        self.reply(chat_id)?;
        self.markup(chat_id)?;
        let params = self.params;
        let mut content = match params.file(field) {
            Some(upload) => self.store(kind, upload)?,
            None => self.referred(kind, reference.as_deref())?,
        };
        content.extend(caption);
        self.send_one(chat_id, content)
    }

    /// A file given as `file_id`, as `attach://part` or by address.
    fn referred(
        &mut self,
        kind: MediaKind,
        reference: Option<&str>,
    ) -> Result<Map<String, Value>, Refusal> {
        let missing = || {
            Refusal::bad(format!("there is no {} in the request", kind.field().replace('_', " ")))
        };
        let reference = reference.filter(|reference| !reference.is_empty()).ok_or_else(missing)?;
        let params = self.params;
        if let Some(upload) = params.file(reference.strip_prefix("attach://").unwrap_or(reference))
        {
            return self.store(kind, upload);
        }
        if reference.starts_with("attach://") {
            return Err(missing());
        }
        let files = &self.bot()?.files;
        match files.get(reference) {
            Some(file) if file.kind == kind => {
                files.content_of(kind, reference).ok_or_else(missing)
            }
            Some(_) => Err(Refusal::bad("type of file mismatch")),
            None => Err(Refusal::bad("wrong file identifier/HTTP URL specified")),
        }
    }

    fn store(&mut self, kind: MediaKind, upload: &Upload) -> Result<Map<String, Value>, Refusal> {
        if upload.bytes.is_empty() {
            return Err(Refusal::bad("file must be non-empty"));
        }
        if kind == MediaKind::Photo {
            if upload.bytes.len() > PHOTO_LIMIT {
                return Err(Refusal::bad("file is too big for a photo"));
            }
            let (width, height) = media::picture_size(&upload.bytes)
                .ok_or_else(|| Refusal::bad("IMAGE_PROCESS_FAILED"))?;
            let too_narrow = width.max(height) > width.min(height).saturating_mul(20);
            if width.saturating_add(height) > 10_000 || too_narrow {
                return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
            }
        }
        let bound = self.inner.options.kept_file_bytes;
        let duration = self.params.integer("duration").unwrap_or(0);
        let bot = self.bot()?;
        let content_type = upload.content_type.as_deref();
        Ok(bot.files.add_of_bot(
            kind,
            &upload.file_name,
            content_type,
            upload.bytes.clone(),
            duration,
            bound,
        ))
    }

    fn location(&self) -> Result<Value, Refusal> {
        let number = |name: &str, limit: f64| {
            self.params.number(name).filter(|number| number.abs() <= limit)
        };
        match (number("latitude", 90.0), number("longitude", 180.0)) {
            (Some(latitude), Some(longitude)) => {
                Ok(json!({ "latitude": latitude, "longitude": longitude }))
            }
            _ => Err(Refusal::bad("bad latitude or longitude")),
        }
    }

    fn send_location(&mut self) -> Answer {
        let location = self.location()?;
        let chat_id = self.chat()?;
        self.send_one(chat_id, Map::from_iter([("location".to_owned(), location)]))
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.params
            .text(name)
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| Refusal::bad(format!("parameter \"{name}\" is required")))
    }

    fn send_venue(&mut self) -> Answer {
        let location = self.location()?;
        let venue = json!({ "location": location, "title": self.required("title")?, "address": self.required("address")? });
        let chat_id = self.chat()?;
        self.send_one(
            chat_id,
            Map::from_iter([("location".to_owned(), location), ("venue".to_owned(), venue)]),
        )
    }

    fn send_contact(&mut self) -> Answer {
        let contact = json!({ "phone_number": self.required("phone_number")?, "first_name": self.required("first_name")? });
        let chat_id = self.chat()?;
        self.send_one(chat_id, Map::from_iter([("contact".to_owned(), contact)]))
    }

    fn send_media_group(&mut self) -> Answer {
        let Some(Value::Array(items)) = self.params.nested("media")? else {
            return Err(Refusal::bad(
                "can't parse media JSON object: expected an Array of InputMedia",
            ));
        };
        if items.len() < 2 {
            return Err(Refusal::bad("too few messages to send as an album"));
        }
        if items.len() > 10 {
            return Err(Refusal::bad("too many messages to send as an album"));
        }
        let mut kinds = Vec::new();
        let mut captions = Vec::new();
        for item in &items {
            let Some(object) = item.as_object() else {
                return Err(Refusal::bad("can't parse InputMedia: expected an Object"));
            };
            kinds.push(match object.get("type").and_then(Value::as_str) {
                Some("photo") => MediaKind::Photo,
                Some("video") => MediaKind::Video,
                Some("document") => MediaKind::Document,
                Some("audio") => MediaKind::Audio,
                _ => {
                    return Err(Refusal::bad(
                        "can't parse InputMedia: type must be one of photo, video, document, audio",
                    ));
                }
            });
            captions.push(checked_caption(formatted_item(object)?)?);
        }
        for alone in [MediaKind::Document, MediaKind::Audio] {
            let same = kinds.iter().filter(|kind| **kind == alone).count();
            if same > 0 && same < kinds.len() {
                return Err(Refusal::bad(format!(
                    "{} can't be mixed with other media types",
                    alone.field()
                )));
            }
        }
        let chat_id = self.chat()?;
        self.reply(chat_id)?;
        let media_group = self.bot()?.next_media_group();
        let mut contents = Vec::new();
        for ((item, kind), caption) in items.iter().zip(kinds).zip(captions) {
            let mut content = self.referred(kind, item.get("media").and_then(Value::as_str))?;
            content.extend(caption);
            content.insert("media_group_id".into(), media_group.clone().into());
            contents.push(content);
        }
        let ids = self.send(chat_id, contents)?;
        let messages =
            ids.iter().filter_map(|id| self.world.render(self.bot_id, chat_id, *id)).collect();
        Ok(Success { message_ids: ids, ..Success::of(Value::Array(messages)) })
    }

    fn send_chat_action(&mut self) -> Answer {
        let action = self.params.text("action").unwrap_or_default().to_ascii_lowercase();
        if !ACTIONS.contains(&action.as_str()) {
            return Err(Refusal::bad("wrong parameter action in request"));
        }
        let chat_id = self.chat()?;
        if let Some(chat) = self.bot()?.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Action, None, Some(action.into()));
        }
        Ok(Success::done())
    }

    // Changing what was sent

    fn message_id(&self) -> Result<i64, Refusal> {
        let given = self.params.integer("message_id").filter(|id| *id > 0);
        given.ok_or_else(|| Refusal::bad("message identifier is not specified"))
    }

    /// Replaces members of an own message.
    fn edit(&mut self, needs: &str, gone: &[&str], content: Map<String, Value>) -> Answer {
        let id = self.message_id()?;
        let chat_id = self.chat()?;
        let markup = match self.markup(chat_id)? {
            Markup::Inline(markup) => Some(markup),
            _ => None,
        };
        let now = self.now;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to edit not found"))?;
        if message.author != Author::Bot {
            return Err(Refusal::bad("message can't be edited"));
        }
        if needs == "text" && !message.content.contains_key("text") {
            return Err(Refusal::bad("there is no text in the message to edit"));
        }
        let captioned = ["photo", "document", "video", "animation", "voice", "audio"];
        if needs == "caption" && !captioned.iter().any(|kind| message.content.contains_key(*kind)) {
            return Err(Refusal::bad("there is no caption in the message to edit"));
        }
        let mut edited = message.content.clone();
        for name in gone {
            edited.remove(*name);
        }
        edited.extend(content);
        match markup {
            Some(markup) => edited.insert("reply_markup".into(), markup),
            None => edited.remove("reply_markup"),
        };
        if edited == message.content {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        message.content = edited;
        message.edit_date = Some(now);
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Edited, Some(id), None);
        }
        Ok(self.as_answer(chat_id, id))
    }

    fn edit_text(&mut self) -> Answer {
        let content = self.message_text()?;
        self.edit("text", &["text", "entities"], content)
    }

    fn edit_caption(&mut self) -> Answer {
        let content = self.caption()?;
        self.edit("caption", &["caption", "caption_entities"], content)
    }

    fn edit_markup(&mut self) -> Answer {
        self.edit("", &[], Map::new())
    }

    fn delete_message(&mut self) -> Answer {
        let id = self.message_id()?;
        let chat_id = self.chat()?;
        self.delete(chat_id, id)?;
        Ok(Success { message_ids: vec![id], ..Success::done() })
    }

    fn delete(&mut self, chat_id: i64, id: i64) -> Result<(), Refusal> {
        let now = self.now;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to delete not found"))?;
        if message.date + DELETE_WITHIN_SECONDS < now {
            return Err(Refusal::bad("message can't be deleted for everyone"));
        }
        if message.author != Author::Bot && chat_id < 0 {
            return Err(Refusal::bad("message can't be deleted"));
        }
        message.deleted = true;
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Deleted, Some(id), None);
        }
        Ok(())
    }

    /// Ids that cannot be found are skipped, as the provider does.
    fn delete_messages(&mut self) -> Answer {
        let Some(Value::Array(ids)) = self.params.nested("message_ids")? else {
            return Err(Refusal::bad("message identifiers are not specified"));
        };
        if ids.is_empty() {
            return Err(Refusal::bad("message identifiers are not specified"));
        }
        if ids.len() > 100 {
            return Err(Refusal::bad("too many message identifiers specified"));
        }
        let chat_id = self.chat()?;
        let ids: Vec<i64> = ids.iter().filter_map(super::params::integer).collect();
        let deleted = ids.into_iter().filter(|id| self.delete(chat_id, *id).is_ok()).collect();
        Ok(Success { message_ids: deleted, ..Success::done() })
    }

    fn set_reaction(&mut self) -> Answer {
        let id = self.message_id()?;
        let reactions = match self.params.nested("reaction")? {
            None => Vec::new(),
            Some(Value::Array(reactions)) => reactions,
            Some(_) => return Err(Refusal::bad("can't parse reaction types JSON object")),
        };
        if reactions.len() > 1 {
            return Err(Refusal::bad("REACTIONS_TOO_MANY"));
        }
        let reaction = reactions.into_iter().next();
        if let Some(reaction) = &reaction {
            let emoji = reaction.get("emoji").and_then(Value::as_str).unwrap_or_default();
            let known = reaction["type"] == "emoji"
                && !emoji.is_empty()
                && REACTIONS.contains(emoji.trim_end_matches('\u{fe0f}'));
            if !known {
                return Err(Refusal::bad("REACTION_INVALID"));
            }
        }
        let chat_id = self.chat()?;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to react not found"))?;
        message.reaction.clone_from(&reaction);
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Reaction, Some(id), reaction);
        }
        Ok(Success { message_ids: vec![id], ..Success::done() })
    }

    fn answer_callback(&mut self) -> Answer {
        let id = self.params.text("callback_query_id").unwrap_or_default();
        let text = self.params.text("text");
        if text.as_deref().is_some_and(|text| utf16_length(text) > 200) {
            return Err(Refusal::bad("MESSAGE_TOO_LONG"));
        }
        let now = self.now;
        let bot = self.bot()?;
        let late =
            || Refusal::bad("query is too old and response timeout expired or query ID is invalid");
        let callback = bot.callbacks.get_mut(&id).ok_or_else(late)?;
        if callback.answered || callback.asked_at + CALLBACK_ANSWER_SECONDS < now {
            return Err(late());
        }
        callback.answered = true;
        let chat_id = callback.chat_id;
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::CallbackAnswered, None, text.map(Value::from));
        }
        Ok(Success::done())
    }

    // Files and chats

    fn get_file(&mut self) -> Answer {
        let file_id = self.params.text("file_id").unwrap_or_default();
        if file_id.is_empty() {
            return Err(Refusal::bad("file_id not specified"));
        }
        let wrong = || Refusal::bad("wrong file_id or the file is temporarily unavailable");
        let files = &mut self.bot()?.files;
        let file = files.get(&file_id).ok_or_else(wrong)?;
        if file.size_bytes > DOWNLOAD_LIMIT {
            return Err(Refusal::bad("file is too big"));
        }
        let (unique_id, size) = (file.unique_id.clone(), file.size_bytes);
        let path = files.path_of(&file_id).ok_or_else(wrong)?;
        Ok(Success::of(
            json!({ "file_id": file_id, "file_unique_id": unique_id, "file_size": size, "file_path": path }),
        ))
    }

    fn get_chat(&mut self) -> Answer {
        let chat_id = self.chat()?;
        Ok(Success::of(self.world.chat_object(chat_id)))
    }

    // Webhook

    fn set_webhook(&mut self) -> Answer {
        let url = self.params.text("url").unwrap_or_default();
        if url.trim().is_empty() {
            return self.delete_webhook();
        }
        let allowed = self.params.nested("allowed_updates")?;
        let parsed: Option<url::Url> = url.parse().ok();
        let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.ok_or_else(|| {
            Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook")
        })?;
        let loopback = is_loopback(&parsed);
        if parsed.scheme() == "http" && !loopback {
            return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        if !loopback {
            // Nothing is ever posted to another machine.
            return Err(Refusal::bad(
                "bad webhook: Failed to resolve host: Name or service not known",
            ));
        }
        let secret = self.params.text("secret_token").filter(|secret| !secret.is_empty());
        if let Some(secret) = &secret {
            if secret.len() > 256 {
                return Err(Refusal::bad("secret token is too long"));
            }
            if !secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            {
                return Err(Refusal::bad("secret token contains unallowed characters"));
            }
        }
        let connections =
            self.params.integer("max_connections").unwrap_or(40).clamp(1, 100) as usize;
        let drop_pending = self.params.flag("drop_pending_updates");
        let generation = self.inner.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let bot = self.bot()?;
        bot.queue.set_allowed(allowed.as_ref())?;
        if drop_pending {
            bot.queue.drop_all();
        }
        let same = bot.webhook.as_ref().is_some_and(|webhook| {
            webhook.url == url && webhook.secret == secret && webhook.max_connections == connections
        });
        if same && !drop_pending {
            return Ok(Success::done_with("Webhook is already set"));
        }
        if let Some(old) = bot.webhook.take() {
            old.retire();
        }
        bot.webhook = Some(Webhook::new(url, secret, connections, generation, &bot.queue));
        bot.queue.interrupt_poll();
        self.started_webhook = Some(generation);
        Ok(Success::done_with("Webhook was set"))
    }

    fn delete_webhook(&mut self) -> Answer {
        let drop_pending = self.params.flag("drop_pending_updates");
        let bot = self.bot()?;
        if drop_pending {
            bot.queue.drop_all();
        }
        match bot.webhook.take() {
            Some(webhook) => {
                webhook.retire();
                Ok(Success::done_with("Webhook was deleted"))
            }
            None => Ok(Success::done_with("Webhook is already deleted")),
        }
    }

    fn webhook_info(&mut self) -> Answer {
        let bot = self.bot()?;
        let mut info = json!({
            "url": "", "has_custom_certificate": false, "pending_update_count": bot.queue.len(),
        });
        if let Some(webhook) = &bot.webhook {
            info["url"] = webhook.url.clone().into();
            info["max_connections"] = webhook.max_connections.into();
            info["ip_address"] = "127.0.0.1".into();
            if let Some((at, reason)) = &webhook.last_error {
                info["last_error_date"] = (*at).into();
                info["last_error_message"] = reason.clone().into();
            }
        }
        if let Some(allowed) = bot.queue.allowed_list() {
            info["allowed_updates"] = json!(allowed);
        }
        Ok(Success::of(info))
    }
}

fn checked_caption(caption: Formatted) -> Result<Map<String, Value>, Refusal> {
    if utf16_length(&caption.text) > CAPTION_LIMIT {
        return Err(Refusal::bad("message caption is too long"));
    }
    if caption.text.is_empty() {
        return Ok(Map::new());
    }
    Ok(text_content("caption", "caption_entities", caption))
}

fn text_content(text_name: &str, entities_name: &str, formatted: Formatted) -> Map<String, Value> {
    let mut entities = formatted.entities;
    if entities.is_empty() {
        entities = found_entities(&formatted.text);
    }
    let mut content = Map::new();
    content.insert(text_name.to_owned(), formatted.text.into());
    if !entities.is_empty() {
        content.insert(entities_name.to_owned(), Value::Array(entities));
    }
    content
}

/// The buttons of all rows; `None` if the rows are no rows.
fn buttons(rows: &Value) -> Option<Vec<&Value>> {
    let mut buttons = Vec::new();
    for row in rows.as_array()? {
        buttons.extend(row.as_array()?);
    }
    Some(buttons)
}
