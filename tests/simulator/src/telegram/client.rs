//! Clients: people with the messenger, who press start, write, edit, press buttons and block.
//!
//! Each act changes the world and queues the update the provider would send. What a client cannot do (write to a bot
//! it has blocked, edit another's message) is refused here too.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::files::{FileSpec, MediaKind};
use super::text::{TEXT_LIMIT, found_entities, utf16_length};
use super::world::{Author, Callback, ClientSpec, Message, Standing, World};
use super::{Bot, ControlError, Notice, SentMessage, Telegram, unknown_client};

/// A file with its caption.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    #[serde(flatten)]
    pub file: FileSpec,
    pub caption: Option<String>,
    pub caption_entities: Vec<Value>,
}

/// A contact card. Without a number it is the client's own, shared by the button.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    pub phone_number: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub user_id: Option<i64>,
}

/// What a message holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    Text {
        text: String,
        #[serde(default)]
        entities: Vec<Value>,
    },
    Photo(Media),
    Document(Media),
    Video(Media),
    Animation(Media),
    Voice(Media),
    Audio(Media),
    VideoNote(Media),
    Sticker(Media),
    Location {
        latitude: f64,
        longitude: f64,
        /// Makes it a live location.
        #[serde(default)]
        live_period: Option<u32>,
    },
    Venue {
        latitude: f64,
        longitude: f64,
        title: String,
        address: String,
    },
    Contact(Contact),
    Poll {
        question: String,
        options: Vec<String>,
    },
    Dice {
        emoji: String,
        value: u8,
    },
    /// Members of a message that no contract knows.
    Unknown {
        members: Map<String, Value>,
    },
}

/// A message to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientMessage {
    #[serde(flatten)]
    pub content: Content,
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// The part of the replied message that the client marked.
    #[serde(default)]
    pub quote: Option<String>,
    /// A `MessageOrigin` object: the message is forwarded.
    #[serde(default)]
    pub forward_origin: Option<Value>,
    /// Into a group instead of the private chat.
    #[serde(default)]
    pub group: Option<i64>,
}

impl ClientMessage {
    pub fn of(content: Content) -> Self {
        Self { content, reply_to: None, quote: None, forward_origin: None, group: None }
    }

    pub fn text(text: &str) -> Self {
        Self::of(Content::Text { text: text.to_owned(), entities: Vec::new() })
    }

    pub fn reply_to(mut self, message_id: i64) -> Self {
        self.reply_to = Some(message_id);
        self
    }

    pub fn quoting(mut self, quote: &str) -> Self {
        self.quote = Some(quote.to_owned());
        self
    }

    pub fn forwarded_from(mut self, origin: Value) -> Self {
        self.forward_origin = Some(origin);
        self
    }

    pub fn in_group(mut self, group: i64) -> Self {
        self.group = Some(group);
        self
    }
}

/// What an edit changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    pub text: Option<String>,
    pub caption: Option<String>,
    /// The next point of a live location.
    pub location: Option<Value>,
}

/// A person in the dialogue with one bot; cheap to clone.
#[derive(Clone)]
pub struct Client {
    telegram: Telegram,
    bot_id: i64,
    user_id: i64,
}

impl Client {
    pub(super) fn new(telegram: Telegram, bot_id: i64, user_id: i64) -> Self {
        Self { telegram, bot_id, user_id }
    }

    /// The user id, which is also the id of the private chat.
    pub fn id(&self) -> i64 {
        self.user_id
    }

    pub fn bot(&self) -> Bot {
        Bot { telegram: self.telegram.clone(), id: self.bot_id }
    }

    // Writing

    /// Presses start, with the payload of a deep link.
    pub fn start(&self, payload: Option<&str>) -> Result<i64, ControlError> {
        let text =
            payload.map_or_else(|| "/start".to_owned(), |payload| format!("/start {payload}"));
        self.unblock()?;
        self.text(&text)
    }

    pub fn text(&self, text: &str) -> Result<i64, ControlError> {
        self.send(ClientMessage::text(text))
    }

    pub fn photo(&self, caption: Option<&str>) -> Result<i64, ControlError> {
        self.send(ClientMessage::of(Content::Photo(captioned(caption))))
    }

    pub fn document(&self, file: FileSpec, caption: Option<&str>) -> Result<i64, ControlError> {
        self.send(ClientMessage::of(Content::Document(Media { file, ..captioned(caption) })))
    }

    pub fn voice(&self) -> Result<i64, ControlError> {
        self.send(ClientMessage::of(Content::Voice(Media::default())))
    }

    /// Shares the own phone number, as the button of the keyboard does.
    pub fn share_phone(&self) -> Result<i64, ControlError> {
        self.send(ClientMessage::of(Content::Contact(Contact::default())))
    }

    pub fn send(&self, message: ClientMessage) -> Result<i64, ControlError> {
        let ids = self.send_all(vec![message], false)?;
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// Several pictures or files at once: each is a message of its own with one `media_group_id`.
    pub fn album(&self, items: Vec<ClientMessage>) -> Result<Vec<i64>, ControlError> {
        if !(2..=10).contains(&items.len()) {
            return Err(ControlError::Refused("an album has 2 to 10 items".to_owned()));
        }
        self.send_all(items, true)
    }

    fn send_all(
        &self,
        messages: Vec<ClientMessage>,
        album: bool,
    ) -> Result<Vec<i64>, ControlError> {
        let now = self.telegram.now();
        let mut guard = self.telegram.world();
        let world = &mut *guard;
        let person = world.people.get(&self.user_id).ok_or_else(|| unknown_client(self.user_id))?;
        let profile = person.spec.clone();
        let options = &self.telegram.inner.options;
        let bot = world.bots.get_mut(&self.bot_id).ok_or_else(|| self.unknown_bot())?;
        let media_group = album.then(|| bot.next_media_group());
        let mut sent = Vec::new();
        for message in messages {
            let chat_id = message.group.unwrap_or(self.user_id);
            if message.group.is_some_and(|group| !world.groups.contains_key(&group)) {
                return Err(ControlError::Unknown(format!("group {chat_id}")));
            }
            let standing = &mut bot.chats.entry(chat_id).or_default().standing;
            match (message.group, *standing) {
                (None, Standing::Blocked) => {
                    return Err(ControlError::Refused("the client has blocked the bot".to_owned()));
                }
                (None, _) => *standing = Standing::Open,
                (Some(_), Standing::Open) => {
                    let private = &mut bot.chats.entry(self.user_id).or_default().standing;
                    if *private == Standing::Stranger {
                        *private = Standing::Met;
                    }
                }
                (Some(_), _) => {
                    return Err(ControlError::Refused("the bot is not in the group".to_owned()));
                }
            }
            if let Some(replied) = message.reply_to
                && bot.message(chat_id, replied).is_none()
            {
                return Err(ControlError::Unknown(format!("message {replied} of chat {chat_id}")));
            }
            let own_contact = matches!(&message.content, Content::Contact(contact) if contact.phone_number.is_none());
            let reply_to = match message.reply_to {
                None if own_contact => asked_for_phone(bot, chat_id),
                given => given,
            };
            let mut content =
                content_members(bot, message.content, &profile, options.kept_file_bytes)?;
            if let Some(media_group) = &media_group {
                content.insert("media_group_id".into(), media_group.clone().into());
            }
            if let Some(quote) = message.quote {
                content.insert(
                    "quote".into(),
                    json!({ "text": quote, "position": 0, "is_manual": true }),
                );
            }
            if let Some(origin) = message.forward_origin {
                content.insert("forward_origin".into(), origin);
            }
            let message = Message {
                id: 0,
                author: Author::Person(self.user_id),
                date: now,
                edit_date: None,
                content,
                reply_to,
                keyboard: None,
                reaction: None,
                deleted: false,
            };
            sent.push((chat_id, bot.keep(chat_id, message, options.kept_messages)));
        }
        for (chat_id, id) in &sent {
            self.emit_message(world, "message", *chat_id, *id);
        }
        Ok(sent.into_iter().map(|(_, id)| id).collect())
    }

    /// Edits an own message of the private chat.
    pub fn edit(&self, message_id: i64, edit: Edit) -> Result<(), ControlError> {
        let now = self.telegram.now();
        let mut guard = self.telegram.world();
        let world = &mut *guard;
        let bot = world.bots.get_mut(&self.bot_id).ok_or_else(|| self.unknown_bot())?;
        let message = bot
            .message_mut(self.user_id, message_id)
            .ok_or_else(|| ControlError::Unknown(format!("message {message_id}")))?;
        if message.author != Author::Person(self.user_id) {
            return Err(ControlError::Refused("only own messages can be edited".to_owned()));
        }
        for (name, entities, value) in
            [("text", "entities", edit.text), ("caption", "caption_entities", edit.caption)]
        {
            if let Some(value) = value {
                message.content.remove(entities);
                message.content.insert(name.into(), value.into());
            }
        }
        if let Some(location) = edit.location {
            message.content.insert("location".into(), location);
        }
        message.edit_date = Some(now);
        self.emit_message(world, "edited_message", self.user_id, message_id);
        Ok(())
    }

    fn emit_message(&self, world: &mut World, kind: &str, chat_id: i64, message_id: i64) {
        if let Some(message) = world.render(self.bot_id, chat_id, message_id) {
            self.telegram.emit(world, self.bot_id, kind, chat_id, &message);
        }
    }

    // Acting

    /// Presses an inline button; gives the id of the query. An unknown message becomes an inaccessible one.
    pub fn press(&self, message_id: i64, data: &str) -> Result<String, ControlError> {
        let now = self.telegram.now();
        let mut guard = self.telegram.world();
        let world = &mut *guard;
        let user = world
            .people
            .get(&self.user_id)
            .ok_or_else(|| unknown_client(self.user_id))?
            .user
            .clone();
        let id = world.next_callback_id();
        let accessible = world
            .bots
            .get(&self.bot_id)
            .is_some_and(|bot| bot.message(self.user_id, message_id).is_some());
        let message = world.render(self.bot_id, self.user_id, message_id).filter(|_| accessible).unwrap_or_else(|| {
            json!({ "chat": world.chat_object(self.user_id), "message_id": message_id, "date": 0 })
        });
        let bot = world.bots.get_mut(&self.bot_id).ok_or_else(|| self.unknown_bot())?;
        bot.open_callback(
            id.clone(),
            Callback { chat_id: self.user_id, asked_at: now, answered: false },
        );
        let payload = json!({
            "id": id, "from": user, "message": message, "chat_instance": "-91234567890123", "data": data,
        });
        self.telegram.emit(world, self.bot_id, "callback_query", self.user_id, &payload);
        Ok(id)
    }

    /// Whether the bot has answered that press.
    pub fn is_answered(&self, callback_id: &str) -> bool {
        let world = self.telegram.world();
        let bot = world.bots.get(&self.bot_id);
        bot.and_then(|bot| bot.callbacks.get(callback_id)).is_some_and(|callback| callback.answered)
    }

    /// Reacts to a message; `None` takes the reaction back.
    pub fn react(
        &self,
        message_id: i64,
        emoji: Option<&str>,
        before: Option<&str>,
    ) -> Result<(), ControlError> {
        let now = self.telegram.now();
        let mut guard = self.telegram.world();
        let world = &mut *guard;
        let user = world
            .people
            .get(&self.user_id)
            .ok_or_else(|| unknown_client(self.user_id))?
            .user
            .clone();
        let list = |emoji: Option<&str>| -> Vec<Value> {
            emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect()
        };
        let payload = json!({
            "chat": world.chat_object(self.user_id), "message_id": message_id, "user": user, "date": now,
            "old_reaction": list(before), "new_reaction": list(emoji),
        });
        self.telegram.emit(world, self.bot_id, "message_reaction", self.user_id, &payload);
        Ok(())
    }

    /// They have met before: the bot may write, though the client has not written since the simulator began.
    pub fn meet_again(&self) {
        if let Some(bot) = self.telegram.world().bots.get_mut(&self.bot_id) {
            bot.chats.entry(self.user_id).or_default().standing = Standing::Open;
        }
    }

    pub fn block(&self) -> Result<(), ControlError> {
        self.set_blocked(true)
    }

    pub fn unblock(&self) -> Result<(), ControlError> {
        self.set_blocked(false)
    }

    fn set_blocked(&self, blocked: bool) -> Result<(), ControlError> {
        let now = self.telegram.now();
        let mut guard = self.telegram.world();
        let world = &mut *guard;
        let person = world.people.get(&self.user_id).ok_or_else(|| unknown_client(self.user_id))?;
        let (user, chat_object) = (person.user.clone(), person.chat.clone());
        let bot = world.bots.get_mut(&self.bot_id).ok_or_else(|| self.unknown_bot())?;
        let bot_user = bot.user.clone();
        let standing = &mut bot.chats.entry(self.user_id).or_default().standing;
        if (*standing == Standing::Blocked) == blocked {
            return Ok(());
        }
        *standing = if blocked { Standing::Blocked } else { Standing::Open };
        let member = json!({ "user": bot_user, "status": "member" });
        let kicked = json!({ "user": bot_user, "status": "kicked", "until_date": 0 });
        let (old, new) = if blocked { (member, kicked) } else { (kicked, member) };
        let payload = json!({
            "chat": chat_object, "from": user, "date": now, "old_chat_member": old, "new_chat_member": new,
        });
        self.telegram.emit(world, self.bot_id, "my_chat_member", self.user_id, &payload);
        Ok(())
    }

    /// Something the provider will invent one day: an update of a kind nobody knows.
    pub fn do_unknown_thing(&self, kind: &str) -> Result<(), ControlError> {
        let user = {
            let world = self.telegram.world();
            world
                .people
                .get(&self.user_id)
                .ok_or_else(|| unknown_client(self.user_id))?
                .user
                .clone()
        };
        self.bot().inject(&json!({ kind: { "id": "1", "from": user, "strength": 7 } }))
    }

    // Reading

    /// What the bot has sent, as it reads now.
    pub fn inbox(&self) -> Vec<SentMessage> {
        self.bot().sent_to(self.user_id)
    }

    /// Waits for messages of the bot after the given one.
    pub async fn wait_inbox(&self, after: i64, longest: Duration) -> Vec<SentMessage> {
        self.bot().wait_sent(self.user_id, after, longest).await
    }

    /// Waits for anything the client notices: messages, edits, deletions, typing.
    pub async fn wait_notices(&self, after: u64, longest: Duration) -> Vec<Notice> {
        self.bot().wait_notices(self.user_id, after, longest).await
    }

    fn unknown_bot(&self) -> ControlError {
        ControlError::Unknown(format!("bot {}", self.bot_id))
    }
}

fn captioned(caption: Option<&str>) -> Media {
    Media { caption: caption.map(str::to_owned), ..Media::default() }
}

/// The last message that asked for the phone number by a button.
fn asked_for_phone(bot: &super::world::Bot, chat_id: i64) -> Option<i64> {
    let chat = bot.chats.get(&chat_id)?;
    let asks = |keyboard: &Value| keyboard.to_string().contains("\"request_contact\":true");
    chat.messages
        .values()
        .rev()
        .take(50)
        .find(|message| message.keyboard.as_ref().is_some_and(asks))
        .map(|message| message.id)
}

fn content_members(
    bot: &mut super::world::Bot,
    content: Content,
    profile: &ClientSpec,
    bound: usize,
) -> Result<Map<String, Value>, ControlError> {
    let mut media = |kind: MediaKind, media: Media| {
        let mut members = bot.files.add_of_client(kind, &media.file, bound);
        if let Some(caption) = media.caption.filter(|_| kind.has_caption()) {
            members.insert("caption".into(), caption.into());
            if !media.caption_entities.is_empty() {
                members.insert("caption_entities".into(), Value::Array(media.caption_entities));
            }
        }
        members
    };
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    Ok(match content {
        Content::Text { text, entities } => {
            if text.is_empty() || utf16_length(&text) > TEXT_LIMIT {
                return Err(ControlError::Refused(
                    "the text of one message has 1 to 4096 UTF-16 units".to_owned(),
                ));
            }
            let entities = if entities.is_empty() { found_entities(&text) } else { entities };
            let mut members = one("text", text.into());
            if !entities.is_empty() {
                members.insert("entities".into(), Value::Array(entities));
            }
            members
        }
        Content::Photo(file) => media(MediaKind::Photo, file),
        Content::Document(file) => media(MediaKind::Document, file),
        Content::Video(file) => media(MediaKind::Video, file),
        Content::Animation(file) => media(MediaKind::Animation, file),
        Content::Voice(file) => media(MediaKind::Voice, file),
        Content::Audio(file) => media(MediaKind::Audio, file),
        Content::VideoNote(file) => media(MediaKind::VideoNote, file),
        Content::Sticker(file) => media(MediaKind::Sticker, file),
        Content::Location { latitude, longitude, live_period } => {
            let mut location = json!({ "latitude": latitude, "longitude": longitude, "horizontal_accuracy": 14.0 });
            if let Some(period) = live_period {
                location = json!({ "latitude": latitude, "longitude": longitude, "live_period": period, "heading": 80 });
            }
            one("location", location)
        }
        Content::Venue { latitude, longitude, title, address } => {
            let location = json!({ "latitude": latitude, "longitude": longitude });
            let mut members = one("location", location.clone());
            members.insert(
                "venue".into(),
                json!({ "location": location, "title": title, "address": address }),
            );
            members
        }
        Content::Contact(contact) => one("contact", contact_member(contact, profile)?),
        Content::Poll { question, options } => {
            let options: Vec<Value> = options
                .iter()
                .enumerate()
                .map(|(at, text)| json!({ "persistent_id": at.to_string(), "text": text, "voter_count": 0 }))
                .collect();
            let poll = json!({
                "id": "5400001", "question": question, "options": options, "total_voter_count": 0, "is_closed": false,
                "is_anonymous": true, "type": "regular", "allows_multiple_answers": false, "allows_revoting": true,
                "members_only": false,
            });
            one("poll", poll)
        }
        Content::Dice { emoji, value } => one("dice", json!({ "emoji": emoji, "value": value })),
        Content::Unknown { members } => members,
    })
}

fn contact_member(contact: Contact, profile: &ClientSpec) -> Result<Value, ControlError> {
    let own = contact.phone_number.is_none();
    let phone = if own { profile.phone.clone() } else { contact.phone_number };
    let phone =
        phone.ok_or_else(|| ControlError::Refused("the client has no phone number".to_owned()))?;
    // The own number comes without a plus, as the provider often sends it.
    let phone = if own { phone.trim_start_matches('+').to_owned() } else { phone };
    let (first_name, last_name, user_id) = if own {
        (profile.first_name.clone(), profile.last_name.clone(), profile.id)
    } else {
        (contact.first_name, contact.last_name, contact.user_id)
    };
    let mut member = json!({ "phone_number": phone, "first_name": first_name.unwrap_or_else(|| "Someone".to_owned()) });
    if let Some(last_name) = last_name {
        member["last_name"] = last_name.into();
    }
    if let Some(user_id) = user_id {
        member["user_id"] = user_id.into();
    }
    Ok(member)
}
