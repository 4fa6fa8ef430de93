//! Parameters of a call: query, form, JSON body and multipart read as one thing.
//!
//! In query, form and multipart everything is text and nested objects are JSON inside it; in a JSON body they are
//! what they are. The readers here hide that difference, as the provider does.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use super::answer::Refusal;

/// Most bytes of one uploaded file.
pub(super) const UPLOAD_LIMIT: usize = 50 << 20;
/// Most bytes of a body without files.
const PLAIN_LIMIT: usize = 8 << 20;
/// An oversized body is still read (and thrown away) up to here, so that the refusal can be seen by the sender.
const DRAIN_LIMIT: usize = 512 << 20;

#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub file_name: String,
    pub content_type: Option<String>,
    pub bytes: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Params {
    values: Map<String, Value>,
    files: HashMap<String, Upload>,
}

impl Params {
    pub async fn read(request: Request) -> Result<Self, Refusal> {
        let mut params = Self::default();
        if let Some(query) = request.uri().query() {
            params.add_form(query.as_bytes());
        }
        let content_type = content_type(request.headers());
        if content_type.starts_with("multipart/form-data") {
            params.read_multipart(request).await?;
            return Ok(params);
        }
        let body = read_plain(request.into_body()).await?;
        if body.is_empty() {
            return Ok(params);
        }
        if content_type.starts_with("application/json") {
            match serde_json::from_slice(&body) {
                Ok(Value::Object(object)) => params.values.extend(object),
                _ => return Err(Refusal::bad("can't parse request body as JSON object")),
            }
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            params.add_form(&body);
        }
        Ok(params)
    }

    fn add_form(&mut self, form: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(form) {
            self.values.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    async fn read_multipart(&mut self, request: Request) -> Result<(), Refusal> {
        let unreadable = || Refusal::bad("can't parse multipart form data");
        let mut multipart =
            Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
        let mut total = 0;
        let mut too_large = false;
        while let Some(mut field) = multipart.next_field().await.map_err(|_| unreadable())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let content_type = field.content_type().map(str::to_owned);
            let mut bytes = BytesMut::new();
            while let Some(chunk) = field.chunk().await.map_err(|_| unreadable())? {
                total += chunk.len();
                if total > DRAIN_LIMIT {
                    return Err(Refusal::TOO_LARGE);
                }
                too_large |= bytes.len() + chunk.len() > UPLOAD_LIMIT;
                if !too_large {
                    bytes.extend_from_slice(&chunk);
                }
            }
            if let Some(file_name) = file_name {
                self.files.insert(name, Upload { file_name, content_type, bytes: bytes.freeze() });
            } else {
                let text = String::from_utf8(bytes.to_vec())
                    .map_err(|_| Refusal::bad("strings must be encoded in UTF-8"))?;
                self.values.insert(name, Value::String(text));
            }
        }
        if too_large { Err(Refusal::TOO_LARGE) } else { Ok(()) }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        integer(self.values.get(name)?)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        match self.values.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => {
                matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1")
            }
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A nested object or list, given as itself or as JSON in text. Absent and empty are the same.
    pub fn nested(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| {
                Refusal::bad(format!("can't parse {} JSON object", name.replace('_', " ")))
            }),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    pub fn file(&self, name: &str) -> Option<&Upload> {
        self.files.get(name)
    }

    pub fn add_file(&mut self, name: String, upload: Upload) {
        self.files.insert(name, upload);
    }

    /// For the record: everything that was sent, files by name and size.
    pub fn recorded(&self) -> Value {
        let mut recorded = self.values.clone();
        for (name, upload) in &self.files {
            let file = json!({
                "file_name": upload.file_name, "content_type": upload.content_type, "size_bytes": upload.bytes.len(),
            });
            recorded.insert(name.clone(), file);
        }
        Value::Object(recorded)
    }
}

/// An integer given as a number or as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

async fn read_plain(body: Body) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut total) = (BytesMut::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad("can't read request body"))?;
        total += chunk.len();
        if total > DRAIN_LIMIT {
            return Err(Refusal::TOO_LARGE);
        }
        if total <= PLAIN_LIMIT {
            bytes.extend_from_slice(&chunk);
        }
    }
    if total > PLAIN_LIMIT { Err(Refusal::TOO_LARGE) } else { Ok(bytes.freeze()) }
}
