//! A client of the HTTP API: one member's private token, one company, one address.
//!
//! Owns the paths and the pages; says of every failure whether the server refused, or whether nobody can tell
//! what became of the request. It never repeats a request by itself: that is the caller's decision.

use std::fmt;
use std::time::Duration;

use hub_domain::channel::{Channel, IntakeMode};
use hub_domain::{
    ChannelId, CompanyId, Conversation, ConversationId, Message, MessageId, StreamPosition,
};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const PAGE: usize = 200;

/// Why a request has no good answer.
#[derive(Debug, Clone)]
pub enum ApiFailure {
    /// The server said no.
    Refused { status: u16, code: String, body: Value },
    /// No answer, or one that breaks off: it may have been done.
    Lost(String),
}

impl ApiFailure {
    /// Whether the same request may do better later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Lost(_) => true,
        }
    }

    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Lost(_) => None,
        }
    }
}

impl fmt::Display for ApiFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, code, body } => write!(formatter, "{status} {code}: {body}"),
            Self::Lost(why) => write!(formatter, "no answer: {why}"),
        }
    }
}

impl std::error::Error for ApiFailure {}

/// Everything a member can read, at one position of the log or later.
#[derive(Debug, Clone)]
pub struct History {
    /// Read first: what changes meanwhile has a newer version.
    pub position: StreamPosition,
    /// Each with its messages in the order the API gives.
    pub conversations: Vec<(Conversation, Vec<Message>)>,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
struct ConversationsPage {
    items: Vec<Conversation>,
    next_cursor: Option<String>,
    position: StreamPosition,
}

#[derive(Deserialize)]
struct MessagesPage {
    items: Vec<Message>,
    older_cursor: Option<String>,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    base_url: String,
    company: CompanyId,
    token: String,
}

impl ApiClient {
    /// `base_url` without a path or a slash at its end.
    pub fn new(base_url: &str, company: CompanyId, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(20))
            .build()
            .expect("an HTTP client without special wishes can be built");
        Self { http, base_url: base_url.to_owned(), company, token: token.to_owned() }
    }

    pub fn company(&self) -> CompanyId {
        self.company
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where sessions connect.
    pub fn realtime_url(&self) -> String {
        format!("{}/api/v1/realtime", self.base_url.replacen("http", "ws", 1))
    }

    /// A request to a path under the company; the status and the answer.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, T), ApiFailure> {
        let url = format!("{}/api/v1/companies/{}{path}", self.base_url, self.company);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| ApiFailure::Lost(error.without_url().to_string());
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(lost)?;
        if (200..300).contains(&status) {
            let answer = serde_json::from_slice(&bytes).map_err(|error| {
                ApiFailure::Lost(format!("{status} that cannot be read: {error}"))
            })?;
            return Ok((status, answer));
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = body["errors"][0]["code"].as_str().unwrap_or_default().to_owned();
        Err(ApiFailure::Refused { status, code, body })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiFailure> {
        self.call(Method::GET, path, None).await.map(|(_, answer)| answer)
    }

    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, ApiFailure> {
        self.call(Method::POST, path, Some(body)).await.map(|(_, answer)| answer)
    }

    // Channels

    pub async fn connect_telegram(
        &self,
        credential: &str,
        intake: IntakeMode,
    ) -> Result<Channel, ApiFailure> {
        let body =
            json!({ "kind": "telegram_bot", "credential": credential, "intake": intake.as_str() });
        self.post("/channels", &body).await
    }

    pub async fn channel(&self, id: ChannelId) -> Result<Channel, ApiFailure> {
        let channels: Items<Channel> = self.get("/channels").await?;
        let found = channels.items.into_iter().find(|channel| channel.id == id);
        found.ok_or_else(|| ApiFailure::Lost(format!("channel {id} is not listed")))
    }

    pub async fn change_channel(&self, id: ChannelId, body: &Value) -> Result<Channel, ApiFailure> {
        let path = format!("/channels/{id}");
        self.call(Method::PATCH, &path, Some(body)).await.map(|(_, channel)| channel)
    }

    // Conversations

    /// All conversations, and a position from before they were read.
    pub async fn conversations(&self) -> Result<(StreamPosition, Vec<Conversation>), ApiFailure> {
        let mut found = Vec::new();
        let mut first = None;
        let mut cursor = String::new();
        loop {
            let path = format!("/conversations?filter=all&limit={PAGE}{cursor}");
            let page: ConversationsPage = self.get(&path).await?;
            found.extend(page.items);
            let position = first.get_or_insert(page.position);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok((position.clone(), found)),
            }
        }
    }

    /// All messages of a conversation, in the order of the pages.
    pub async fn messages(&self, id: ConversationId) -> Result<Vec<Message>, ApiFailure> {
        let mut pages = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/conversations/{id}/messages?limit={PAGE}{cursor}");
            let page: MessagesPage = self.get(&path).await?;
            pages.push(page.items);
            match page.older_cursor {
                Some(older) => cursor = format!("&before={older}"),
                None => return Ok(pages.into_iter().rev().flatten().collect()),
            }
        }
    }

    pub async fn history(&self) -> Result<History, ApiFailure> {
        let (position, found) = self.conversations().await?;
        let mut conversations = Vec::with_capacity(found.len());
        for conversation in found {
            let messages = self.messages(conversation.id).await?;
            conversations.push((conversation, messages));
        }
        Ok(History { position, conversations })
    }

    // Messages

    /// The message, and whether this request made it.
    pub async fn send_text(
        &self,
        conversation: ConversationId,
        client_message_id: &str,
        text: &str,
    ) -> Result<(Message, bool), ApiFailure> {
        let path = format!("/conversations/{conversation}/messages");
        let body = json!({ "client_message_id": client_message_id, "text": text });
        let (status, message) = self.call(Method::POST, &path, Some(&body)).await?;
        Ok((message, status == 202))
    }

    pub async fn message(
        &self,
        conversation: ConversationId,
        id: MessageId,
    ) -> Result<Message, ApiFailure> {
        let messages = self.messages(conversation).await?;
        let found = messages.into_iter().find(|message| message.id == id);
        found.ok_or_else(|| ApiFailure::Lost(format!("message {id} is not listed")))
    }

    /// `retry` or `consider-sent`.
    pub async fn decide(
        &self,
        conversation: ConversationId,
        id: MessageId,
        decision: &str,
    ) -> Result<Message, ApiFailure> {
        let path = format!("/conversations/{conversation}/messages/{id}/{decision}");
        self.post(&path, &json!({})).await
    }
}
