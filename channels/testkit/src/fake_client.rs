//! A pretended client of a [`FakeChannel`]: what they do, as numbered updates.
//!
//! Message numbers, update numbers and times grow with each act, as with a provider. Making an update
//! does not deliver it: a test may deliver it twice, late or never.

use hub_domain::channel::{
    InboundAttachment, InboundMessage, InboundReply, InboundUpdate, NumberedUpdate, Sender,
};
use hub_domain::{AttachmentKind, Content, Timestamp};

use crate::FakeChannel;

/// Time of the first message of a fake; each later one is a second later.
const FIRST_SECOND: i64 = 1_790_000_000;

#[derive(Debug, Clone)]
pub struct FakeClient {
    fake: FakeChannel,
    sender: Sender,
}

impl FakeClient {
    pub(crate) fn new(fake: FakeChannel, external_id: &str, name: &str) -> Self {
        let sender = Sender {
            external_id: external_id.to_owned(),
            chat_id: external_id.to_owned(),
            name: name.to_owned(),
            username: None,
            language: None,
        };
        Self { fake, sender }
    }

    pub const fn sender(&self) -> &Sender {
        &self.sender
    }

    /// A message of this client, to be changed by the test and numbered by [`FakeChannel::number`].
    pub fn message(&self, content: Content) -> InboundMessage {
        let ordinal = self.fake.next_message();
        InboundMessage {
            external_id: format!("{}:{ordinal}", self.sender.chat_id),
            sender: self.sender.clone(),
            by_us: false,
            ordinal,
            sent_at: Timestamp::from_seconds(FIRST_SECOND + ordinal),
            edited_at: None,
            content,
            attachments: Vec::new(),
            album_id: None,
            reply_to: None,
            forwarded_from: None,
            verified_phone: None,
            raw: None,
        }
    }

    pub fn says(&self, text: &str) -> NumberedUpdate {
        self.numbered(self.message(Content::text(text)))
    }

    pub fn replies(&self, to_external_id: &str, text: &str) -> NumberedUpdate {
        let mut message = self.message(Content::text(text));
        message.reply_to = Some(InboundReply {
            external_id: Some(to_external_id.to_owned()),
            text: "quoted".to_owned(),
        });
        self.numbered(message)
    }

    /// Sends a file that [`FakeChannel::put_file`] holds under `file_ref`.
    pub fn sends_file(
        &self,
        kind: AttachmentKind,
        file_ref: &str,
        file_name: &str,
        mime_type: &str,
        caption: &str,
    ) -> NumberedUpdate {
        let mut message = self.message(Content::text(caption));
        message.attachments.push(InboundAttachment {
            kind,
            file_ref: file_ref.to_owned(),
            unique_ref: Some(format!("unique-{file_ref}")),
            file_name: Some(file_name.to_owned()),
            mime_type: Some(mime_type.to_owned()),
            size_bytes: None,
            width: None,
            height: None,
            duration_seconds: None,
            emoji: None,
        });
        self.numbered(message)
    }

    pub fn shares_own_phone(&self, phone: &str) -> NumberedUpdate {
        let mut message = self.message(Content::Contact {
            name: self.sender.name.clone(),
            phone: Some(phone.to_owned()),
            own: true,
        });
        message.verified_phone = Some(phone.to_owned());
        self.numbered(message)
    }

    /// Replaces the text of an earlier message of this client.
    pub fn edits(&self, earlier: &NumberedUpdate, text: &str) -> NumberedUpdate {
        let (InboundUpdate::Message(message) | InboundUpdate::Edited(message)) = &earlier.update
        else {
            panic!("only a message can be edited, not {earlier:?}");
        };
        let mut message = message.clone();
        message.content = Content::text(text);
        let last = message.edited_at.unwrap_or(message.sent_at);
        message.edited_at = Some(last.plus_seconds(60));
        self.fake.number(InboundUpdate::Edited(message))
    }

    pub fn presses(&self, data: &str, message_external_id: Option<&str>) -> NumberedUpdate {
        let ordinal = self.fake.next_message();
        self.fake.number(InboundUpdate::ButtonPressed {
            external_id: format!("press-{ordinal}"),
            sender: self.sender.clone(),
            data: data.to_owned(),
            message_external_id: message_external_id.map(ToOwned::to_owned),
            ordinal,
            sent_at: Timestamp::from_seconds(FIRST_SECOND + ordinal),
        })
    }

    pub fn reacts(&self, message_external_id: &str, emojis: &[&str]) -> NumberedUpdate {
        let at = Timestamp::from_seconds(FIRST_SECOND + self.fake.next_message());
        self.fake.number(InboundUpdate::Reaction {
            message_external_id: message_external_id.to_owned(),
            sender: self.sender.clone(),
            emojis: emojis.iter().map(|&emoji| emoji.to_owned()).collect(),
            at,
        })
    }

    pub fn blocks(&self) -> NumberedUpdate {
        self.reachable(false)
    }

    pub fn unblocks(&self) -> NumberedUpdate {
        self.reachable(true)
    }

    fn reachable(&self, reachable: bool) -> NumberedUpdate {
        let at = Timestamp::from_seconds(FIRST_SECOND + self.fake.next_message());
        let sender = self.sender.clone();
        self.fake.number(InboundUpdate::Reachability { sender, reachable, at })
    }

    fn numbered(&self, message: InboundMessage) -> NumberedUpdate {
        self.fake.number(InboundUpdate::Message(Box::new(message)))
    }
}
