//! What every driver must keep, whatever its provider: the hub is written against this suite.
//!
//! A driver's tests implement [`Harness`] over a simulated provider and name it in
//! [`conformance_suite!`](crate::conformance_suite), which makes a test of each case. A case about
//! something that a provider has not (its [`Act`] is impossible, its capability is missing) passes
//! without saying anything; everything else must hold exactly.
//!
//! The rule most of it is about: "try again" and "refused" are proofs that the client got nothing,
//! "done" is a proof that they got it once, and "unknown" is everything else.

mod inbound;
mod outbound;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hub_domain::AttachmentKind;
use hub_domain::channel::{
    ChannelAccess, DriverError, InboundMessage, InboundUpdate, NumberedUpdate, OutboundAttachment,
    OutboundMessage, SendReceipt, SharedDriver,
};
use secrecy::ExposeSecret as _;

pub use inbound::*;
pub use outbound::*;

/// Longest wait for a provider in the same process.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something a client does at the provider.
#[derive(Debug, Clone)]
pub enum Act {
    Text(String),
    Reply {
        /// External id of the message answered.
        to: String,
        text: String,
    },
    /// Changes the text of an earlier message of the client.
    Edit {
        external_id: String,
        text: String,
    },
    Photo {
        bytes: Bytes,
        caption: String,
    },
    Document {
        bytes: Bytes,
        file_name: String,
    },
    /// A file larger than the provider hands out.
    DocumentTooLarge,
    ShareOwnPhone,
    /// Presses a button under a message of ours.
    Press {
        external_id: String,
        data: String,
    },
    /// Reacts to a message of ours; without an emoji, takes the reaction back.
    React {
        external_id: String,
        emoji: Option<String>,
    },
    Block,
    Unblock,
    /// Writes where others read along.
    TextInGroup(String),
    /// Sends something no version of the driver knows.
    UnknownContent,
    /// Does something that is no message, of a kind nobody knows.
    UnknownThing,
}

/// What the provider is made to do with the next send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It asks for patience, in seconds.
    RateLimited { seconds: u32 },
    /// It closes the connection without having done anything.
    CutBefore,
    /// It does it and closes the connection.
    AcceptedThenCut,
    /// It does it and stays silent for longer than the driver waits.
    AcceptedThenSilent,
    /// It says that it failed, and has not done it.
    FailedBefore,
    /// It says that it failed, and has done it.
    FailedAfter,
    /// A front server says that it failed, and it was done.
    GatewayAfter,
    /// It does it, and its answer breaks off.
    BrokenAnswer,
}

impl Fault {
    pub const ALL: [Self; 8] = [
        Self::RateLimited { seconds: 2 },
        Self::CutBefore,
        Self::AcceptedThenCut,
        Self::AcceptedThenSilent,
        Self::FailedBefore,
        Self::FailedAfter,
        Self::GatewayAfter,
        Self::BrokenAnswer,
    ];
}

/// A message of ours as the client sees it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub external_id: String,
    pub text: String,
    pub file: Option<SeenFile>,
    /// External id of the message it answers.
    pub reply_to: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    pub kind: AttachmentKind,
    pub bytes: Bytes,
    /// Where the provider shows one.
    pub file_name: Option<String>,
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub struct WebhookCall {
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

/// A driver before a simulated provider with one account and one client, who has written before.
#[async_trait]
pub trait Harness: Send + Sync {
    fn driver(&self) -> SharedDriver;

    fn access(&self) -> ChannelAccess;

    /// Where messages to the client go.
    fn chat_id(&self) -> String;

    /// Somebody who never wrote; `None` where the provider knows no strangers.
    fn stranger_chat_id(&self) -> Option<String>;

    /// Has the client do something. Gives the external id of what came of it (empty where it has none);
    /// `None` when clients of this provider cannot do that.
    async fn client_does(&self, act: Act) -> Option<String>;

    /// Our messages as the client sees them, oldest first, without deleted ones.
    async fn seen(&self) -> Vec<Seen>;

    /// Makes the next send go wrong; `false` when this provider cannot.
    async fn inject(&self, fault: Fault) -> bool;

    /// The credential stops working.
    async fn revoke(&self);

    /// Every address of a file that was told so far stops working.
    async fn expire_file_addresses(&self);

    /// Has updates delivered by webhook, has the client write `text` and gives the calls that came of
    /// it; `None` when the provider calls nobody.
    async fn webhook_calls(&self, text: &str) -> Option<Vec<WebhookCall>>;
}

/// Makes a test of every case. Takes an expression that gives a fresh harness; it may await.
#[macro_export]
macro_rules! conformance_suite {
    ($harness:expr) => {
        $crate::conformance_suite!(@cases $harness;
            the_account_is_the_one_that_was_connected
            a_text_comes_in_with_its_sender_and_its_number
            text_of_any_script_comes_in_unchanged
            messages_come_in_order_and_again_until_the_cursor_moves
            an_edit_names_the_message_it_changes
            a_photo_is_one_attachment_that_can_be_fetched
            a_document_keeps_its_name
            a_file_whose_address_expired_can_still_be_fetched
            a_file_that_is_not_handed_out_is_refused
            a_reply_names_the_message_it_answers
            an_own_phone_is_vouched_for
            a_pressed_button_can_be_answered_twice
            a_reaction_names_our_message
            blocking_is_told_and_refuses_sends
            a_group_is_no_conversation
            unknown_content_is_kept
            an_unknown_thing_moves_the_cursor
            a_webhook_is_believed_with_its_secret_only
            a_webhook_says_the_same_as_a_poll
            bodies_of_no_meaning_are_errors
            a_text_arrives_once_and_unchanged
            numbers_of_sent_messages_grow
            a_text_at_the_limit_arrives_and_one_above_is_refused
            a_caption_at_the_limit_arrives_and_one_above_is_refused
            every_kind_of_file_arrives_whole
            an_answer_points_at_what_it_answers
            an_answer_to_what_is_gone_still_arrives
            an_edit_changes_the_message_however_often
            a_caption_can_be_edited
            a_deletion_takes_the_message_away_however_often
            a_stranger_cannot_be_written_to
            a_revoked_credential_is_told_by_every_call
            a_malformed_credential_is_told_without_asking
            a_limited_send_tells_when_and_works_later
            no_fault_doubles_a_message_or_hides_one
        );
    };
    (@cases $harness:expr; $($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let harness = $harness;
                $crate::conformance::$case(&harness).await;
            }
        )+
    };
}

/// A plain text to the client of the harness.
fn text_to<H: Harness + ?Sized>(harness: &H, text: &str) -> OutboundMessage {
    OutboundMessage {
        chat_id: harness.chat_id(),
        text: text.to_owned(),
        attachment: None,
        reply_to: None,
    }
}

fn file_to<H: Harness + ?Sized>(
    harness: &H,
    attachment: OutboundAttachment,
    caption: &str,
) -> OutboundMessage {
    OutboundMessage { attachment: Some(attachment), ..text_to(harness, caption) }
}

async fn send<H: Harness + ?Sized>(
    harness: &H,
    message: &OutboundMessage,
) -> Result<SendReceipt, DriverError> {
    harness.driver().send(&harness.access(), message).await
}

/// A picture of one pixel: providers look into photos.
fn picture() -> Bytes {
    const PNG: &[u8] = &[
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0,
        0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44,
        0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x60, 0x60, 0xf8, 0x0f, 0, 1, 4, 1, 0, 0x5f, 0xe5,
        0xc3, 0x4b, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    Bytes::from_static(PNG)
}

/// What errors say must never help somebody who reads them to act in our name.
fn assert_discreet<H: Harness + ?Sized>(harness: &H, error: &DriverError) {
    let shown = format!("{error} {error:?}");
    let access = harness.access();
    for secret in [&access.secret, &access.webhook_secret] {
        assert!(
            !shown.contains(secret.expose_secret()),
            "an error shows a secret: {}",
            error.code()
        );
    }
    let code_is_stable = !error.code().is_empty()
        && error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(code_is_stable, "no code in snake case: {:?}", error.code());
}

/// Reads updates in turn, confirming each batch by the next poll.
struct Intake<'a, H: ?Sized> {
    harness: &'a H,
    cursor: Option<String>,
    waiting: std::collections::VecDeque<NumberedUpdate>,
}

impl<'a, H: Harness + ?Sized> Intake<'a, H> {
    /// Begins after everything that happened before.
    async fn begin(harness: &'a H) -> Self {
        let mut intake = Self { harness, cursor: None, waiting: std::collections::VecDeque::new() };
        while intake.poll().await {}
        intake.waiting.clear();
        intake
    }

    /// Whether anything came.
    async fn poll(&mut self) -> bool {
        let (driver, access) = (self.harness.driver(), self.harness.access());
        let batch = driver.poll(&access, self.cursor.as_deref()).await.expect("a poll works");
        let came = !batch.updates.is_empty();
        assert!(!came || batch.next_cursor.is_some(), "updates without a cursor to move to");
        self.waiting.extend(batch.updates);
        self.cursor = batch.next_cursor;
        came
    }

    async fn next(&mut self) -> InboundUpdate {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(update) = self.waiting.pop_front() {
                return update.update;
            }
            if !self.poll().await {
                assert!(tokio::time::Instant::now() < deadline, "no update came");
                tokio::task::yield_now().await;
            }
        }
    }

    async fn next_message(&mut self) -> InboundMessage {
        match self.next().await {
            InboundUpdate::Message(message) => *message,
            other => panic!("no message: {other:?}"),
        }
    }
}
