//! The Telegram Bot API as a channel, text only for now.

use std::time::Duration;

use async_trait::async_trait;
use hub_domain::channel::{
    Account, Capabilities, ChannelAccess, ChannelDriver, ChannelKind, Download, DriverError,
    InboundMessage, InboundUpdate, IntakeMode, MediaLimit, NumberedUpdate, OutboundMessage,
    ParseError, PollBatch, SendReceipt, Sender,
};
use hub_domain::{AttachmentKind, Content, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

/// Manners of the driver.
#[derive(Debug, Clone)]
pub struct Options {
    pub send_timeout: Duration,
    pub poll_seconds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { send_timeout: Duration::from_secs(30), poll_seconds: 25 }
    }
}

#[derive(Debug)]
pub struct TelegramBot {
    base: String,
    options: Options,
    client: reqwest::Client,
}

impl TelegramBot {
    pub fn new(api_url: &str, options: Options) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { base: api_url.trim_end_matches('/').to_owned(), options, client })
    }

    async fn call(
        &self,
        access: &ChannelAccess,
        method: &str,
        params: Value,
        timeout: Duration,
        repeatable: bool,
    ) -> Result<Value, DriverError> {
        let url = format!("{}/bot{}/{method}", self.base, access.secret.expose_secret());
        let sent = self.client.post(url).timeout(timeout).json(&params).send().await;
        let lost = |detail: String| {
            if repeatable {
                DriverError::Retry {
                    code: "provider_unreachable",
                    detail,
                    retry_after_ms: None,
                    whole_account: false,
                }
            } else {
                DriverError::Unknown { code: "answer_lost", detail }
            }
        };
        let response = match sent {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Err(DriverError::Retry {
                    code: "provider_unreachable",
                    detail: error.without_url().to_string(),
                    retry_after_ms: None,
                    whole_account: true,
                });
            }
            Err(error) => return Err(lost(error.without_url().to_string())),
        };
        let body: Value = response.json().await.map_err(|e| lost(e.without_url().to_string()))?;
        if body["ok"] == true {
            return Ok(body["result"].clone());
        }
        let detail = body["description"].as_str().unwrap_or_default().to_owned();
        Err(match body["error_code"].as_i64() {
            Some(401) => DriverError::Unauthorized { code: "token_revoked", detail },
            Some(404) if method == "getMe" => {
                DriverError::Unauthorized { code: "token_revoked", detail }
            }
            Some(403) => DriverError::Refused { code: "client_blocked", detail },
            Some(409) if detail.contains("webhook") => {
                DriverError::Conflict { code: "webhook_active", detail }
            }
            Some(409) => DriverError::Conflict { code: "other_poller", detail },
            Some(429) => DriverError::Retry {
                code: "rate_limited",
                detail,
                retry_after_ms: body["parameters"]["retry_after"].as_u64().map(|s| s * 1000),
                whole_account: false,
            },
            Some(code) if code < 500 => DriverError::Refused { code: "bad_request", detail },
            _ => lost(detail),
        })
    }
}

fn parse(update: &Value) -> NumberedUpdate {
    let kind = update
        .as_object()
        .and_then(|fields| fields.keys().find(|key| *key != "update_id").cloned())
        .unwrap_or_default();
    let message = update.get("message").or_else(|| update.get("edited_message"));
    let parsed = message.filter(|m| m["chat"]["type"] == "private").and_then(|m| {
        let chat = m["chat"]["id"].as_i64()?;
        let number = m["message_id"].as_i64()?;
        let names = [&m["from"]["first_name"], &m["from"]["last_name"]];
        let name: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
        Some(Box::new(InboundMessage {
            external_id: format!("{chat}:{number}"),
            sender: Sender {
                external_id: m["from"]["id"].as_i64()?.to_string(),
                chat_id: chat.to_string(),
                name: name.join(" "),
                username: m["from"]["username"].as_str().map(ToOwned::to_owned),
                language: None,
            },
            by_us: false,
            ordinal: number,
            sent_at: Timestamp::from_seconds(m["date"].as_i64()?),
            edited_at: m["edit_date"].as_i64().map(Timestamp::from_seconds),
            content: Content::text(m["text"].as_str().unwrap_or_default()),
            attachments: Vec::new(),
            album_id: None,
            reply_to: None,
            forwarded_from: None,
            verified_phone: None,
            raw: None,
        }))
    });
    let update_id = update["update_id"].as_i64();
    let update = match parsed {
        Some(message) if kind == "edited_message" => InboundUpdate::Edited(message),
        Some(message) => InboundUpdate::Message(message),
        None => InboundUpdate::Skipped { reason: "unknown_kind", kind, raw: None },
    };
    NumberedUpdate { update_id, update }
}

fn split(external_id: &str) -> (i64, i64) {
    let mut parts = external_id.splitn(2, ':').map(|part| part.parse().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

#[async_trait]
impl ChannelDriver for TelegramBot {
    fn kind(&self) -> ChannelKind {
        ChannelKind::TelegramBot
    }

    fn capabilities(&self) -> Capabilities {
        let limit = |kind, megabytes: i64| MediaLimit {
            kind,
            max_bytes: megabytes << 20,
            mime_types: Vec::new(),
        };
        Capabilities {
            text_limit: 4096,
            caption_limit: 1024,
            media: AttachmentKind::ALL.map(|kind| limit(kind, 50)).to_vec(),
            download_limit_bytes: 20 << 20,
            reply: true,
            edit: true,
            delete: true,
            reactions: true,
            delivered_receipts: false,
            read_receipts: false,
            write_first: false,
            sends_per_second: 30,
        }
    }

    fn credential_is_well_formed(&self, secret: &SecretString) -> bool {
        secret
            .expose_secret()
            .split_once(':')
            .is_some_and(|(id, key)| id.parse::<u64>().is_ok() && key.len() >= 20)
    }

    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError> {
        let me = self.call(access, "getMe", json!({}), Duration::from_secs(15), true).await?;
        Ok(Account {
            external_id: me["id"].to_string(),
            name: me["first_name"].as_str().unwrap_or_default().to_owned(),
            username: me["username"].as_str().map(ToOwned::to_owned),
        })
    }

    fn webhook_is_genuine(
        &self,
        access: &ChannelAccess,
        headers: &http::HeaderMap,
        _: &[u8],
    ) -> bool {
        let shown = headers
            .get("x-telegram-bot-api-secret-token")
            .map_or(&b""[..], |value| value.as_bytes());
        shown.ct_eq(access.webhook_secret.expose_secret().as_bytes()).into()
    }

    fn parse_webhook(
        &self,
        _: &ChannelAccess,
        body: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError> {
        let update: Value =
            serde_json::from_slice(body).map_err(|_| ParseError { detail: "not JSON".into() })?;
        Ok(vec![parse(&update)])
    }

    async fn poll(
        &self,
        access: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError> {
        let offset: i64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
        let params = json!({ "offset": offset, "timeout": self.options.poll_seconds, "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"] });
        let timeout = Duration::from_secs(self.options.poll_seconds + 15);
        let result = self.call(access, "getUpdates", params, timeout, true).await?;
        let updates: Vec<NumberedUpdate> =
            result.as_array().map(|list| list.iter().map(parse).collect()).unwrap_or_default();
        let last = updates.iter().filter_map(|update| update.update_id).max();
        let next_cursor =
            last.map(|last| (last + 1).to_string()).or_else(|| cursor.map(ToOwned::to_owned));
        Ok(PollBatch { updates, next_cursor })
    }

    async fn configure_intake(
        &self,
        access: &ChannelAccess,
        mode: IntakeMode,
        webhook_url: Option<&str>,
    ) -> Result<(), DriverError> {
        let (method, params) = match mode {
            IntakeMode::Polling => ("deleteWebhook", json!({})),
            IntakeMode::Webhook => (
                "setWebhook",
                json!({ "url": webhook_url, "secret_token": access.webhook_secret.expose_secret() }),
            ),
        };
        self.call(access, method, params, Duration::from_secs(15), true).await.map(|_| ())
    }

    async fn send(
        &self,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError> {
        let chat: i64 = message.chat_id.parse().unwrap_or_default();
        let params = json!({ "chat_id": chat, "text": message.text });
        let sent =
            self.call(access, "sendMessage", params, self.options.send_timeout, false).await?;
        let ordinal = sent["message_id"]
            .as_i64()
            .ok_or(DriverError::Unknown { code: "answer_lost", detail: String::new() })?;
        Ok(SendReceipt { external_id: format!("{chat}:{ordinal}"), ordinal })
    }

    async fn edit(
        &self,
        access: &ChannelAccess,
        external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError> {
        let (chat, number) = split(external_id);
        let (method, field) =
            if caption { ("editMessageCaption", "caption") } else { ("editMessageText", "text") };
        let params = json!({ "chat_id": chat, "message_id": number, field: text });
        self.call(access, method, params, self.options.send_timeout, true).await.map(|_| ())
    }

    async fn delete(&self, access: &ChannelAccess, external_id: &str) -> Result<(), DriverError> {
        let (chat, number) = split(external_id);
        let params = json!({ "chat_id": chat, "message_id": number });
        self.call(access, "deleteMessage", params, self.options.send_timeout, true)
            .await
            .map(|_| ())
    }

    async fn answer_button(
        &self,
        access: &ChannelAccess,
        external_id: &str,
    ) -> Result<(), DriverError> {
        let params = json!({ "callback_query_id": external_id });
        self.call(access, "answerCallbackQuery", params, self.options.send_timeout, true)
            .await
            .map(|_| ())
    }

    async fn download(&self, _: &ChannelAccess, _: &str) -> Result<Download, DriverError> {
        Err(DriverError::Refused { code: "download_not_supported", detail: String::new() })
    }
}
