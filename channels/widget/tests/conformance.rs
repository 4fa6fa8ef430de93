//! The shared suite. The client's side of a widget is the hub's own view of its log, so what a visitor
//! sees here is what the driver accepted, recorded beside it. Cases about a provider's own store, about
//! credentials that a provider revokes, and about what clients do elsewhere say nothing of a widget.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use channel_testkit::conformance::{Act, Fault, Harness, Seen, SeenFile, WebhookCall};
use channel_widget::{SiteWidget, key_of};
use hub_domain::channel::{
    Account, Capabilities, ChannelAccess, ChannelDriver, ChannelKind, Download, DriverError,
    IntakeMode, NumberedUpdate, OutboundMessage, ParseError, PollBatch, SendReceipt, SharedDriver,
};
use hub_domain::{ChannelId, FixedClock, Timestamp};
use secrecy::SecretString;

/// The driver, with what it accepted written down.
#[derive(Debug)]
struct Recorded {
    driver: SiteWidget,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[async_trait]
impl ChannelDriver for Recorded {
    fn kind(&self) -> ChannelKind {
        self.driver.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities()
    }

    fn credential_is_well_formed(&self, secret: &SecretString) -> bool {
        self.driver.credential_is_well_formed(secret)
    }

    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError> {
        self.driver.account(access).await
    }

    fn webhook_is_genuine(
        &self,
        access: &ChannelAccess,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> bool {
        self.driver.webhook_is_genuine(access, headers, body)
    }

    fn parse_webhook(
        &self,
        access: &ChannelAccess,
        body: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError> {
        self.driver.parse_webhook(access, body)
    }

    async fn poll(
        &self,
        access: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError> {
        self.driver.poll(access, cursor).await
    }

    async fn configure_intake(
        &self,
        access: &ChannelAccess,
        mode: IntakeMode,
        webhook_url: Option<&str>,
    ) -> Result<(), DriverError> {
        self.driver.configure_intake(access, mode, webhook_url).await
    }

    async fn send(
        &self,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError> {
        let receipt = self.driver.send(access, message).await?;
        self.seen.lock().expect("not poisoned").push(Seen {
            external_id: receipt.external_id.clone(),
            text: message.text.clone(),
            file: message.attachment.as_ref().map(|file| SeenFile {
                kind: file.kind,
                bytes: file.bytes.clone(),
                file_name: Some(file.file_name.clone()),
            }),
            reply_to: message.reply_to.clone(),
        });
        Ok(receipt)
    }

    async fn edit(
        &self,
        access: &ChannelAccess,
        external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError> {
        self.driver.edit(access, external_id, text, caption).await?;
        let mut seen = self.seen.lock().expect("not poisoned");
        for message in seen.iter_mut().filter(|message| message.external_id == external_id) {
            text.clone_into(&mut message.text);
        }
        Ok(())
    }

    async fn delete(&self, access: &ChannelAccess, external_id: &str) -> Result<(), DriverError> {
        self.driver.delete(access, external_id).await?;
        self.seen
            .lock()
            .expect("not poisoned")
            .retain(|message| message.external_id != external_id);
        Ok(())
    }

    async fn answer_button(&self, access: &ChannelAccess, id: &str) -> Result<(), DriverError> {
        self.driver.answer_button(access, id).await
    }

    async fn download(&self, access: &ChannelAccess, at: &str) -> Result<Download, DriverError> {
        self.driver.download(access, at).await
    }
}

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";

struct Page {
    driver: SharedDriver,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Page {
    fn new() -> Self {
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_795_500_000_000)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let driver = SiteWidget::new(clock, "node".to_owned());
        Self { driver: Arc::new(Recorded { driver, seen: Arc::clone(&seen) }), seen }
    }
}

#[async_trait]
impl Harness for Page {
    fn driver(&self) -> SharedDriver {
        Arc::clone(&self.driver)
    }

    fn access(&self) -> ChannelAccess {
        let secret = SecretString::from(SECRET);
        ChannelAccess {
            channel_id: ChannelId(1),
            external_id: key_of(&secret),
            secret,
            webhook_secret: SecretString::from("webhook secret"),
        }
    }

    fn chat_id(&self) -> String {
        "a-visitor".to_owned()
    }

    fn stranger_chat_id(&self) -> Option<String> {
        None
    }

    /// The visitor writes to the hub itself; all that reaches the driver of it is the message's id.
    async fn client_does(&self, act: Act) -> Option<String> {
        matches!(act, Act::Text(_)).then(|| "a-visitor:1".to_owned())
    }

    async fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    async fn inject(&self, _: Fault) -> bool {
        false
    }

    async fn revoke(&self) {}

    async fn expire_file_addresses(&self) {}

    async fn webhook_calls(&self, _: &str) -> Option<Vec<WebhookCall>> {
        None
    }
}

channel_testkit::conformance_suite!(@cases Page::new();
    the_account_is_the_one_that_was_connected
    bodies_of_no_meaning_are_errors
    a_text_arrives_once_and_unchanged
    numbers_of_sent_messages_grow
    a_text_at_the_limit_arrives_and_one_above_is_refused
    a_caption_at_the_limit_arrives_and_one_above_is_refused
    every_kind_of_file_arrives_whole
    an_answer_points_at_what_it_answers
    an_edit_changes_the_message_however_often
    a_caption_can_be_edited
    a_stranger_cannot_be_written_to
    a_malformed_credential_is_told_without_asking
    no_fault_doubles_a_message_or_hides_one
);
