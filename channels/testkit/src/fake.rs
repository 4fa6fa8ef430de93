//! [`FakeChannel`]: a scriptable driver in process.
//!
//! Owns a pretended provider: accounts by token (`<account id>:<anything>`), what clients did, what was
//! sent. It keeps the provider's rules that the hub relies on: an update stays until a poll asks past
//! it, a message that was accepted stays accepted whatever the caller was told.

mod driver;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hub_domain::channel::{
    Capabilities, ChannelAccess, ChannelDriver as _, ChannelKind, DriverError, InboundUpdate,
    IntakeMode, MediaLimit, NumberedUpdate, OutboundMessage, SendReceipt, SharedDriver,
};
use hub_domain::content::utf16_len;
use hub_domain::{AttachmentKind, ChannelId};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;

use crate::FakeClient;

/// Header that carries the channel's webhook secret to the fake driver.
pub const SECRET_HEADER: &str = "x-fake-channel-secret";

/// Longest wait of the `wait_*` methods before they fail the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a held send stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldAt {
    /// The provider has not seen it.
    BeforeAccepting,
    /// The provider took it, the caller does not know yet.
    AfterAccepting,
}

/// A message the pretended provider took.
#[derive(Debug, Clone)]
pub struct SentMessage {
    pub account_id: String,
    pub channel_id: ChannelId,
    pub external_id: String,
    pub ordinal: i64,
    pub message: OutboundMessage,
    /// The text after edits.
    pub text: String,
    pub deleted: bool,
}

/// A call the driver got, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Account,
    ConfigureIntake { mode: IntakeMode, webhook_url: Option<String> },
    Poll { cursor: Option<String> },
    Send { chat_id: String, text: String },
    Edit { external_id: String, text: String, caption: bool },
    Delete { external_id: String },
    AnswerButton { external_id: String },
    Download { file_ref: String },
}

#[derive(Debug)]
struct Script {
    accept: bool,
    error: DriverError,
}

#[derive(Debug)]
struct State {
    capabilities: Capabilities,
    names: HashMap<String, String>,
    revoked: HashSet<String>,
    /// Undelivered updates by account.
    waiting: HashMap<String, VecDeque<NumberedUpdate>>,
    /// Everything that can be posted by webhook, by its number in the body.
    posted: Vec<NumberedUpdate>,
    next_update_id: i64,
    next_message: i64,
    files: HashMap<String, Result<Bytes, DriverError>>,
    send_scripts: VecDeque<Script>,
    poll_errors: VecDeque<DriverError>,
    change_errors: VecDeque<DriverError>,
    configure_errors: VecDeque<DriverError>,
    refused_chats: HashMap<String, DriverError>,
    hold: Option<HoldAt>,
    passes: usize,
    held: usize,
    calls: Vec<Call>,
    sent: Vec<SentMessage>,
    poll_wait: Duration,
}

/// A driver without a provider. Clones share everything.
#[derive(Debug, Clone)]
pub struct FakeChannel {
    kind: ChannelKind,
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Default for FakeChannel {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeChannel {
    /// A fake of the Telegram bot kind with its limits.
    pub fn new() -> Self {
        Self::of_kind(ChannelKind::TelegramBot)
    }

    pub fn of_kind(kind: ChannelKind) -> Self {
        let state = State {
            capabilities: default_capabilities(),
            names: HashMap::new(),
            revoked: HashSet::new(),
            waiting: HashMap::new(),
            posted: Vec::new(),
            next_update_id: 1,
            next_message: 1,
            files: HashMap::new(),
            send_scripts: VecDeque::new(),
            poll_errors: VecDeque::new(),
            change_errors: VecDeque::new(),
            configure_errors: VecDeque::new(),
            refused_chats: HashMap::new(),
            hold: None,
            passes: 0,
            held: 0,
            calls: Vec::new(),
            sent: Vec::new(),
            poll_wait: Duration::from_secs(1),
        };
        Self { kind, state: Arc::new(Mutex::new(state)), changes: Arc::new(watch::Sender::new(0)) }
    }

    /// This fake as the hub holds drivers.
    pub fn driver(&self) -> SharedDriver {
        Arc::new(self.clone())
    }

    // What clients do -------------------------------------------------------------------------

    /// A client whose updates carry numbers of this fake.
    pub fn client(&self, external_id: &str, name: &str) -> FakeClient {
        FakeClient::new(self.clone(), external_id, name)
    }

    /// Gives an update the next number without delivering it.
    pub fn number(&self, update: InboundUpdate) -> NumberedUpdate {
        let mut state = self.lock();
        let update_id = state.next_update_id;
        state.next_update_id += 1;
        NumberedUpdate { update_id: Some(update_id), update }
    }

    /// Puts an update in the queue that polls of the account read.
    pub fn deliver(&self, account_id: &str, update: NumberedUpdate) {
        self.change(|state| {
            state.waiting.entry(account_id.to_owned()).or_default().push_back(update);
        });
    }

    /// A webhook body that stands for these updates. May be posted as often as wished.
    pub fn webhook_body(&self, updates: &[NumberedUpdate]) -> Vec<u8> {
        let mut state = self.lock();
        let first = state.posted.len();
        state.posted.extend_from_slice(updates);
        let numbers: Vec<usize> = (first..state.posted.len()).collect();
        drop(state);
        serde_json::json!({ "fake_updates": numbers }).to_string().into_bytes()
    }

    /// The number of the next message of the account, as a provider counts.
    pub fn next_message(&self) -> i64 {
        let mut state = self.lock();
        let number = state.next_message;
        state.next_message += 1;
        number
    }

    /// What [`ChannelDriver::download`] hands out for `file_ref`.
    pub fn put_file(&self, file_ref: &str, bytes: impl Into<Bytes>) {
        self.lock().files.insert(file_ref.to_owned(), Ok(bytes.into()));
    }

    /// Makes downloads of `file_ref` fail.
    pub fn fail_file(&self, file_ref: &str, error: DriverError) {
        self.lock().files.insert(file_ref.to_owned(), Err(error));
    }

    // How calls end ---------------------------------------------------------------------------

    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.lock().capabilities = capabilities;
    }

    /// How long an empty poll waits. One second unless set.
    pub fn set_poll_wait(&self, wait: Duration) {
        self.lock().poll_wait = wait;
    }

    /// The next send fails with `error`; the provider did not take it. Calls queue up.
    pub fn fail_next_send(&self, error: DriverError) {
        self.lock().send_scripts.push_back(Script { accept: false, error });
    }

    /// The provider takes the next send, the caller is told `error`. Calls queue up.
    pub fn accept_next_send_but_answer(&self, error: DriverError) {
        self.lock().send_scripts.push_back(Script { accept: true, error });
    }

    /// The provider takes the next send and the answer is lost.
    pub fn lose_next_answer(&self) {
        self.accept_next_send_but_answer(DriverError::Unknown {
            code: "answer_lost",
            detail: "the answer was lost".to_owned(),
        });
    }

    /// The next edit, delete or button answer fails with `error`.
    pub fn fail_next_change(&self, error: DriverError) {
        self.lock().change_errors.push_back(error);
    }

    /// The next call that tells the provider how to deliver fails with `error`.
    pub fn fail_next_configuration(&self, error: DriverError) {
        self.lock().configure_errors.push_back(error);
    }

    /// The next poll fails with `error`.
    pub fn fail_next_poll(&self, error: DriverError) {
        self.change(|state| state.poll_errors.push_back(error));
    }

    /// Every send to this chat fails until [`FakeChannel::allow_chat`].
    pub fn refuse_chat(&self, chat_id: &str, error: DriverError) {
        self.lock().refused_chats.insert(chat_id.to_owned(), error);
    }

    pub fn allow_chat(&self, chat_id: &str) {
        self.lock().refused_chats.remove(chat_id);
    }

    /// The account's token stops working, for every call.
    pub fn revoke(&self, account_id: &str) {
        self.change(|state| {
            state.revoked.insert(account_id.to_owned());
        });
    }

    pub fn reinstate(&self, account_id: &str) {
        self.lock().revoked.remove(account_id);
    }

    /// Sends stand still until released.
    pub fn hold_sends(&self, at: HoldAt) {
        self.change(|state| {
            state.hold = Some(at);
            state.passes = 0;
        });
    }

    /// Lets one held (or coming) send go on.
    pub fn release_one_send(&self) {
        self.change(|state| state.passes += 1);
    }

    /// Lets all sends go on, held and coming.
    pub fn release_sends(&self) {
        self.change(|state| state.hold = None);
    }

    // What happened ---------------------------------------------------------------------------

    /// Sends that stand still now.
    pub fn held_sends(&self) -> usize {
        self.lock().held
    }

    /// What the provider took, in order.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.lock().sent.clone()
    }

    /// The texts the provider took for one chat, in order.
    pub fn sent_texts(&self, chat_id: &str) -> Vec<String> {
        let state = self.lock();
        let sent = state.sent.iter().filter(|sent| sent.message.chat_id == chat_id);
        sent.map(|sent| sent.message.text.clone()).collect()
    }

    /// Every call, taken or not, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Waits until the provider took `count` messages; fails the test when that takes too long.
    pub async fn wait_for_sent(&self, count: usize) -> Vec<SentMessage> {
        self.wait_until("messages sent", |fake| fake.lock().sent.len() >= count).await;
        self.sent()
    }

    /// Waits until `count` sends stand still.
    pub async fn wait_for_held(&self, count: usize) {
        self.wait_until("sends held", |fake| fake.lock().held >= count).await;
    }

    /// Waits until polls took everything delivered to the account.
    pub async fn wait_for_empty_queue(&self, account_id: &str) {
        self.wait_until("queue empty", |fake| {
            fake.lock().waiting.get(account_id).is_none_or(VecDeque::is_empty)
        })
        .await;
    }

    /// Waits until something holds; fails the test when that takes too long.
    pub async fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if holds(self) || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "waited in vain for: {what}; calls so far: {:?}", self.calls());
    }

    // Inside ----------------------------------------------------------------------------------

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide its message behind a poisoned lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|version| *version += 1);
        result
    }

    fn called(&self, call: Call) {
        self.change(|state| state.calls.push(call));
    }

    fn check_token(&self, access: &ChannelAccess) -> Result<String, DriverError> {
        let account_id = account_of(&access.secret);
        match account_id {
            Some(id) if !self.lock().revoked.contains(&id) => Ok(id),
            _ => Err(DriverError::Unauthorized {
                code: "token_revoked",
                detail: "Unauthorized".to_owned(),
            }),
        }
    }

    /// What a provider refuses whatever is scripted.
    fn check_message(&self, message: &OutboundMessage) -> Result<(), DriverError> {
        let capabilities = self.capabilities();
        let (limit, code) = match &message.attachment {
            Some(_) => (capabilities.caption_limit, "caption_too_long"),
            None => (capabilities.text_limit, "text_too_long"),
        };
        if utf16_len(&message.text) > limit {
            return Err(DriverError::Refused { code, detail: "message is too long".to_owned() });
        }
        Ok(())
    }

    async fn pass_gate(&self, at: HoldAt) {
        if self.lock().hold != Some(at) {
            return;
        }
        let _held = Held::new(self);
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            {
                let mut state = self.lock();
                if state.hold != Some(at) {
                    return;
                }
                if state.passes > 0 {
                    state.passes -= 1;
                    return;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn accept(
        &self,
        account_id: String,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> SendReceipt {
        self.change(|state| {
            let ordinal = state.next_message;
            state.next_message += 1;
            let external_id = format!("{}:{ordinal}", message.chat_id);
            state.sent.push(SentMessage {
                account_id,
                channel_id: access.channel_id,
                external_id: external_id.clone(),
                ordinal,
                message: message.clone(),
                text: message.text.clone(),
                deleted: false,
            });
            SendReceipt { external_id, ordinal }
        })
    }
}

/// Counts a send that stands still, also when its caller gives up.
struct Held<'a>(&'a FakeChannel);

impl<'a> Held<'a> {
    fn new(fake: &'a FakeChannel) -> Self {
        fake.change(|state| state.held += 1);
        Self(fake)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.held -= 1);
    }
}

fn account_of(secret: &SecretString) -> Option<String> {
    let (id, rest) = secret.expose_secret().split_once(':')?;
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (digits && !rest.is_empty() && rest.bytes().all(is_secret)).then(|| id.to_owned())
}

fn default_capabilities() -> Capabilities {
    let megabytes = |count: i64| count * 1024 * 1024;
    let limit = |kind: AttachmentKind| MediaLimit {
        kind,
        max_bytes: megabytes(if kind == AttachmentKind::Photo { 10 } else { 50 }),
        mime_types: Vec::new(),
    };
    Capabilities {
        text_limit: 4096,
        caption_limit: 1024,
        media: AttachmentKind::ALL.into_iter().map(limit).collect(),
        download_limit_bytes: megabytes(20),
        reply: true,
        edit: true,
        delete: true,
        reactions: true,
        delivered_receipts: false,
        read_receipts: false,
        write_first: false,
        sends_per_second: 1000,
    }
}
