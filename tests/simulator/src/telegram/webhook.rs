//! Updates posted to the bot's webhook: one POST per update, in parallel across chats, in order within one.
//!
//! A refused update is posted again with a growing delay and holds back the later ones of its chat, no others. The
//! queue stays in [`super::updates`]; here is only the schedule. A changed webhook has another generation, and what
//! still runs for the old one changes nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::Telegram;
use super::updates::{Update, UpdateQueue};

const DELIVERIES_KEPT: usize = 100_000;
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// One try to post an update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub bot_id: i64,
    pub update_id: i64,
    /// 1 for the first.
    pub attempt: u32,
    /// A copy that a scripted fault added.
    pub copy: bool,
    pub at_ms: i64,
    pub took_ms: u64,
    /// Absent if there was no answer.
    pub status: Option<u16>,
    pub error: Option<String>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<i64>,
    attempts: u32,
    /// One of it is under way, or waits to be tried again.
    busy: bool,
}

#[derive(Debug)]
pub(super) struct Webhook {
    pub url: String,
    pub secret: Option<String>,
    pub max_connections: usize,
    pub last_error: Option<(i64, String)>,
    generation: u64,
    lanes: HashMap<i64, Lane>,
    ready: VecDeque<i64>,
    in_flight: usize,
    wake: Arc<Notify>,
}

impl Webhook {
    pub fn new(
        url: String,
        secret: Option<String>,
        max_connections: usize,
        generation: u64,
        queue: &UpdateQueue,
    ) -> Self {
        let mut webhook = Self {
            url,
            secret,
            max_connections,
            last_error: None,
            generation,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            in_flight: 0,
            wake: Arc::new(Notify::new()),
        };
        for update in queue.pending() {
            webhook.enqueue(update);
        }
        webhook
    }

    pub fn enqueue(&mut self, update: &Update) {
        let lane = self.lanes.entry(update.lane).or_default();
        lane.waiting.push_back(update.id);
        if !lane.busy && lane.waiting.len() == 1 {
            self.ready.push_back(update.lane);
            self.wake.notify_one();
        }
    }

    /// Ends the dispatcher of this webhook once it looks again.
    pub fn retire(&self) {
        self.wake.notify_one();
    }

    /// The next update to post, if there is one and a connection for it.
    fn next(&mut self) -> Option<(i64, i64, u32)> {
        if self.in_flight >= self.max_connections {
            return None;
        }
        let lane_id = self.ready.pop_front()?;
        let lane = self.lanes.get_mut(&lane_id)?;
        let update_id = *lane.waiting.front()?;
        lane.busy = true;
        lane.attempts += 1;
        self.in_flight += 1;
        Some((lane_id, update_id, lane.attempts))
    }

    fn done(&mut self, lane_id: i64) {
        self.in_flight -= 1;
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            lane.waiting.pop_front();
            (lane.busy, lane.attempts) = (false, 0);
            if lane.waiting.is_empty() {
                self.lanes.remove(&lane_id);
            } else {
                self.ready.push_back(lane_id);
            }
        }
        self.wake.notify_one();
    }

    fn failed(&mut self, at: i64, reason: String) {
        self.in_flight -= 1;
        self.last_error = Some((at, reason));
        self.wake.notify_one();
    }

    fn try_again(&mut self, lane_id: i64) {
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            lane.busy = false;
            self.ready.push_back(lane_id);
        }
        self.wake.notify_one();
    }
}

struct Post {
    url: String,
    secret: Option<String>,
    update: Arc<Update>,
    attempt: u32,
    extra_copies: u32,
}

struct Posted {
    status: Option<u16>,
    error: Option<String>,
    retry_after: Option<Duration>,
}

impl Telegram {
    /// Starts posting for the webhook that was just set.
    pub(super) fn start_dispatcher(&self, bot_id: i64, generation: u64) {
        let telegram = self.clone();
        let stop = self.inner.stop.clone();
        self.inner.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => (),
                () = telegram.dispatch(bot_id, generation) => (),
            }
        });
    }

    async fn dispatch(self, bot_id: i64, generation: u64) {
        loop {
            let (wake, posts) = {
                let mut world = self.world();
                let Some(bot) = world.bots.get_mut(&bot_id) else { return };
                let Some(webhook) =
                    bot.webhook.as_mut().filter(|webhook| webhook.generation == generation)
                else {
                    return;
                };
                let mut posts = Vec::new();
                while let Some((lane, update_id, attempt)) = webhook.next() {
                    let Some(update) = bot.queue.get(update_id).cloned() else {
                        webhook.done(lane);
                        continue;
                    };
                    let (url, secret) = (webhook.url.clone(), webhook.secret.clone());
                    let extra_copies = bot.queue.extra_copies(update_id);
                    posts.push(Post { url, secret, update, attempt, extra_copies });
                }
                (Arc::clone(&webhook.wake), posts)
            };
            for post in posts {
                let telegram = self.clone();
                let stop = self.inner.stop.clone();
                self.inner.tasks.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => (),
                        () = telegram.deliver(bot_id, generation, post) => (),
                    }
                });
            }
            // A permit is kept if it was woken in between.
            wake.notified().await;
        }
    }

    async fn deliver(self, bot_id: i64, generation: u64, post: Post) {
        let copies = (0..post.extra_copies).map(|_| self.post(bot_id, &post, true));
        let (posted, _) =
            tokio::join!(self.post(bot_id, &post, false), futures_util::future::join_all(copies));
        let delivered = posted.status.is_some_and(|status| (200..300).contains(&status));
        let lane = post.update.lane;
        {
            let now = self.now();
            let mut world = self.world();
            let Some(bot) = world.bots.get_mut(&bot_id) else { return };
            let Some(webhook) =
                bot.webhook.as_mut().filter(|webhook| webhook.generation == generation)
            else {
                return;
            };
            if delivered {
                bot.queue.remove(post.update.id);
                webhook.done(lane);
                return;
            }
            let reason = match posted.status {
                Some(status) => {
                    let name = reqwest::StatusCode::from_u16(status)
                        .ok()
                        .and_then(|code| code.canonical_reason());
                    format!(
                        "Wrong response from the webhook: {status} {}",
                        name.unwrap_or_default()
                    )
                }
                None => "Connection refused or cut".to_owned(),
            };
            webhook.failed(now, reason.trim_end().to_owned());
        }
        let options = &self.inner.options;
        let growing = options.webhook_retry_first.saturating_mul(1 << (post.attempt - 1).min(16));
        let delay = posted.retry_after.unwrap_or(growing.min(options.webhook_retry_longest));
        tokio::time::sleep(delay).await;
        let mut world = self.world();
        if let Some(webhook) = world.bots.get_mut(&bot_id).and_then(|bot| bot.webhook.as_mut())
            && webhook.generation == generation
        {
            webhook.try_again(lane);
        }
    }

    async fn post(&self, bot_id: i64, post: &Post, copy: bool) -> Posted {
        let (at_ms, started) = (self.now_ms(), Instant::now());
        let mut request = self.inner.http.post(&post.url).header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &post.secret {
            request = request.header(SECRET_HEADER, secret);
        }
        let answer = request
            .timeout(self.inner.options.webhook_timeout)
            .body(post.update.body.clone())
            .send()
            .await;
        let posted = match answer {
            Ok(response) => {
                let retry_after = response
                    .headers()
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.parse().ok());
                Posted {
                    status: Some(response.status().as_u16()),
                    error: None,
                    retry_after: retry_after
                        .map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER)),
                }
            }
            // The error would print the address, and the address holds the hub's secrets.
            Err(error) => Posted {
                status: None,
                error: Some(error.without_url().to_string()),
                retry_after: None,
            },
        };
        let mut world = self.world();
        if world.deliveries.len() >= DELIVERIES_KEPT {
            world.deliveries.pop_front();
        }
        world.deliveries.push_back(Delivery {
            bot_id,
            update_id: post.update.id,
            attempt: post.attempt,
            copy,
            at_ms,
            took_ms: started.elapsed().as_millis() as u64,
            status: posted.status,
            error: posted.error.clone(),
        });
        posted
    }
}
