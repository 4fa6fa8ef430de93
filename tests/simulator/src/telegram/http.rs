//! Bot API calls and file downloads over HTTP: who calls, which method, which fault, the record, the answer.
//!
//! The token is in the path; it goes no further than the look-up here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Telegram;
use super::answer::{Answer, Refusal, bad_gateway_page, json_response, refused};
use super::calls::{Call, Handover, HandoverGuard, Recorded};
use super::fault::CallFault;
use super::methods::{self, Context};
use super::params::{Params, Upload, integer};
use super::world::is_token;
use crate::listener::{cut_connection, half_of};

const LONGEST_POLL: Duration = Duration::from_secs(50);
const URL_PHOTO_LIMIT: usize = 5 << 20;
const URL_FILE_LIMIT: usize = 20 << 20;

/// Everything the control interface does not take.
pub(crate) async fn handle(State(state): State<crate::State>, request: Request) -> Response {
    let telegram = state.telegram().clone();
    let path = percent_decoded(request.uri().path());
    if let Some((token, file_path)) =
        path.strip_prefix("/file/bot").and_then(|rest| rest.split_once('/'))
    {
        return telegram.download(token, file_path).await;
    }
    if let Some((token, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) {
        let method = method.strip_prefix("test/").unwrap_or(method);
        return telegram.call(token, method, request).await;
    }
    refused(&Refusal::NOT_FOUND)
}

fn percent_decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = path.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = code.filter(|_| bytes[at] == b'%') {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A call on its way through: what its record will say.
struct Asked {
    bot_id: Option<i64>,
    method: String,
    params: Value,
    chat_id: Option<i64>,
    fault: Option<&'static str>,
}

impl Asked {
    fn call(&self, at_ms: i64, processed: bool, answer: Result<&[i64], &Refusal>) -> Call {
        Call {
            number: 0,
            at_ms,
            bot_id: self.bot_id,
            method: self.method.clone(),
            params: self.params.clone(),
            chat_id: self.chat_id,
            processed,
            ok: answer.is_ok(),
            error_code: answer.as_ref().err().map(|refusal| refusal.code),
            description: answer.as_ref().err().map(|refusal| refusal.description.to_string()),
            message_ids: answer.map(<[i64]>::to_vec).unwrap_or_default(),
            fault: self.fault.map(str::to_owned),
            handover: Handover::Pending,
        }
    }
}

impl Telegram {
    fn record(
        &self,
        asked: &Asked,
        processed: bool,
        answer: Result<&[i64], &Refusal>,
    ) -> Arc<Recorded> {
        let call = asked.call(self.now_ms(), processed, answer);
        self.world().calls.record(call)
    }

    fn refuse(&self, asked: &Asked, refusal: &Refusal) -> Response {
        HandoverGuard::new(self.record(asked, false, Err(refusal))).finish(Handover::Delivered);
        refused(refusal)
    }

    async fn call(&self, token: &str, method: &str, request: Request) -> Response {
        let known = methods::canonical(method);
        let mut asked = Asked {
            bot_id: None,
            method: known.unwrap_or(method).chars().take(64).collect(),
            params: Value::Null,
            chat_id: None,
            fault: None,
        };
        let bot_id = self.world().tokens.get(token).copied();
        let is_slow = |fault: &CallFault| matches!(fault, CallFault::ReadSlowly { .. });
        let slow = self.inner.call_faults.take_those(&asked.method, bot_id, None, is_slow);
        asked.fault = slow.first().map(CallFault::name);
        let request = match slow.first() {
            Some(CallFault::ReadSlowly { bytes_per_second }) => slowly(request, *bytes_per_second),
            _ => request,
        };
        let params = Params::read(request).await;
        if !is_token(token) {
            return self.refuse(&asked, &Refusal::NOT_FOUND);
        }
        let Some(bot_id) = bot_id else {
            return self.refuse(&asked, &Refusal::UNAUTHORIZED);
        };
        asked.bot_id = Some(bot_id);
        let mut params = match params {
            Ok(params) => params,
            Err(refusal) => return self.refuse(&asked, &refusal),
        };
        asked.params = params.recorded();
        asked.chat_id = params.integer("chat_id");
        let Some(method) = known else {
            return self.refuse(&asked, &Refusal::METHOD_NOT_FOUND);
        };
        let fault = self.next_fault(&mut asked).await;
        if let Some(response) = self.refused_by_fault(&asked, fault.as_ref()) {
            return response;
        }
        if let Err(refusal) = self.fetch_urls(&mut params).await {
            return self.refuse(&asked, &refusal);
        }
        let (body, recorded) = if method == "getUpdates" {
            let polled = self.poll(bot_id, &params).await;
            let recorded =
                self.record(&asked, polled.is_ok(), polled.as_ref().map(|_| [].as_slice()));
            (polled.map_err(|refusal| (refusal.code, refusal.body())), recorded)
        } else {
            let (answer, recorded) = self.run(bot_id, method, &params, &asked);
            let body = match answer {
                Ok(success) => Ok(success.body()),
                Err(refusal) => Err((refusal.code, refusal.body())),
            };
            (body, recorded)
        };
        hand_over(body, fault, HandoverGuard::new(recorded)).await
    }

    /// Waits out the scripted delays and gives the fault that decides the answer.
    async fn next_fault(&self, asked: &mut Asked) -> Option<CallFault> {
        let mut decisive = None;
        let (faults, happens_now) = (&self.inner.call_faults, |fault: &CallFault| {
            !matches!(fault, CallFault::ReadSlowly { .. })
        });
        let method = &asked.method;
        for fault in faults.take_those(method, asked.bot_id, asked.chat_id, happens_now) {
            asked.fault = asked.fault.or(Some(fault.name()));
            match fault {
                CallFault::Delay { delay_ms } => {
                    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                }
                other => decisive = decisive.or(Some(other)),
            }
        }
        if let Some(fault) = &decisive {
            asked.fault = Some(fault.name());
        }
        decisive
    }

    /// The answer of a fault that keeps the call from taking effect.
    fn refused_by_fault(&self, asked: &Asked, fault: Option<&CallFault>) -> Option<Response> {
        let refusal = match fault? {
            CallFault::TooManyRequests { retry_after } => Refusal::too_many_requests(*retry_after),
            CallFault::Refused { error_code, description, parameters } => Refusal {
                parameters: parameters.clone(),
                ..Refusal::new(*error_code, description.clone())
            },
            CallFault::ServerError { error_code, processed: false } => {
                Refusal::new(*error_code, "Internal Server Error")
            }
            CallFault::BadGateway { processed: false } => {
                let recorded = self.record(asked, false, Err(&Refusal::new(502, "Bad Gateway")));
                recorded.set_handover(Handover::Delivered);
                return Some(bad_gateway_page());
            }
            CallFault::CutBefore => {
                let recorded = self.record(asked, false, Err(&Refusal::new(0, "connection cut")));
                recorded.set_handover(Handover::Cut);
                return Some(cut_connection());
            }
            CallFault::MalformedJson { processed: false } => {
                let recorded = self.record(asked, false, Err(&Refusal::new(200, "malformed JSON")));
                recorded.set_handover(Handover::Broken);
                return Some(json_response(200, "{\"ok\":true,\"resu".to_owned()));
            }
            _ => return None,
        };
        Some(self.refuse(asked, &refusal))
    }

    /// Takes effect and is recorded as one step.
    fn run(
        &self,
        bot_id: i64,
        method: &'static str,
        params: &Params,
        asked: &Asked,
    ) -> (Answer, Arc<Recorded>) {
        let now_ms = self.now_ms();
        let mut world = self.world();
        let mut context = Context::new(&mut world, bot_id, params, now_ms / 1000, &self.inner);
        let answer = context.run(method);
        let started = context.started_webhook;
        let outcome = match &answer {
            Ok(success) => Ok(success.message_ids.as_slice()),
            Err(refusal) => Err(refusal),
        };
        let recorded = world.calls.record(asked.call(now_ms, answer.is_ok(), outcome));
        drop(world);
        if let Some(generation) = started {
            self.start_dispatcher(bot_id, generation);
        }
        (answer, recorded)
    }

    /// The long poll. Gives the whole body, joined from updates that are already JSON.
    async fn poll(&self, bot_id: i64, params: &Params) -> Result<String, Refusal> {
        let offset = params.integer("offset").unwrap_or(0);
        let limit = params.integer("limit").filter(|limit| (1..=100).contains(limit)).unwrap_or(100)
            as usize;
        let timeout =
            Duration::from_secs(params.integer("timeout").unwrap_or(0).max(0).cast_unsigned())
                .min(LONGEST_POLL);
        let deadline = Instant::now() + timeout;
        let allowed = params.nested("allowed_updates")?;
        let (poll, arrived) = {
            let mut world = self.world();
            let bot = world.bots.get_mut(&bot_id).ok_or(Refusal::UNAUTHORIZED)?;
            if bot.webhook.is_some() {
                return Err(Refusal::conflict(
                    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                ));
            }
            bot.queue.set_allowed(allowed.as_ref())?;
            bot.queue.confirm(offset, self.now());
            (bot.queue.begin_poll(), Arc::clone(&bot.queue.arrived))
        };
        loop {
            let notified = arrived.notified();
            tokio::pin!(notified);
            // Registered before looking, so that no update falls in between.
            notified.as_mut().enable();
            let batch = {
                let mut world = self.world();
                let bot = world.bots.get_mut(&bot_id).ok_or(Refusal::UNAUTHORIZED)?;
                if bot.webhook.is_some() {
                    return Err(Refusal::conflict("terminated by setWebhook request"));
                }
                if !bot.queue.is_current_poll(poll) {
                    return Err(Refusal::conflict(
                        "terminated by other getUpdates request; make sure that only one bot instance is running",
                    ));
                }
                bot.queue.batch(limit)
            };
            if !batch.is_empty() || Instant::now() >= deadline {
                let bodies: Vec<&str> = batch.iter().map(|update| update.body.as_str()).collect();
                return Ok(format!("{{\"ok\":true,\"result\":[{}]}}", bodies.join(",")));
            }
            tokio::select! {
                () = notified => (),
                () = tokio::time::sleep_until(deadline) => (),
            }
        }
    }

    /// Files given by address are fetched before the call takes effect. Only this machine is ever asked.
    async fn fetch_urls(&self, params: &mut Params) -> Result<(), Refusal> {
        for address in methods::file_addresses(params) {
            let limit = if params.text("photo").as_ref() == Some(&address) {
                URL_PHOTO_LIMIT
            } else {
                URL_FILE_LIMIT
            };
            let failed = || Refusal::bad("failed to get HTTP URL content");
            let url: url::Url =
                address.parse().map_err(|_| Refusal::bad("wrong HTTP URL specified"))?;
            if !methods::is_loopback(&url) {
                return Err(failed());
            }
            let request = self.inner.http.get(url.clone()).timeout(Duration::from_secs(10));
            let response = request.send().await.map_err(|_| failed())?;
            if !response.status().is_success() {
                return Err(failed());
            }
            let content_type = response
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .map(|value| value.split(';').next().unwrap_or_default().trim().to_owned());
            if content_type.as_deref() == Some("text/html") {
                return Err(Refusal::bad("wrong type of the web page content"));
            }
            let bytes = response.bytes().await.map_err(|_| failed())?;
            if bytes.len() > limit {
                return Err(failed());
            }
            let file_name = url
                .path_segments()
                .and_then(|mut segments| segments.next_back())
                .unwrap_or("file")
                .to_owned();
            params.add_file(address, Upload { file_name, content_type, bytes });
        }
        Ok(())
    }

    async fn download(&self, token: &str, path: &str) -> Response {
        let mut asked = Asked {
            bot_id: None,
            method: "file".to_owned(),
            params: json!({ "file_path": path }),
            chat_id: None,
            fault: None,
        };
        let bot_id = self.world().tokens.get(token).copied();
        let Some(bot_id) = bot_id else {
            let refusal = if is_token(token) { Refusal::UNAUTHORIZED } else { Refusal::NOT_FOUND };
            return self.refuse(&asked, &refusal);
        };
        asked.bot_id = Some(bot_id);
        let fault = self.next_fault(&mut asked).await;
        if let Some(response) = self.refused_by_fault(&asked, fault.as_ref()) {
            return response;
        }
        let bytes = {
            let world = self.world();
            world
                .bots
                .get(&bot_id)
                .and_then(|bot| bot.files.at_path(path))
                .map(|file| file.bytes.clone())
        };
        let Some(bytes) = bytes else {
            return self.refuse(&asked, &Refusal::NOT_FOUND);
        };
        let guard = HandoverGuard::new(self.record(&asked, true, Ok(&[])));
        match fault {
            Some(CallFault::AcceptedThenCut) => {
                guard.finish(Handover::Cut);
                file_response(bytes.len(), half_of(&bytes))
            }
            Some(CallFault::AcceptedThenSilent { delay_ms }) => {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                guard.finish(Handover::Delivered);
                file_response(bytes.len(), Body::from(bytes))
            }
            _ => {
                guard.finish(Handover::Delivered);
                file_response(bytes.len(), Body::from(bytes))
            }
        }
    }
}

/// The same request with a body that comes at a pace, however fast it was sent.
fn slowly(request: Request, bytes_per_second: u64) -> Request {
    request.map(|body| {
        Body::from_stream(body.into_data_stream().then(move |piece| async move {
            let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            match (length * 1_000_000).checked_div(bytes_per_second) {
                Some(micros) => tokio::time::sleep(Duration::from_micros(micros)).await,
                None => std::future::pending().await,
            }
            piece
        }))
    })
}

fn file_response(length: usize, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length as u64));
    response
}

/// Writes the answer of a call that took effect (or was refused), as the fault lets it.
async fn hand_over(
    body: Result<String, (u16, String)>,
    fault: Option<CallFault>,
    guard: HandoverGuard,
) -> Response {
    let (code, body) = match body {
        Ok(body) => (200, body),
        Err((code, body)) => (code, body),
    };
    match fault {
        Some(CallFault::AcceptedThenCut) => {
            guard.finish(Handover::Cut);
            cut_connection()
        }
        Some(CallFault::AcceptedThenSilent { delay_ms }) => {
            // If the caller hangs up meanwhile, this future is dropped and the guard says so.
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            guard.finish(Handover::Delivered);
            json_response(code, body)
        }
        Some(CallFault::MalformedJson { .. }) => {
            guard.finish(Handover::Broken);
            let half =
                (0..=body.len() / 2).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
            json_response(code, body[..half].to_owned())
        }
        Some(CallFault::ServerError { error_code, .. }) => {
            guard.finish(Handover::Broken);
            refused(&Refusal::new(error_code, "Internal Server Error"))
        }
        Some(CallFault::BadGateway { .. }) => {
            guard.finish(Handover::Broken);
            bad_gateway_page()
        }
        _ => {
            guard.finish(Handover::Delivered);
            json_response(code, body)
        }
    }
}

/// An identifier in JSON may be a number or text; here for parameters that hold whole objects.
pub(super) fn member_integer(object: &Value, name: &str) -> Option<i64> {
    integer(object.get(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_percent_decoded() {
        assert_eq!(percent_decoded("/bot1%3Aab/getMe"), "/bot1:ab/getMe");
        assert_eq!(percent_decoded("/100%"), "/100%");
        assert_eq!(percent_decoded("/%zz/ж"), "/%zz/ж");
    }
}
