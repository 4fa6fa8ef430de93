//! The fake driver keeps what every driver must keep: tests of the hub lean on it.

use async_trait::async_trait;
use bytes::Bytes;
use channel_testkit::conformance::{Act, Fault, Harness, Seen, SeenFile, WebhookCall};
use channel_testkit::{FakeChannel, FakeClient, SECRET_HEADER};
use hub_domain::channel::{
    ChannelAccess, DriverError, InboundUpdate, NumberedUpdate, SharedDriver,
};
use hub_domain::{AttachmentKind, ChannelId};
use secrecy::SecretString;

const ACCOUNT: &str = "7001";

struct Fake {
    channel: FakeChannel,
    client: FakeClient,
    done: std::sync::Mutex<Vec<NumberedUpdate>>,
}

impl Fake {
    fn start() -> Self {
        let channel = FakeChannel::new();
        channel.set_poll_wait(std::time::Duration::ZERO);
        let client = channel.client("501", "Анна");
        Self { channel, client, done: std::sync::Mutex::default() }
    }

    /// The update by which the client said this message.
    fn earlier(&self, external_id: &str) -> NumberedUpdate {
        let done = self.done.lock().expect("no test panicked here");
        let says = |update: &&NumberedUpdate| matches!(&update.update, InboundUpdate::Message(said) if said.external_id == external_id);
        done.iter().find(says).expect("something said before").clone()
    }
}

fn external_id(update: &NumberedUpdate) -> String {
    match &update.update {
        InboundUpdate::Message(message) | InboundUpdate::Edited(message) => {
            message.external_id.clone()
        }
        InboundUpdate::ButtonPressed { external_id, .. } => external_id.clone(),
        _ => String::new(),
    }
}

#[async_trait]
impl Harness for Fake {
    fn driver(&self) -> SharedDriver {
        self.channel.driver()
    }

    fn access(&self) -> ChannelAccess {
        ChannelAccess {
            channel_id: ChannelId(1),
            secret: SecretString::from(format!("{ACCOUNT}:fake-token")),
            webhook_secret: SecretString::from("fake-webhook-secret"),
            external_id: ACCOUNT.to_owned(),
        }
    }

    fn chat_id(&self) -> String {
        self.client.sender().chat_id.clone()
    }

    fn stranger_chat_id(&self) -> Option<String> {
        None
    }

    async fn client_does(&self, act: Act) -> Option<String> {
        let (channel, client) = (&self.channel, &self.client);
        let update = match act {
            Act::Text(text) => client.says(&text),
            Act::Reply { to, text } => client.replies(&to, &text),
            Act::Edit { external_id, text } => client.edits(&self.earlier(&external_id), &text),
            Act::Photo { bytes, caption } => {
                channel.put_file("photo", bytes);
                client.sends_file(AttachmentKind::Photo, "photo", "a.png", "image/png", &caption)
            }
            Act::Document { bytes, file_name } => {
                channel.put_file("document", bytes);
                let kind = AttachmentKind::Document;
                client.sends_file(kind, "document", &file_name, "application/pdf", "")
            }
            Act::DocumentTooLarge => {
                let detail = "file is too big".to_owned();
                channel.fail_file("large", DriverError::Refused { code: "file_too_big", detail });
                let kind = AttachmentKind::Document;
                client.sends_file(kind, "large", "large.zip", "application/zip", "")
            }
            Act::ShareOwnPhone => client.shares_own_phone("77011234567"),
            Act::Press { external_id, data } => client.presses(&data, Some(&external_id)),
            Act::React { external_id, emoji } => {
                client.reacts(&external_id, emoji.as_deref().as_slice())
            }
            Act::Block => {
                let detail = "blocked".to_owned();
                let error = DriverError::Refused { code: "client_blocked", detail };
                channel.refuse_chat(&self.chat_id(), error);
                client.blocks()
            }
            Act::Unblock => {
                channel.allow_chat(&self.chat_id());
                client.unblocks()
            }
            Act::TextInGroup(_) | Act::UnknownContent | Act::UnknownThing => return None,
        };
        self.done.lock().expect("no test panicked here").push(update.clone());
        let external_id = external_id(&update);
        channel.deliver(ACCOUNT, update);
        Some(external_id)
    }

    async fn seen(&self) -> Vec<Seen> {
        let sent = self.channel.sent().into_iter().filter(|sent| !sent.deleted);
        let seen = sent.map(|sent| Seen {
            external_id: sent.external_id,
            text: sent.text,
            file: sent.message.attachment.map(|file| SeenFile {
                kind: file.kind,
                bytes: file.bytes,
                file_name: Some(file.file_name),
            }),
            reply_to: sent.message.reply_to,
        });
        seen.collect()
    }

    async fn inject(&self, fault: Fault) -> bool {
        match fault {
            Fault::RateLimited { seconds } => self.channel.fail_next_send(DriverError::Retry {
                code: "rate_limited",
                detail: String::new(),
                retry_after_ms: Some(u64::from(seconds) * 1000),
                whole_account: false,
            }),
            Fault::AcceptedThenCut => self.channel.lose_next_answer(),
            _ => return false,
        }
        true
    }

    async fn revoke(&self) {
        self.channel.revoke(ACCOUNT);
    }

    async fn expire_file_addresses(&self) {}

    async fn webhook_calls(&self, text: &str) -> Option<Vec<WebhookCall>> {
        let body = Bytes::from(self.channel.webhook_body(&[self.client.says(text)]));
        let mut headers = http::HeaderMap::new();
        let secret = http::HeaderValue::from_static("fake-webhook-secret");
        headers.insert(SECRET_HEADER, secret);
        Some(vec![WebhookCall { headers, body }])
    }
}

channel_testkit::conformance_suite!(Fake::start());
