//! The methods of the Bot API, each a step on the world that either takes effect whole or is refused.
//!
//! Texts of refusals are the provider's. Nothing here waits: the long poll is in [`super::http`].

mod asking;
mod changing;
mod sending;

use serde_json::{Map, Value};

use super::Inner;
use super::answer::{Answer, Refusal, Success};
use super::files::MediaKind;
use super::http::member_integer;
use super::params::Params;
use super::text::{CAPTION_LIMIT, Formatted, found_entities, utf16_length};
use super::world::{Bot, Standing, World};

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
