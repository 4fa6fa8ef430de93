//! The shared suite against the simulated Bot API, over real HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use channel_telegram_bot::{Options, TelegramBot};
use channel_testkit::conformance::{Act, Fault, Harness, Seen, SeenFile, WebhookCall};
use hub_domain::channel::{ChannelAccess, IntakeMode, SharedDriver};
use hub_domain::{AttachmentKind, ChannelId};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use simulator::Simulator;
use simulator::faults::When;
use simulator::telegram::{
    Bot, BotSpec, CallFault, Client, ClientMessage, ClientSpec, Content, Edit, FileSpec, Media,
};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::WEBHOOK_SECRET;

/// How long the driver waits for an answer, and how much longer a silent provider stays silent.
const PATIENCE: Duration = Duration::from_secs(1);
const SILENCE_MS: u64 = 1500;

struct Telegram {
    // Dropping it stops the provider.
    simulator: Simulator,
    bot: Bot,
    client: Client,
    stranger: Client,
    token: String,
    driver: SharedDriver,
}

impl Telegram {
    async fn start() -> Self {
        let simulator = Simulator::start("127.0.0.1:0").await.expect("a simulator");
        let bot = simulator.telegram().create_bot(BotSpec::named("Школа «Росток»"));
        let spec = ClientSpec {
            phone: Some("+77011234567".to_owned()),
            ..ClientSpec::named("Ирина")
        };
        let client = bot.new_client(spec);
        client.start(None).expect("started");
        let stranger = bot.new_client(ClientSpec::named("Tom"));
        let options = Options { poll_seconds: 0, send_timeout: PATIENCE, ..Options::default() };
        let driver = TelegramBot::new(&simulator.base_url(), options).expect("a driver");
        let token = bot.token();
        Self { simulator, bot, client, stranger, token, driver: Arc::new(driver) }
    }

    fn external_id(&self, message_id: i64) -> String {
        format!("{}:{message_id}", self.client.id())
    }

    fn seen_file(&self, kind: &str, message: &Value) -> Option<SeenFile> {
        let kind = AttachmentKind::parse(kind)?;
        let file = &message[kind.as_str()];
        // Photos come in sizes; the last is the largest.
        let file = file.as_array().and_then(|sizes| sizes.last()).unwrap_or(file);
        let bytes = self.bot.file_bytes(file["file_id"].as_str()?)?;
        let file_name = file["file_name"].as_str().map(ToOwned::to_owned);
        Some(SeenFile { kind, bytes, file_name })
    }
}

fn message_id(external_id: &str) -> i64 {
    let (_, id) = external_id.split_once(':').expect("an id of ours");
    id.parse().expect("an id of ours")
}

fn media(bytes: Option<Bytes>, caption: Option<String>) -> Media {
    Media { file: FileSpec { bytes, ..FileSpec::default() }, caption, ..Media::default() }
}

#[async_trait]
impl Harness for Telegram {
    fn driver(&self) -> SharedDriver {
        Arc::clone(&self.driver)
    }

    fn access(&self) -> ChannelAccess {
        ChannelAccess {
            channel_id: ChannelId(1),
            secret: SecretString::from(self.token.as_str()),
            webhook_secret: SecretString::from(WEBHOOK_SECRET),
            external_id: self.bot.id().to_string(),
        }
    }

    fn chat_id(&self) -> String {
        self.client.id().to_string()
    }

    fn stranger_chat_id(&self) -> Option<String> {
        Some(self.stranger.id().to_string())
    }

    async fn client_does(&self, act: Act) -> Option<String> {
        let client = &self.client;
        let sent = match act {
            Act::Text(text) => client.text(&text),
            Act::Reply { to, text } => {
                client.send(ClientMessage::text(&text).reply_to(message_id(&to)))
            }
            Act::Photo { bytes, caption } => {
                client.send(ClientMessage::of(Content::Photo(media(Some(bytes), Some(caption)))))
            }
            Act::Document { bytes, file_name } => {
                let mut media = media(Some(bytes), None);
                media.file.file_name = Some(file_name);
                client.send(ClientMessage::of(Content::Document(media)))
            }
            Act::DocumentTooLarge => {
                let mut media = media(None, None);
                media.file.size_bytes = Some(70 * 1024 * 1024);
                client.send(ClientMessage::of(Content::Document(media)))
            }
            Act::ShareOwnPhone => client.share_phone(),
            Act::TextInGroup(text) => {
                let group = self.bot.create_group("Родители 5Б", None);
                client.send(ClientMessage::text(&text).in_group(group))
            }
            Act::UnknownContent => {
                let members = Map::from_iter([("hologram".to_owned(), json!({ "depth": 3 }))]);
                client.send(ClientMessage::of(Content::Unknown { members }))
            }
            Act::Edit { external_id, text } => {
                let edit = Edit { text: Some(text), ..Edit::default() };
                client.edit(message_id(&external_id), edit).expect("edited");
                return Some(external_id);
            }
            Act::Press { external_id, data } => {
                return Some(client.press(message_id(&external_id), &data).expect("pressed"));
            }
            Act::React { external_id, emoji } => {
                let reacted = client.react(message_id(&external_id), emoji.as_deref(), None);
                reacted.expect("reacted");
                return Some(String::new());
            }
            Act::Block => {
                client.block().expect("blocked");
                return Some(String::new());
            }
            Act::Unblock => {
                client.unblock().expect("unblocked");
                return Some(String::new());
            }
            Act::UnknownThing => {
                client.do_unknown_thing("telepathy_event").expect("done");
                return Some(String::new());
            }
        };
        Some(self.external_id(sent.expect("the client may do this")))
    }

    async fn seen(&self) -> Vec<Seen> {
        let seen = self.client.inbox().into_iter().map(|sent| Seen {
            external_id: self.external_id(sent.message_id),
            file: self.seen_file(&sent.kind, &sent.message),
            text: sent.text.unwrap_or_default(),
            reply_to: sent.reply_to.map(|message_id| self.external_id(message_id)),
        });
        seen.collect()
    }

    async fn inject(&self, fault: Fault) -> bool {
        let fault = match fault {
            Fault::RateLimited { seconds } => CallFault::TooManyRequests { retry_after: seconds },
            Fault::CutBefore => CallFault::CutBefore,
            Fault::AcceptedThenCut => CallFault::AcceptedThenCut,
            Fault::AcceptedThenSilent => CallFault::AcceptedThenSilent { delay_ms: SILENCE_MS },
            Fault::FailedBefore => CallFault::ServerError { error_code: 500, processed: false },
            Fault::FailedAfter => CallFault::ServerError { error_code: 500, processed: true },
            Fault::GatewayAfter => CallFault::BadGateway { processed: true },
            Fault::BrokenAnswer => CallFault::MalformedJson { processed: true },
        };
        let sends = ["sendMessage".to_owned(), "sendDocument".to_owned()];
        let when = When { subjects: sends.to_vec(), times: Some(1), ..When::default() };
        self.simulator.telegram().fault(when, fault);
        true
    }

    async fn revoke(&self) {
        self.bot.revoke_token();
    }

    async fn expire_file_addresses(&self) {
        self.bot.expire_file_paths();
    }

    async fn webhook_calls(&self, text: &str) -> Option<Vec<WebhookCall>> {
        let receiver = MockServer::start().await;
        Mock::given(wiremock::matchers::any())
            .respond_with(ResponseTemplate::new(200))
            .mount(&receiver)
            .await;
        let (driver, access) = (self.driver(), self.access());
        let url = format!("{}/webhooks/telegram_bot/1", receiver.uri());
        let webhook = driver.configure_intake(&access, IntakeMode::Webhook, Some(&url));
        webhook.await.expect("a webhook");
        // Waiting for a poll to be free again belongs to the test of polling, not to this one.
        self.client.text(text).expect("written");
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while self.bot.pending_updates() > 0 {
            assert!(tokio::time::Instant::now() < deadline, "the provider never called");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let polling = driver.configure_intake(&access, IntakeMode::Polling, None);
        polling.await.expect("no webhook any more");
        let calls = receiver.received_requests().await.expect("recording is on");
        let call = |call: wiremock::Request| WebhookCall {
            headers: call.headers,
            body: Bytes::from(call.body),
        };
        Some(calls.into_iter().map(call).collect())
    }
}

channel_testkit::conformance_suite!(Telegram::start().await);
