//! HTTP to the provider: one pooled client, a deadline on every call, the base URL given.
//!
//! Hands out the `result` of an answer or a [`Failure`] that says how far the call got. The token sits
//! in the path of every URL: nothing here lets a URL out.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use hub_domain::channel::DriverError;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, multipart};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::Options;
use crate::error::Failure;
use crate::wire::Envelope;

/// Largest answer that is read. A hundred updates with everything in them stay far below.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// In such pieces a file is handed to the connection.
const PIECE: usize = 64 * 1024;

/// The provider closes idle connections too; a call on one it is just closing would have an unknown end.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Why a driver could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the address of the Bot API is not an http or https URL")]
    ApiUrl,
    #[error("the HTTP client could not be built")]
    Http(#[source] reqwest::Error),
}

#[derive(Debug)]
pub struct Call {
    pub method: &'static str,
    pub body: Body,
    /// Instead of the usual one.
    pub timeout: Option<Duration>,
}

#[derive(Debug)]
pub enum Body {
    Json(Value),
    Multipart { fields: Vec<(&'static str, String)>, file: FilePart },
}

#[derive(Debug)]
pub struct FilePart {
    pub field: &'static str,
    pub name: String,
    pub mime_type: String,
    pub bytes: Bytes,
}

/// A file of the provider, opened.
#[derive(Debug)]
pub struct OpenedFile<S> {
    pub size_bytes: Option<u64>,
    pub mime_type: Option<String>,
    pub bytes: S,
}

#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    base: String,
    call_timeout: Duration,
    stall_timeout: Duration,
}

/// `<bot id>:<35 or so characters>`. Anything else must not get into a path.
pub fn token_is_well_formed(token: &str) -> bool {
    let Some((id, rest)) = token.split_once(':') else { return false };
    let id_fits = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    id_fits && (30..=64).contains(&rest.len()) && rest.bytes().all(is_secret)
}

impl Client {
    pub fn new(api_url: &str, options: &Options) -> Result<Self, SetupError> {
        let url = Url::parse(api_url).map_err(|_| SetupError::ApiUrl)?;
        let is_base = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_base {
            return Err(SetupError::ApiUrl);
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("uzel/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            // A redirect would carry the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(SetupError::Http)?;
        Ok(Self {
            http,
            base: url.as_str().trim_end_matches('/').to_owned(),
            call_timeout: options.send_timeout,
            stall_timeout: options.download_stall_timeout,
        })
    }

    /// Calls a method and hands out its result.
    pub async fn call(&self, secret: &SecretString, call: Call) -> Result<Value, Failure> {
        let token = checked(secret)?;
        let url = format!("{}/bot{token}/{}", self.base, call.method);
        let request = self.http.post(url).timeout(call.timeout.unwrap_or(self.call_timeout));
        let response = match call.body {
            Body::Json(params) => {
                request.json(&params).send().await.map_err(|error| lost(error, token))?
            }
            Body::Multipart { fields, file } => {
                let upload = Upload::of(&file);
                let sending = request.multipart(form(fields, file, &upload)).send();
                tokio::select! {
                    sent = sending => sent.map_err(|error| upload.lost(error, token))?,
                    () = upload.stands_still_for(self.call_timeout) => {
                        let detail = "the upload stood still".to_owned();
                        return Err(Failure::NotSent { detail });
                    }
                }
            }
        };
        let (status, retry_after_ms) = (response.status().as_u16(), retry_after_ms(&response));
        let body = match read_bounded(response, ANSWER_LIMIT).await {
            Ok(body) => body,
            // The status alone says what became of the call, unless it says that it was done.
            Err(_) if status >= 300 => Bytes::new(),
            Err(Some(error)) => return Err(lost(error, token)),
            Err(None) => return Err(Failure::unreadable(status, retry_after_ms)),
        };
        read_answer(status, retry_after_ms, &body, token)
    }

    /// Opens a file under the path that `getFile` told.
    pub async fn open_file(
        &self,
        secret: &SecretString,
        path: &str,
    ) -> Result<
        OpenedFile<impl Stream<Item = Result<Bytes, DriverError>> + Send + 'static + use<>>,
        Failure,
    > {
        let token = checked(secret)?;
        let url = file_url(&self.base, token, path)
            .ok_or_else(|| Failure::malformed("getFile told an unusable path"))?;
        let opening = tokio::time::timeout(self.call_timeout, self.http.get(url).send()).await;
        let response = match opening {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(lost(error, token)),
            Err(_) => return Err(Failure::timed_out()),
        };
        let status = response.status();
        if !status.is_success() {
            let retry_after_ms = retry_after_ms(&response);
            let body = tokio::time::timeout(self.call_timeout, read_bounded(response, 64 * 1024));
            let body = body.await.ok().and_then(Result::ok).unwrap_or_default();
            let failure = read_answer(status.as_u16(), retry_after_ms, &body, token).err();
            return Err(
                failure.unwrap_or_else(|| Failure::unreadable(status.as_u16(), retry_after_ms))
            );
        }
        let mime_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .filter(|mime_type| *mime_type != "application/octet-stream")
            .map(ToOwned::to_owned);
        let size_bytes = response.content_length();
        Ok(OpenedFile { size_bytes, mime_type, bytes: chunks(response, self.stall_timeout) })
    }
}

fn checked(secret: &SecretString) -> Result<&str, Failure> {
    let token = secret.expose_secret();
    if token_is_well_formed(token) { Ok(token) } else { Err(Failure::malformed_token()) }
}

/// How much of a file has been handed to its connection.
#[derive(Debug, Clone)]
struct Upload {
    handed: Arc<AtomicUsize>,
    length: usize,
}

impl Upload {
    fn of(file: &FilePart) -> Self {
        Self { handed: Arc::default(), length: file.bytes.len() }
    }

    /// The bytes, shared and not copied.
    fn body(&self, bytes: Bytes) -> reqwest::Body {
        let handed = Arc::clone(&self.handed);
        reqwest::Body::wrap_stream(stream::unfold(bytes, move |mut rest| {
            let piece = rest.split_to(rest.len().min(PIECE));
            handed.fetch_add(piece.len(), Ordering::Relaxed);
            let piece = (!piece.is_empty()).then_some((Ok::<_, std::io::Error>(piece), rest));
            std::future::ready(piece)
        }))
    }

    fn is_whole(&self) -> bool {
        self.handed.load(Ordering::Relaxed) >= self.length
    }

    /// Ends when nothing was taken for so long. What is whole waits for its answer, not for us.
    async fn stands_still_for(&self, patience: Duration) {
        let mut before = 0;
        loop {
            tokio::time::sleep(patience).await;
            if self.is_whole() {
                return std::future::pending().await;
            }
            let handed = self.handed.load(Ordering::Relaxed);
            if handed == before {
                return;
            }
            before = handed;
        }
    }

    /// Of a file that did not leave whole the provider can have made nothing.
    fn lost(&self, error: reqwest::Error, token: &str) -> Failure {
        match lost(error, token) {
            Failure::Lost { detail, .. } if !self.is_whole() => Failure::NotSent { detail },
            failure => failure,
        }
    }
}

fn form(fields: Vec<(&'static str, String)>, file: FilePart, upload: &Upload) -> multipart::Form {
    let length = file.bytes.len() as u64;
    // The length is told, so that the provider can refuse early.
    let plain = || {
        multipart::Part::stream_with_length(upload.body(file.bytes.clone()), length)
            .file_name(file.name.clone())
    };
    let part = plain().mime_str(&file.mime_type).unwrap_or_else(|_| plain());
    let form = fields
        .into_iter()
        .fold(multipart::Form::new(), |form, (name, value)| form.text(name, value));
    form.part(file.field, part)
}

fn file_url(base: &str, token: &str, path: &str) -> Option<Url> {
    let mut url = Url::parse(&format!("{base}/file/bot{token}/")).ok()?;
    let escapes = |segment: &str| matches!(segment, "" | "." | "..");
    if path.split('/').any(escapes) {
        return None;
    }
    url.path_segments_mut().ok()?.pop_if_empty().extend(path.split('/'));
    Some(url)
}

/// Reads an answer whole; the error is `None` when there is more than `limit`.
async fn read_bounded(
    mut response: Response,
    limit: usize,
) -> Result<Bytes, Option<reqwest::Error>> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(Some)? {
        if body.len() + chunk.len() > limit {
            return Err(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What an answer says; `Ok` only when the provider says so itself.
fn read_answer(
    status: u16,
    retry_after_ms: Option<u64>,
    body: &[u8],
    token: &str,
) -> Result<Value, Failure> {
    let Ok(answer) = serde_json::from_slice::<Envelope>(body) else {
        return Err(Failure::unreadable(status, retry_after_ms));
    };
    if answer.ok {
        return Ok(answer.result.unwrap_or_default());
    }
    let told = answer.parameters.and_then(|parameters| parameters.retry_after);
    Err(Failure::Refusal {
        code: answer.error_code.unwrap_or(status),
        description: redacted(answer.description.unwrap_or_default(), token),
        retry_after_ms: told.map(|seconds| seconds.saturating_mul(1000)).or(retry_after_ms),
    })
}

fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}

/// How far a call got that ended without an answer.
fn lost(error: reqwest::Error, token: &str) -> Failure {
    let before_sending = error.is_connect() || error.is_builder();
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(detail, ": {cause}");
        source = cause.source();
    }
    let detail = redacted(detail, token);
    if before_sending { Failure::NotSent { detail } } else { Failure::Lost { timed_out, detail } }
}

/// Words from outside, bounded and without the token.
fn redacted(text: String, token: &str) -> String {
    const LIMIT: usize = 300;
    let text = if text.contains(token) { text.replace(token, "[token]") } else { text };
    text.chars().take(LIMIT).filter(|one| !one.is_control()).collect()
}

fn chunks(
    response: Response,
    stall_timeout: Duration,
) -> impl Stream<Item = Result<Bytes, DriverError>> + Send + 'static {
    stream::unfold(Some(response), move |response| async move {
        let mut response = response?;
        match tokio::time::timeout(stall_timeout, response.chunk()).await {
            Ok(Ok(Some(chunk))) => Some((Ok(chunk), Some(response))),
            Ok(Ok(None)) => None,
            Ok(Err(_)) => Some((Err(cut("the download was cut short")), None)),
            Err(_) => Some((Err(cut("the download stood still")), None)),
        }
    })
}

fn cut(detail: &str) -> DriverError {
    DriverError::Retry {
        code: "download_cut",
        detail: detail.to_owned(),
        retry_after_ms: None,
        whole_account: false,
    }
}
