//! An object storage that speaks S3, as far as needed to store, read and remove objects.
//!
//! Owns one bucket, in memory, under one key, and takes nothing that is not signed by it ([`signature`]).
//! It plays the interface that every such service has: no `DeleteObjects`, no listing, parts of at least
//! 5 MiB. Faults are scripted as for every provider ([`S3::fault`]); their subjects are the operations'
//! names (`PutObject`, `UploadPart`, …).

mod signature;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::faults::{Rules, When};
use crate::listener::{self, cut_connection, half_of};

pub const BUCKET: &str = "files-of-uzel";
pub const KEY_ID: &str = "AKIAOFTHETESTS";
pub const SECRET_KEY: &str = "a secret key of the tests";

const LARGEST_BODY: usize = 128 << 20;
/// Every part but the last is at least as large.
const SMALLEST_PART: usize = 5 << 20;

/// What can go wrong with a request that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Fault {
    /// Refused with this status; nothing is done.
    Refuse(u16),
    /// The connection goes before anything is done.
    Cut,
    /// It is done, and the connection goes instead of an answer.
    AcceptedThenCut,
    /// An object's bytes end in the middle.
    HalfOfTheBody,
}

struct Upload {
    key: String,
    parts: BTreeMap<u32, Bytes>,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    uploads: HashMap<String, Upload>,
    last_upload: u64,
    operations: Vec<&'static str>,
}

#[derive(Default)]
struct Inner {
    bucket: Mutex<Bucket>,
    faults: Rules<S3Fault>,
}

impl Inner {
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running storage. Dropping it stops it.
pub struct S3 {
    inner: Arc<Inner>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl S3 {
    /// Starts on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let inner: Arc<Inner> = Arc::default();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let router = Router::new()
            .fallback(handle)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&inner));
        tasks.spawn(listener::accept(listener, router, stop.clone(), tasks.clone()));
        Ok(Self { inner, address, stop })
    }

    /// Without a slash at its end.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn fault(&self, when: When, fault: S3Fault) {
        self.inner.faults.add(when, fault);
    }

    /// Keys and sizes of what is stored.
    pub fn objects(&self) -> Vec<(String, usize)> {
        let bucket = self.inner.bucket();
        bucket.objects.iter().map(|(key, bytes)| (key.clone(), bytes.len())).collect()
    }

    /// Uploads in parts that were neither completed nor aborted: their owner pays for them.
    pub fn open_uploads(&self) -> usize {
        self.inner.bucket().uploads.len()
    }

    /// Operations that were asked for under a good signature, faults included, in their order.
    pub fn operations(&self) -> Vec<&'static str> {
        self.inner.bucket().operations.clone()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A request that is not in order, in the words of S3.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
}

impl Refusal {
    const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code } = self;
        xml(status, format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
    }
}

fn xml(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/xml")], text).into_response()
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Refusal::new(StatusCode::BAD_REQUEST, "IncompleteBody").into_response();
    };
    if let Err(refusal) = signature::check(&parts, &body, KEY_ID, SECRET_KEY) {
        return refusal.into_response();
    }
    match inner.answer(&parts, body) {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

/// Parameters of the query; names without a value have an empty one.
fn query(parts: &request::Parts) -> HashMap<&str, &str> {
    let text = parts.uri.query().unwrap_or_default();
    text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect()
}

impl Inner {
    fn answer(&self, parts: &request::Parts, body: Bytes) -> Result<Response, Refusal> {
        let query = query(parts);
        let upload = query.get("uploadId").copied();
        let operation = match (&parts.method, upload) {
            (&Method::PUT, None) => "PutObject",
            (&Method::PUT, Some(_)) => "UploadPart",
            (&Method::POST, Some(_)) => "CompleteMultipartUpload",
            (&Method::POST, None) if query.contains_key("uploads") => "CreateMultipartUpload",
            (&Method::GET, None) => "GetObject",
            (&Method::HEAD, None) => "HeadObject",
            (&Method::DELETE, None) => "DeleteObject",
            (&Method::DELETE, Some(_)) => "AbortMultipartUpload",
            _ => return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
        };
        let (bucket, key) =
            parts.uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
        if bucket != BUCKET {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "NoSuchBucket"));
        }
        self.bucket().operations.push(operation);
        let fault = self.faults.take(operation, None, None).into_iter().next();
        match fault {
            Some(S3Fault::Refuse(status)) => {
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                return Err(Refusal::new(status, "SlowDown"));
            }
            Some(S3Fault::Cut) => return Ok(cut_connection()),
            _ => {}
        }
        let number = query.get("partNumber").and_then(|number| number.parse().ok());
        let answer = match (operation, upload) {
            ("PutObject", _) => Ok(self.put(key, body)),
            ("GetObject" | "HeadObject", _) => self.get(key, parts, fault),
            ("DeleteObject", _) => {
                self.bucket().objects.remove(key);
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            ("UploadPart", Some(upload)) => self.put_part(upload, number, body),
            ("CompleteMultipartUpload", Some(upload)) => self.complete(upload, &body),
            ("AbortMultipartUpload", Some(upload)) => {
                self.bucket().uploads.remove(upload).ok_or(NO_SUCH_UPLOAD)?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => Ok(self.create_upload(key)),
        };
        if fault == Some(S3Fault::AcceptedThenCut) { Ok(cut_connection()) } else { answer }
    }

    fn put(&self, key: &str, body: Bytes) -> Response {
        let tag = tag_of(&body);
        self.bucket().objects.insert(key.to_owned(), body);
        tagged(StatusCode::OK, &tag)
    }

    fn get(
        &self,
        key: &str,
        parts: &request::Parts,
        fault: Option<S3Fault>,
    ) -> Result<Response, Refusal> {
        let found = self.bucket().objects.get(key).cloned();
        let whole = found.ok_or(Refusal::new(StatusCode::NOT_FOUND, "NoSuchKey"))?;
        let (size, tag) = (whole.len(), tag_of(&whole));
        let (status, bytes, range) = match asked_range(&parts.headers) {
            None => (StatusCode::OK, whole, None),
            Some((first, last)) if first < size => {
                let end = last.saturating_add(1).min(size);
                let range = format!("bytes {first}-{}/{size}", end - 1);
                (StatusCode::PARTIAL_CONTENT, whole.slice(first..end), Some(range))
            }
            Some(_) => return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange")),
        };
        let mut response = tagged(status, &tag);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        *response.body_mut() = match (&parts.method, fault) {
            (&Method::HEAD, _) => Body::empty(),
            (_, Some(S3Fault::HalfOfTheBody)) => half_of(&bytes),
            _ => Body::from(bytes),
        };
        Ok(response)
    }

    fn create_upload(&self, key: &str) -> Response {
        let mut bucket = self.bucket();
        bucket.last_upload += 1;
        let id = format!("upload{}", bucket.last_upload);
        let upload = Upload { key: key.to_owned(), parts: BTreeMap::new() };
        bucket.uploads.insert(id.clone(), upload);
        let body = format!(
            "<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{key}</Key>\
             <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        xml(StatusCode::OK, body)
    }

    fn put_part(
        &self,
        upload: &str,
        number: Option<u32>,
        body: Bytes,
    ) -> Result<Response, Refusal> {
        let number = number.ok_or(Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument"))?;
        let tag = tag_of(&body);
        let mut bucket = self.bucket();
        let upload = bucket.uploads.get_mut(upload).ok_or(NO_SUCH_UPLOAD)?;
        upload.parts.insert(number, body);
        Ok(tagged(StatusCode::OK, &tag))
    }

    fn complete(&self, id: &str, body: &[u8]) -> Result<Response, Refusal> {
        let refused = |code| Refusal::new(StatusCode::BAD_REQUEST, code);
        let told = told_parts(&String::from_utf8_lossy(body));
        let mut bucket = self.bucket();
        let upload = bucket.uploads.get(id).ok_or(NO_SUCH_UPLOAD)?;
        if told.is_empty() {
            return Err(refused("MalformedXML"));
        }
        let mut whole = BytesMut::new();
        for (place, (number, tag)) in told.iter().enumerate() {
            let part = upload.parts.get(number).ok_or(refused("InvalidPart"))?;
            if *tag != tag_of(part) {
                return Err(refused("InvalidPart"));
            }
            if part.len() < SMALLEST_PART && place + 1 < told.len() {
                return Err(refused("EntityTooSmall"));
            }
            whole.extend_from_slice(part);
        }
        let (key, whole) = (upload.key.clone(), whole.freeze());
        let tag = tag_of(&whole).replace('"', "&quot;");
        bucket.objects.insert(key.clone(), whole);
        bucket.uploads.remove(id);
        let body = format!(
            "<CompleteMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{key}</Key>\
             <ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        );
        Ok(xml(StatusCode::OK, body))
    }
}

const NO_SUCH_UPLOAD: Refusal = Refusal::new(StatusCode::NOT_FOUND, "NoSuchUpload");

fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..16]))
}

fn tagged(status: StatusCode, tag: &str) -> Response {
    let mut response = status.into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// First and last byte of a `Range` header.
fn asked_range(headers: &HeaderMap) -> Option<(usize, usize)> {
    let range = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().unwrap_or(usize::MAX)))
}

/// Numbers and tags of the parts that an upload is said to consist of.
fn told_parts(xml: &str) -> Vec<(u32, String)> {
    let between = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inner.to_owned())
    };
    xml.split("<Part>")
        .skip(1)
        .filter_map(|part| {
            let number = between(part, "PartNumber")?.parse().ok()?;
            Some((number, between(part, "ETag")?.replace("&quot;", "\"")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_names_its_parts_in_xml() {
        let body = "<CompleteMultipartUpload><Part><ETag>&quot;a&quot;</ETag><PartNumber>1\
                    </PartNumber></Part><Part><PartNumber>2</PartNumber><ETag>\"b\"</ETag></Part>\
                    </CompleteMultipartUpload>";
        let parts = told_parts(body);
        assert_eq!(parts, [(1, "\"a\"".to_owned()), (2, "\"b\"".to_owned())]);
    }
}
