//! The Telegram Bot API: what bots call ([`http`]), and the handle by which tests script everything else.
//!
//! [`Telegram`] owns the world and its faults. Bots act through HTTP only; clients act through [`Client`] (or the
//! same over `/control`), because the provider's clients have no API of ours either.

mod answer;
mod calls;
mod client;
pub(crate) mod control;
mod fault;
mod files;
pub(crate) mod http;
mod methods;
mod params;
mod text;
mod updates;
mod webhook;
mod world;

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use calls::{Call, CallFilter, Handover};
pub use client::{Client, ClientMessage, Contact, Content, Edit, Media};
pub use fault::{CallFault, UpdateFault};
pub use files::{FileSpec, MediaKind};
pub use webhook::Delivery;
pub use world::{BotSpec, ClientSpec, Notice, Noticed};

use crate::Options;
use crate::faults::{Chance, Rules, When};
use updates::Draft;
use world::{Author, Message, Standing, World};

/// Why a scripted act was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// There is no such bot, client, chat or message.
    Unknown(String),
    /// It exists, and the act is impossible for it.
    Refused(String),
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(formatter, "unknown: {what}"),
            Self::Refused(why) => write!(formatter, "refused: {why}"),
        }
    }
}

impl std::error::Error for ControlError {}

/// A message of the bot as the client reads it now: edits applied, deleted ones left out unless asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SentMessage {
    pub message_id: i64,
    pub chat_id: i64,
    pub date: i64,
    pub edited: bool,
    pub deleted: bool,
    /// `text`, `photo`, `document`, ...
    pub kind: String,
    /// Text or caption.
    pub text: Option<String>,
    pub reply_to: Option<i64>,
    /// A reply keyboard that came with it.
    pub keyboard: Option<Value>,
    /// The whole `Message` object.
    pub message: Value,
}

struct Inner {
    world: Mutex<World>,
    call_faults: Rules<CallFault>,
    update_faults: Rules<UpdateFault>,
    options: Options,
    clock_shift: AtomicI64,
    generations: AtomicU64,
    tasks: TaskTracker,
    stop: CancellationToken,
    http: reqwest::Client,
}

/// The simulated provider; cheap to clone.
#[derive(Clone)]
pub struct Telegram {
    inner: Arc<Inner>,
}

impl Telegram {
    pub(crate) fn new(options: Options, tasks: TaskTracker, stop: CancellationToken) -> Self {
        // Only the timeouts differ from the default, which cannot fail to build.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .build()
            .unwrap_or_default();
        Self {
            inner: Arc::new(Inner {
                world: Mutex::new(World::new(&options)),
                call_faults: Rules::default(),
                update_faults: Rules::default(),
                options,
                clock_shift: AtomicI64::new(0),
                generations: AtomicU64::new(0),
                tasks,
                stop,
                http,
            }),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator is another machine with its own clock"
    )]
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since_epoch.as_millis() as i64 + self.inner.clock_shift.load(Ordering::Relaxed) * 1000
    }

    fn now(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Moves the provider's clock, to reach the limits that are hours or days away.
    pub fn advance_clock(&self, by: Duration) {
        self.inner.clock_shift.fetch_add(by.as_secs() as i64, Ordering::Relaxed);
    }

    /// Sets the provider's clock to this second since the epoch, from where it goes on; for telling of the past.
    pub fn set_clock(&self, seconds: i64) {
        self.inner.clock_shift.store(0, Ordering::Relaxed);
        self.inner.clock_shift.store(seconds - self.now(), Ordering::Relaxed);
    }

    /// The provider's clock is right again.
    pub fn reset_clock(&self) {
        self.inner.clock_shift.store(0, Ordering::Relaxed);
    }

    pub(crate) fn reset(&self) {
        self.clear_faults();
        self.inner.clock_shift.store(0, Ordering::Relaxed);
        let mut world = self.world();
        for bot in world.bots.values_mut() {
            bot.queue.interrupt_poll();
            if let Some(webhook) = bot.webhook.take() {
                webhook.retire();
            }
        }
        *world = World::new(&self.inner.options);
    }

    // Accounts

    /// Makes a bot, or gives the one that has this id.
    pub fn create_bot(&self, spec: BotSpec) -> Bot {
        let id = self.world().create_bot(spec);
        Bot { telegram: self.clone(), id }
    }

    pub fn bot(&self, id: i64) -> Result<Bot, ControlError> {
        let known = self.world().bots.contains_key(&id);
        known
            .then(|| Bot { telegram: self.clone(), id })
            .ok_or_else(|| ControlError::Unknown(format!("bot {id}")))
    }

    pub fn bots(&self) -> Vec<Bot> {
        let mut ids: Vec<i64> = self.world().bots.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| Bot { telegram: self.clone(), id }).collect()
    }

    /// Makes a client, or changes the profile of the one that has this id. Gives the user id.
    pub fn create_client(&self, spec: ClientSpec) -> i64 {
        self.world().create_person(spec)
    }

    /// Makes many clients at once, with consecutive user ids, for load tests.
    pub fn create_clients(&self, count: usize) -> Vec<i64> {
        let mut world = self.world();
        (0..count).map(|_| world.create_person(ClientSpec::default())).collect()
    }

    /// The client's account is deleted: sends to it are refused for good.
    pub fn deactivate_client(&self, user_id: i64) -> Result<(), ControlError> {
        let mut world = self.world();
        let person = world.people.get_mut(&user_id).ok_or_else(|| unknown_client(user_id))?;
        person.deactivated = true;
        Ok(())
    }

    /// Whether the client lets others send voice messages.
    pub fn forbid_voice(&self, user_id: i64, forbidden: bool) -> Result<(), ControlError> {
        let mut world = self.world();
        let person = world.people.get_mut(&user_id).ok_or_else(|| unknown_client(user_id))?;
        person.forbids_voice = forbidden;
        Ok(())
    }

    // Records

    pub fn calls(&self) -> Vec<Call> {
        self.calls_where(&CallFilter::default())
    }

    pub fn calls_where(&self, filter: &CallFilter) -> Vec<Call> {
        self.world().calls.list(filter)
    }

    /// Calls of one method.
    pub fn calls_to(&self, method: &str) -> Vec<Call> {
        self.calls_where(&CallFilter { method: Some(method.to_owned()), ..CallFilter::default() })
    }

    /// Tries to post updates to webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().deliveries.iter().cloned().collect()
    }

    // Faults

    /// Scripts a fault of API calls; gives the rule's id.
    pub fn fault(&self, when: When, fault: CallFault) -> u64 {
        self.inner.call_faults.add(when, fault)
    }

    /// Scripts a fault of updates; gives the rule's id.
    pub fn update_fault(&self, when: When, fault: UpdateFault) -> u64 {
        self.inner.update_faults.add(when, fault)
    }

    /// Removes every rule; updates that a rule held back become deliverable.
    pub fn clear_faults(&self) {
        self.inner.call_faults.clear();
        self.inner.update_faults.clear();
        let now = self.now();
        let mut world = self.world();
        for bot in world.bots.values_mut() {
            let held = std::mem::take(&mut bot.queue.held);
            for draft in &held {
                release(bot, draft, now, None);
            }
        }
    }

    // Updates

    /// Queues an update about something that happened, if the bot asked for its kind, as the scripted faults let it.
    fn emit(&self, world: &mut World, bot_id: i64, kind: &str, chat: i64, payload: &Value) {
        let Some(bot) = world.bots.get_mut(&bot_id) else { return };
        if bot.queue.is_allowed(kind) {
            self.queue_update(bot, kind, chat, payload);
        }
    }

    fn queue_update(&self, bot: &mut world::Bot, kind: &str, chat: i64, payload: &Value) {
        let mut draft =
            Draft { kind: kind.to_owned(), chat, payload: payload.to_string(), extra_copies: 0 };
        let mut later = None;
        let mut reorder = None;
        for fault in self.inner.update_faults.take(kind, Some(bot.id), Some(chat)) {
            match fault {
                UpdateFault::Duplicate { copies } => draft.extra_copies += copies,
                UpdateFault::Delay { delay_ms } => later = Some(Duration::from_millis(delay_ms)),
                UpdateFault::Reorder { window, longest_ms, shuffle_seed } => {
                    reorder = Some((window, longest_ms, shuffle_seed));
                }
            }
        }
        if let Some(delay) = later {
            self.after(delay, bot.id, move |telegram, bot| {
                release(bot, &draft, telegram.now(), None);
            });
        } else if let Some((window, longest_ms, seed)) = reorder {
            bot.queue.held.push(draft);
            if bot.queue.held.len() >= window {
                release_shuffled(bot, seed, self.now());
            } else if bot.queue.held.len() == 1 {
                self.after(Duration::from_millis(longest_ms), bot.id, move |telegram, bot| {
                    release_shuffled(bot, seed, telegram.now());
                });
            }
        } else {
            release(bot, &draft, self.now(), None);
        }
    }

    fn after(
        &self,
        delay: Duration,
        bot_id: i64,
        then: impl FnOnce(&Self, &mut world::Bot) + Send + 'static,
    ) {
        let (telegram, stop) = (self.clone(), self.inner.stop.clone());
        self.inner.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(delay) => {
                    if let Some(bot) = telegram.world().bots.get_mut(&bot_id) {
                        then(&telegram, bot);
                    }
                }
            }
        });
    }
}

fn unknown_client(user_id: i64) -> ControlError {
    ControlError::Unknown(format!("client {user_id}"))
}

/// Numbers an update and hands it to whichever way of delivery is set.
fn release(bot: &mut world::Bot, draft: &Draft, now: i64, order: Option<usize>) {
    let update = bot.queue.push(draft, now, order);
    if let Some(webhook) = &mut bot.webhook {
        webhook.enqueue(&update);
    }
}

/// Everything held back becomes deliverable at once: numbered as it happened, delivered shuffled.
fn release_shuffled(bot: &mut world::Bot, seed: u64, now: i64) {
    let held = std::mem::take(&mut bot.queue.held);
    let mut order: Vec<usize> = (0..held.len()).collect();
    Chance::seeded(seed).shuffle(&mut order);
    let mut updates: Vec<_> = held
        .iter()
        .zip(&order)
        .map(|(draft, place)| (*place, bot.queue.push(draft, now, Some(*place))))
        .collect();
    updates.sort_by_key(|(place, _)| *place);
    if let Some(webhook) = &mut bot.webhook {
        for (_, update) in updates {
            webhook.enqueue(&update);
        }
    }
}

/// A bot as its owner sees it.
#[derive(Clone)]
pub struct Bot {
    telegram: Telegram,
    id: i64,
}

impl Bot {
    pub fn id(&self) -> i64 {
        self.id
    }

    fn with<T>(&self, read: impl FnOnce(&mut world::Bot) -> T) -> Option<T> {
        self.telegram.world().bots.get_mut(&self.id).map(read)
    }

    pub fn token(&self) -> String {
        self.with(|bot| bot.token.clone()).unwrap_or_default()
    }

    pub fn username(&self) -> String {
        self.with(|bot| bot.user["username"].as_str().unwrap_or_default().to_owned())
            .unwrap_or_default()
    }

    pub fn first_name(&self) -> String {
        self.with(|bot| bot.user["first_name"].as_str().unwrap_or_default().to_owned())
            .unwrap_or_default()
    }

    /// The token stops working; the new one is given.
    pub fn revoke_token(&self) -> String {
        self.telegram.world().revoke(self.id).unwrap_or_default()
    }

    /// A client in the dialogue with this bot; the client has not pressed start yet.
    pub fn client(&self, user_id: i64) -> Client {
        Client::new(self.telegram.clone(), self.id, user_id)
    }

    /// Makes a client for the dialogue with this bot.
    pub fn new_client(&self, spec: ClientSpec) -> Client {
        self.client(self.telegram.create_client(spec))
    }

    /// Queues an update as it is, whatever kinds the bot asked for. `update_id` is given here.
    pub fn inject(&self, update: &Value) -> Result<(), ControlError> {
        let members = update
            .as_object()
            .ok_or_else(|| ControlError::Refused("an update is an object".to_owned()))?;
        let mut kinds = members.iter().filter(|(name, _)| *name != "update_id");
        let (Some((kind, payload)), None) = (kinds.next(), kinds.next()) else {
            return Err(ControlError::Refused(
                "an update has exactly one member beside update_id".to_owned(),
            ));
        };
        let chat = ["/chat/id", "/message/chat/id", "/from/id", "/user/id"]
            .iter()
            .find_map(|path| payload.pointer(path).and_then(Value::as_i64))
            .unwrap_or(0);
        let mut world = self.telegram.world();
        let bot = world
            .bots
            .get_mut(&self.id)
            .ok_or_else(|| ControlError::Unknown(format!("bot {}", self.id)))?;
        self.telegram.queue_update(bot, kind, chat, payload);
        Ok(())
    }

    /// Skips update numbers, as the provider does for kinds nobody asked for.
    pub fn skip_update_numbers(&self, count: i64) {
        self.with(|bot| bot.queue.skip_numbers(count));
    }

    /// Updates that nobody has confirmed or accepted yet.
    pub fn pending_updates(&self) -> usize {
        self.with(|bot| bot.queue.len()).unwrap_or_default()
    }

    /// How many polls have begun, the waiting one included: it grows when the bot is listening.
    pub fn begun_polls(&self) -> u64 {
        self.with(|bot| bot.queue.begun_polls()).unwrap_or_default()
    }

    /// Makes a group with this bot in it and gives the chat's id; with an id, adds the bot to that group again.
    pub fn create_group(&self, title: &str, id: Option<i64>) -> i64 {
        let mut world = self.telegram.world();
        let id = id.unwrap_or(-1_002_233_445_566 - world.groups.len() as i64);
        let chat = serde_json::json!({ "id": id, "title": title, "type": if id < -1_000_000_000_000 { "supergroup" } else { "group" } });
        world.groups.entry(id).or_insert(world::Group { chat, upgraded_to: None });
        if let Some(bot) = world.bots.get_mut(&self.id) {
            bot.chats.entry(id).or_default().standing = Standing::Open;
        }
        id
    }

    /// The group becomes a supergroup: the old id is refused with the new one in the answer.
    pub fn upgrade_group(&self, id: i64) -> Result<i64, ControlError> {
        let title = {
            let world = self.telegram.world();
            let group = world
                .groups
                .get(&id)
                .ok_or_else(|| ControlError::Unknown(format!("group {id}")))?;
            group.chat["title"].as_str().unwrap_or_default().to_owned()
        };
        let new_id = self.create_group(&title, None);
        if let Some(group) = self.telegram.world().groups.get_mut(&id) {
            group.upgraded_to = Some(new_id);
        }
        Ok(new_id)
    }

    /// The bot is thrown out of the group.
    pub fn kick_from_group(&self, id: i64) {
        self.with(|bot| bot.chats.entry(id).or_default().standing = Standing::Blocked);
    }

    /// Makes every download path given so far stop working.
    pub fn expire_file_paths(&self) {
        self.with(|bot| bot.files.expire_paths());
    }

    /// The content of a file, sent or uploaded.
    pub fn file_bytes(&self, file_id: &str) -> Option<Bytes> {
        self.with(|bot| bot.files.get(file_id).map(|file| file.bytes.clone())).flatten()
    }

    /// What the bot has sent to this chat, as it reads now, oldest first.
    pub fn sent_to(&self, chat_id: i64) -> Vec<SentMessage> {
        self.telegram.sent(self.id, chat_id, 0, false)
    }

    /// The same with the deleted ones.
    pub fn sent_to_with_deleted(&self, chat_id: i64) -> Vec<SentMessage> {
        self.telegram.sent(self.id, chat_id, 0, true)
    }

    /// Waits until the bot has sent something to this chat after the given message, and gives all of it.
    pub async fn wait_sent(&self, chat_id: i64, after: i64, longest: Duration) -> Vec<SentMessage> {
        let telegram = &self.telegram;
        telegram
            .wait(self.id, chat_id, longest, || telegram.sent(self.id, chat_id, after, false))
            .await
    }

    /// What the client has noticed in this chat after the given notice: messages, edits, deletions, typing.
    pub async fn wait_notices(&self, chat_id: i64, after: u64, longest: Duration) -> Vec<Notice> {
        let telegram = &self.telegram;
        telegram.wait(self.id, chat_id, longest, || telegram.notices(self.id, chat_id, after)).await
    }

    /// The `Message` object of any message the bot knows, whoever wrote it.
    pub fn message(&self, chat_id: i64, message_id: i64) -> Option<Value> {
        self.telegram.world().render(self.id, chat_id, message_id)
    }
}

impl Telegram {
    fn sent(&self, bot_id: i64, chat_id: i64, after: i64, with_deleted: bool) -> Vec<SentMessage> {
        let world = self.world();
        let Some(chat) = world.bots.get(&bot_id).and_then(|bot| bot.chats.get(&chat_id)) else {
            return Vec::new();
        };
        chat.messages
            .range(after + 1..)
            .filter(|(_, message)| {
                message.author == Author::Bot && (with_deleted || !message.deleted)
            })
            .map(|(_, message)| sent_message(&world, bot_id, chat_id, message))
            .collect()
    }

    fn notices(&self, bot_id: i64, chat_id: i64, after: u64) -> Vec<Notice> {
        let world = self.world();
        let Some(chat) = world.bots.get(&bot_id).and_then(|bot| bot.chats.get(&chat_id)) else {
            return Vec::new();
        };
        let from = chat.notices.partition_point(|notice| notice.number <= after);
        chat.notices.range(from..).cloned().collect()
    }

    async fn wait<T>(
        &self,
        bot_id: i64,
        chat_id: i64,
        longest: Duration,
        look: impl Fn() -> Vec<T>,
    ) -> Vec<T> {
        let changed = {
            let mut world = self.world();
            let Some(bot) = world.bots.get_mut(&bot_id) else { return Vec::new() };
            Arc::clone(&bot.chats.entry(chat_id).or_default().changed)
        };
        let deadline = Instant::now() + longest;
        loop {
            let notified = changed.notified();
            tokio::pin!(notified);
            // Registered before looking, so that nothing falls in between.
            notified.as_mut().enable();
            let found = look();
            if !found.is_empty() {
                return found;
            }
            tokio::select! {
                () = notified => (),
                () = tokio::time::sleep_until(deadline) => return look(),
                () = self.inner.stop.cancelled() => return Vec::new(),
            }
        }
    }
}

fn sent_message(world: &World, bot_id: i64, chat_id: i64, message: &Message) -> SentMessage {
    let text = |name: &str| message.content.get(name).and_then(Value::as_str).map(str::to_owned);
    let kinds = [
        "text",
        "animation",
        "photo",
        "video",
        "video_note",
        "voice",
        "audio",
        "document",
        "sticker",
        "contact",
        "venue",
        "location",
    ];
    let kind = kinds.iter().find(|kind| message.content.contains_key(**kind)).unwrap_or(&"unknown");
    SentMessage {
        message_id: message.id,
        chat_id,
        date: message.date,
        edited: message.edit_date.is_some(),
        deleted: message.deleted,
        kind: (*kind).to_owned(),
        text: text("text").or_else(|| text("caption")),
        reply_to: message.reply_to,
        keyboard: message.keyboard.clone(),
        message: world.render(bot_id, chat_id, message.id).unwrap_or_default(),
    }
}
