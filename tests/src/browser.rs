//! A browser: cookies, the CSRF token of its session, and nothing a page could not do.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// One browser. It keeps cookies by itself, and sends the token of the session it signed in with.
#[derive(Debug, Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    pub cookies: BTreeMap<String, String>,
    pub csrf_token: Option<String>,
    pub bearer: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: bytes::Bytes,
    /// `null` when the body is not JSON.
    pub json: Value,
}

impl Answer {
    /// The code of the first error; empty when there is none.
    pub fn code(&self) -> &str {
        self.json["errors"][0]["code"].as_str().unwrap_or_default()
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// Fails the test unless this is the refusal.
    #[track_caller]
    pub fn expect_refusal(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.code(), code, "{}", answer.json);
        assert_eq!(
            answer.json["request_id"].as_str(),
            answer.headers.get("x-request-id").and_then(|id| id.to_str().ok()),
            "the body names the request"
        );
        answer
    }

    /// An id in the answer.
    #[track_caller]
    pub fn id(&self, pointer: &str) -> i64 {
        let value = self.json.pointer(pointer).and_then(Value::as_i64);
        value.unwrap_or_else(|| panic!("no id at {pointer} of {}", self.json))
    }
}

impl Browser {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            http,
            base: base.to_owned(),
            cookies: BTreeMap::new(),
            csrf_token: None,
            bearer: None,
        }
    }

    /// A program with a private token.
    pub fn with_token(base: &str, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..Self::new(base) }
    }

    /// A request with what this browser would send along, for tests that change it.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        if let Some(token) = &self.csrf_token
            && !method.is_safe()
        {
            request = request.header("x-csrf-token", token);
        }
        request
    }

    /// Sends a request and keeps the cookies of the answer.
    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.keep_cookie(cookie.to_str().expect("a cookie of text"));
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, json }
    }

    fn keep_cookie(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Uploads a file as the form of the composer does.
    pub async fn upload(
        &mut self,
        company: i64,
        channel: i64,
        name: &str,
        mime_type: &str,
        bytes: Vec<u8>,
    ) -> Answer {
        let file = reqwest::multipart::Part::bytes(bytes)
            .file_name(name.to_owned())
            .mime_str(mime_type)
            .expect("a type");
        let form = reqwest::multipart::Form::new()
            .text("channel_id", channel.to_string())
            .part("file", file);
        let path = format!("/api/v1/companies/{company}/files");
        self.send(self.request(Method::POST, &path).multipart(form)).await
    }

    /// Takes over the session of an answer that signed in.
    #[track_caller]
    pub fn signed_in(&mut self, answer: &Answer) {
        let token = answer.json["csrf_token"].as_str().expect("the session has a token");
        self.csrf_token = Some(token.to_owned());
    }
}
