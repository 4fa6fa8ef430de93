//! What the provider knows: bots, clients, groups, dialogues and their messages. Data and its bounds, no HTTP.
//!
//! Everything is behind one lock, held for microseconds. Look-ups on the way of a send or an update are by key;
//! scans are left to queries of tests.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::calls::Calls;
use super::files::Files;
use super::updates::UpdateQueue;
use super::webhook::{Delivery, Webhook};
use crate::Options;

const FEED_KEPT: usize = 10_000;
const CALLBACKS_KEPT: usize = 10_000;

/// Length of the secret half of a token.
const TOKEN_SECRET: usize = 35;

/// A bot to make. What is absent is made up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BotSpec {
    pub id: Option<i64>,
    pub token: Option<String>,
    pub first_name: Option<String>,
    pub username: Option<String>,
    /// Its messages and updates are numbered from here on, for an account that is older than this process.
    pub first_number: i64,
}

impl BotSpec {
    pub fn named(first_name: &str) -> Self {
        Self { first_name: Some(first_name.to_owned()), ..Self::default() }
    }

    /// The bot of an interactive simulator; its token never changes, so that it can be written into notes.
    pub fn ready_made() -> Self {
        Self {
            id: Some(100_001),
            token: Some(token_of(100_001, 1)),
            first_name: Some("Harbour Desk".to_owned()),
            username: Some("harbour_desk_bot".to_owned()),
            first_number: 0,
        }
    }
}

/// A token of the real form: `<id>:<35 characters>`.
pub(super) fn token_of(bot_id: i64, number: u64) -> String {
    format!("{bot_id}:SIMULATOR-BOT-TOKEN-{number:015}")
}

/// Whether the text has the form of a token at all.
pub(super) fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty()
            && id.len() <= 16
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && secret.len() == TOKEN_SECRET
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}

/// A client (a person with the messenger) to make. What is absent is made up or stays absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSpec {
    pub id: Option<i64>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    /// Known to the client's own device only, until the client shares it.
    pub phone: Option<String>,
    pub language_code: Option<String>,
}

impl ClientSpec {
    pub fn named(first_name: &str) -> Self {
        Self { first_name: Some(first_name.to_owned()), ..Self::default() }
    }
}

#[derive(Debug)]
pub(super) struct Person {
    pub spec: ClientSpec,
    /// The `User` object.
    pub user: Value,
    /// The `Chat` object of the private chat.
    pub chat: Value,
    pub deactivated: bool,
    pub forbids_voice: bool,
}

#[derive(Debug)]
pub(super) struct Group {
    pub chat: Value,
    pub upgraded_to: Option<i64>,
}

/// How a bot stands to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// They have never met.
    #[default]
    Stranger,
    /// The bot has met the person in a group, but the person never pressed start.
    Met,
    Open,
    /// Blocked by the person, or kicked from the group.
    Blocked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Bot,
    Person(i64),
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub id: i64,
    pub author: Author,
    pub date: i64,
    pub edit_date: Option<i64>,
    /// Members beside the identity: `text`, `photo`, `caption`, `media_group_id`, `reply_markup`, ...
    pub content: Map<String, Value>,
    pub reply_to: Option<i64>,
    /// A reply keyboard is shown to the client but is no member of the message.
    pub keyboard: Option<Value>,
    /// The bot's own reaction.
    pub reaction: Option<Value>,
    pub deleted: bool,
}

/// What a client notices, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    pub number: u64,
    pub what: Noticed,
    pub message_id: Option<i64>,
    /// The action (`typing`), the reaction, or the text of an answered button press.
    pub detail: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noticed {
    Message,
    Edited,
    Deleted,
    Action,
    Reaction,
    CallbackAnswered,
}

#[derive(Debug, Default)]
pub(super) struct Chat {
    pub standing: Standing,
    pub messages: BTreeMap<i64, Message>,
    pub notices: VecDeque<Notice>,
    pub last_notice: u64,
    pub changed: Arc<Notify>,
}

impl Chat {
    pub fn notice(&mut self, what: Noticed, message_id: Option<i64>, detail: Option<Value>) {
        self.last_notice += 1;
        if self.notices.len() >= FEED_KEPT {
            self.notices.pop_front();
        }
        self.notices.push_back(Notice { number: self.last_notice, what, message_id, detail });
        self.changed.notify_waiters();
    }

    pub fn visible(&self, message_id: i64) -> Option<&Message> {
        self.messages.get(&message_id).filter(|message| !message.deleted)
    }
}

#[derive(Debug)]
pub(super) struct Callback {
    pub chat_id: i64,
    pub asked_at: i64,
    pub answered: bool,
}

#[derive(Debug)]
pub(super) struct Bot {
    pub id: i64,
    pub token: String,
    /// The `User` object as it is in messages.
    pub user: Value,
    pub chats: HashMap<i64, Chat>,
    order: VecDeque<(i64, i64)>,
    last_message_id: i64,
    pub files: Files,
    pub queue: UpdateQueue,
    pub webhook: Option<Webhook>,
    pub callbacks: HashMap<String, Callback>,
    callback_order: VecDeque<String>,
    pub last_group_id: u64,
}

impl Bot {
    pub fn about(&self) -> Value {
        let mut about = self.user.clone();
        about["can_join_groups"] = true.into();
        about["can_read_all_group_messages"] = false.into();
        about["supports_inline_queries"] = false.into();
        about["can_connect_to_business"] = true.into();
        about["has_main_web_app"] = false.into();
        about
    }

    /// Numbers and keeps a message. Ids are one increasing sequence for the bot.
    pub fn keep(&mut self, chat_id: i64, mut message: Message, bound: usize) -> i64 {
        self.last_message_id += 1;
        let id = self.last_message_id;
        message.id = id;
        self.chats.entry(chat_id).or_default().messages.insert(id, message);
        self.order.push_back((chat_id, id));
        if self.order.len() > bound
            && let Some((chat_id, oldest)) = self.order.pop_front()
            && let Some(chat) = self.chats.get_mut(&chat_id)
        {
            chat.messages.remove(&oldest);
        }
        id
    }

    pub fn message_mut(&mut self, chat_id: i64, message_id: i64) -> Option<&mut Message> {
        self.chats
            .get_mut(&chat_id)?
            .messages
            .get_mut(&message_id)
            .filter(|message| !message.deleted)
    }

    pub fn message(&self, chat_id: i64, message_id: i64) -> Option<&Message> {
        self.chats.get(&chat_id)?.visible(message_id)
    }

    pub fn next_media_group(&mut self) -> String {
        self.last_group_id += 1;
        (14_012_345_678_900_000_u64 + self.last_group_id).to_string()
    }

    pub fn open_callback(&mut self, id: String, callback: Callback) {
        if self.callback_order.len() >= CALLBACKS_KEPT
            && let Some(oldest) = self.callback_order.pop_front()
        {
            self.callbacks.remove(&oldest);
        }
        self.callback_order.push_back(id.clone());
        self.callbacks.insert(id, callback);
    }
}

pub(super) struct World {
    pub bots: HashMap<i64, Bot>,
    pub tokens: HashMap<String, i64>,
    pub people: HashMap<i64, Person>,
    pub groups: HashMap<i64, Group>,
    pub calls: Calls,
    pub deliveries: VecDeque<Delivery>,
    last_bot: i64,
    last_person: i64,
    last_token: u64,
    last_callback: u64,
}

impl World {
    pub fn new(options: &Options) -> Self {
        let mut world = Self {
            bots: HashMap::new(),
            tokens: HashMap::new(),
            people: HashMap::new(),
            groups: HashMap::new(),
            calls: Calls::bounded(options.recorded_calls),
            deliveries: VecDeque::new(),
            last_bot: 100_000,
            last_person: 5_200_100_400,
            last_token: 0,
            last_callback: 22_335_600_000_122,
        };
        if let Some(spec) = &options.ready_bot {
            world.create_bot(spec.clone());
        }
        world
    }

    /// Makes a bot, or gives the one that already has this id.
    pub fn create_bot(&mut self, spec: BotSpec) -> i64 {
        let from_token =
            spec.token.as_deref().and_then(|token| token.split_once(':')?.0.parse().ok());
        let id = spec.id.or(from_token).unwrap_or_else(|| {
            while self.bots.contains_key(&(self.last_bot + 1)) {
                self.last_bot += 1;
            }
            self.last_bot + 1
        });
        if self.bots.contains_key(&id) {
            return id;
        }
        let token = spec.token.unwrap_or_else(|| self.new_token(id));
        let user = json!({
            "id": id,
            "is_bot": true,
            "first_name": spec.first_name.unwrap_or_else(|| format!("Bot {id}")),
            "username": spec.username.unwrap_or_else(|| format!("simulated_{id}_bot")),
        });
        self.tokens.insert(token.clone(), id);
        let bot = Bot {
            id,
            token,
            user,
            chats: HashMap::new(),
            order: VecDeque::new(),
            last_message_id: 100 + spec.first_number,
            files: Files::default(),
            queue: UpdateQueue::starting_at(830_100_001 + spec.first_number),
            webhook: None,
            callbacks: HashMap::new(),
            callback_order: VecDeque::new(),
            last_group_id: 0,
        };
        self.bots.insert(id, bot);
        id
    }

    fn new_token(&mut self, bot_id: i64) -> String {
        loop {
            self.last_token += 1;
            let token = token_of(bot_id, self.last_token);
            if !self.tokens.contains_key(&token) {
                return token;
            }
        }
    }

    /// The old token stops working; the new one is given.
    pub fn revoke(&mut self, bot_id: i64) -> Option<String> {
        let old = self.bots.get(&bot_id)?.token.clone();
        // Made while the old one is still known, so that it cannot be the same again.
        let token = self.new_token(bot_id);
        self.tokens.remove(&old);
        self.tokens.insert(token.clone(), bot_id);
        let bot = self.bots.get_mut(&bot_id)?;
        bot.token.clone_from(&token);
        bot.queue.interrupt_poll();
        Some(token)
    }

    /// Makes a client, or changes the profile of the one that has this id.
    pub fn create_person(&mut self, mut spec: ClientSpec) -> i64 {
        let id = spec.id.unwrap_or_else(|| {
            while self.people.contains_key(&(self.last_person + 1)) {
                self.last_person += 1;
            }
            self.last_person + 1
        });
        spec.id = Some(id);
        let first_name = spec.first_name.clone().unwrap_or_else(|| format!("Client {id}"));
        let mut user = json!({ "id": id, "is_bot": false, "first_name": first_name });
        let mut chat = json!({ "id": id, "first_name": first_name, "type": "private" });
        for (name, value) in [("last_name", &spec.last_name), ("username", &spec.username)] {
            if let Some(value) = value {
                user[name] = value.as_str().into();
                chat[name] = value.as_str().into();
            }
        }
        if let Some(language) = &spec.language_code {
            user["language_code"] = language.as_str().into();
        }
        let (deactivated, forbids_voice) = self
            .people
            .get(&id)
            .map_or((false, false), |person| (person.deactivated, person.forbids_voice));
        self.people.insert(id, Person { spec, user, chat, deactivated, forbids_voice });
        id
    }

    pub fn next_callback_id(&mut self) -> String {
        self.last_callback += 1;
        self.last_callback.to_string()
    }

    pub fn chat_object(&self, chat_id: i64) -> Value {
        if let Some(person) = self.people.get(&chat_id) {
            return person.chat.clone();
        }
        self.groups
            .get(&chat_id)
            .map_or_else(|| json!({ "id": chat_id, "type": "private" }), |group| group.chat.clone())
    }

    /// The `Message` object, with the message it replies to (one level, as the provider does).
    pub fn render(&self, bot_id: i64, chat_id: i64, message_id: i64) -> Option<Value> {
        let bot = self.bots.get(&bot_id)?;
        let message = bot.chats.get(&chat_id)?.messages.get(&message_id)?;
        let mut object = self.render_flat(bot, chat_id, message);
        if let Some(original) = message.reply_to.and_then(|id| bot.message(chat_id, id)) {
            object.insert(
                "reply_to_message".into(),
                Value::Object(self.render_flat(bot, chat_id, original)),
            );
        }
        Some(Value::Object(object))
    }

    fn render_flat(&self, bot: &Bot, chat_id: i64, message: &Message) -> Map<String, Value> {
        let from = match message.author {
            Author::Bot => bot.user.clone(),
            Author::Person(id) => self
                .people
                .get(&id)
                .map_or_else(|| json!({ "id": id, "is_bot": false }), |person| person.user.clone()),
        };
        let mut object = Map::new();
        object.insert("message_id".into(), message.id.into());
        object.insert("from".into(), from);
        object.insert("chat".into(), self.chat_object(chat_id));
        object.insert("date".into(), message.date.into());
        if let Some(edit_date) = message.edit_date {
            object.insert("edit_date".into(), edit_date.into());
        }
        object.extend(message.content.iter().map(|(name, value)| (name.clone(), value.clone())));
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_the_real_form() {
        let ready = BotSpec::ready_made().token.unwrap();
        assert!(is_token(&ready), "{ready}");
        for wrong in [
            "",
            "100001",
            "100001:short",
            "x:SIMULATOR-BOT-TOKEN-000000000000001",
            "1:SIMULATOR BOT-TOKEN-000000000000001",
        ] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_revoked_token_is_replaced_by_a_different_one() {
        let mut world = World::new(&Options::default());
        let id = world.create_bot(BotSpec::default());
        let old = world.bots[&id].token.clone();
        let new = world.revoke(id).unwrap();
        assert_ne!(old, new);
        assert!(!world.tokens.contains_key(&old));
        assert_eq!(world.tokens[&new], id);
    }

    #[test]
    fn the_oldest_messages_are_dropped_over_the_bound() {
        let mut world = World::new(&Options::default());
        let id = world.create_bot(BotSpec::default());
        let bot = world.bots.get_mut(&id).unwrap();
        let message = Message {
            id: 0,
            author: Author::Bot,
            date: 0,
            edit_date: None,
            content: Map::new(),
            reply_to: None,
            keyboard: None,
            reaction: None,
            deleted: false,
        };
        let ids: Vec<i64> = (0..3).map(|chat| bot.keep(chat, message.clone(), 2)).collect();
        assert!(ids.is_sorted());
        assert!(bot.message(0, ids[0]).is_none());
        assert!(bot.message(2, ids[2]).is_some());
    }
}
