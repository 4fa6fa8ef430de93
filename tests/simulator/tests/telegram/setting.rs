//! A simulator with a bot and a client, and what tests ask of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::telegram::{Bot, BotSpec, Client, ClientSpec};

pub const SOON: Duration = Duration::from_secs(10);

pub struct Setting {
    pub simulator: Simulator,
    pub http: reqwest::Client,
    pub bot: Bot,
    pub marta: Client,
}

pub async fn setting() -> Setting {
    let simulator = Simulator::start("127.0.0.1:0").await.unwrap();
    let bot = simulator.telegram().create_bot(BotSpec {
        first_name: Some("Harbour Desk".to_owned()),
        username: Some("harbour_desk_bot".to_owned()),
        ..BotSpec::default()
    });
    let marta = bot.new_client(ClientSpec {
        id: Some(5_200_100_401),
        first_name: Some("Marta".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        username: Some("marta_l".to_owned()),
        phone: Some("+46701234567".to_owned()),
        language_code: Some("sv".to_owned()),
    });
    let http =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
    Setting { simulator, http, bot, marta }
}

impl Setting {
    pub fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.simulator.base_url(), self.bot.token())
    }

    pub async fn raw(&self, method: &str, body: Value) -> Result<(u16, String), reqwest::Error> {
        let response = self.http.post(self.url(method)).json(&body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    pub async fn call(&self, method: &str, body: Value) -> Value {
        let (status, text) = self.raw(method, body).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let expected = answer["error_code"].as_u64().unwrap_or(200);
        assert_eq!(u64::from(status), expected, "the status equals the code: {answer}");
        answer
    }

    pub async fn result(&self, method: &str, body: Value) -> Value {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["result"].clone()
    }

    pub async fn refusal(&self, method: &str, body: Value) -> (u64, String) {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        (answer["error_code"].as_u64().unwrap(), answer["description"].as_str().unwrap().to_owned())
    }

    pub async fn updates(&self, parameters: Value) -> Vec<Value> {
        self.result("getUpdates", parameters).await.as_array().unwrap().clone()
    }

    /// Takes and confirms everything there is.
    pub async fn drain(&self) -> Vec<Value> {
        let updates = self.updates(json!({})).await;
        if let Some(last) = updates.last() {
            let next = last["update_id"].as_i64().unwrap() + 1;
            self.updates(json!({ "offset": next })).await;
        }
        updates
    }

    /// Presses start, so that the bot may write.
    pub async fn started(self) -> Self {
        self.marta.start(None).unwrap();
        self.drain().await;
        self
    }

    pub async fn upload(&self, method: &str, field: &str, bytes: Vec<u8>, name: &str) -> Value {
        let form = Form::new()
            .text("chat_id", self.marta.id().to_string())
            .part(field.to_owned(), Part::bytes(bytes).file_name(name.to_owned()));
        self.http.post(self.url(method)).multipart(form).send().await.unwrap().json().await.unwrap()
    }
}

pub async fn eventually(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !reached() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

pub fn texts(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["message"]["text"].as_str().unwrap_or("-")).collect()
}

pub fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

pub fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

pub type Posts = Arc<Mutex<Vec<(Option<String>, Value)>>>;

pub struct Receiver {
    pub url: String,
    pub posts: Posts,
    /// Answers with 500 for messages with this text, this many times.
    pub failing: Arc<Mutex<(String, usize)>>,
    pub server: tokio_util::task::AbortOnDropHandle<()>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handle aborts the task when the receiver is dropped"
)]
pub async fn receiver() -> Receiver {
    let posts = Posts::default();
    let failing = Arc::new(Mutex::new((String::new(), 0)));
    let (kept, refused) = (Arc::clone(&posts), Arc::clone(&failing));
    let handler = async move |headers: HeaderMap, body: Bytes| {
        let update: Value = serde_json::from_slice(&body).unwrap();
        let secret = headers
            .get("x-telegram-bot-api-secret-token")
            .map(|value| value.to_str().unwrap().to_owned());
        let mut refused = refused.lock().unwrap();
        let refuse = refused.1 > 0 && update["message"]["text"] == refused.0.as_str();
        refused.1 -= usize::from(refuse);
        kept.lock().unwrap().push((secret, update));
        if refuse { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    };
    let router = axum::Router::new().route("/hook", post(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    Receiver { url, posts, failing, server }
}

impl Receiver {
    pub fn texts(&self) -> Vec<String> {
        let posts = self.posts.lock().unwrap();
        posts
            .iter()
            .map(|(_, update)| update["message"]["text"].as_str().unwrap_or("-").to_owned())
            .collect()
    }
}
