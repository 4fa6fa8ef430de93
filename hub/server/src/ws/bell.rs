//! How a connection is woken: the one thing shared between it and those who have something for it.
//!
//! Holds no events. A ring means "look": at the logs, at whether to close, at whether to say that we
//! are here. Rings that come while the connection is busy are one ring, so nothing piles up.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

use hub_domain::UserId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::protocol::Close;
use crate::auth::Proof;

/// Who opened a connection, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Caller {
    pub user_id: UserId,
    pub proof: Proof,
}

#[derive(Debug)]
pub struct Bell {
    pub caller: Caller,
    notify: Notify,
    /// Code with which to close, once somebody said so.
    close: AtomicU16,
    heartbeat: AtomicBool,
    /// Milliseconds of the fan-out's clock.
    heard_at: AtomicU64,
    sent_at: AtomicU64,
}

impl Bell {
    pub fn new(caller: Caller, now_ms: u64) -> Self {
        Self {
            caller,
            notify: Notify::new(),
            close: AtomicU16::new(0),
            heartbeat: AtomicBool::new(false),
            heard_at: AtomicU64::new(now_ms),
            sent_at: AtomicU64::new(now_ms),
        }
    }

    /// Look!
    pub fn ring(&self) {
        self.notify.notify_one();
    }

    /// Resolves at the next ring, or at once when it rang since the last time.
    pub fn rung(&self) -> Notified<'_> {
        self.notify.notified()
    }

    /// Asks the connection to close. The first reason holds.
    pub fn close(&self, close: Close) {
        let first =
            self.close.compare_exchange(0, close.code(), Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            self.ring();
        }
    }

    pub fn closing(&self) -> Option<Close> {
        let code = self.close.load(Ordering::Relaxed);
        Close::ALL.into_iter().find(|close| close.code() == code)
    }

    pub fn heard(&self, now_ms: u64) {
        self.heard_at.store(now_ms, Ordering::Relaxed);
    }

    pub fn sent(&self, now_ms: u64) {
        self.sent_at.store(now_ms, Ordering::Relaxed);
    }

    /// Whether a heartbeat is to be sent, once.
    pub fn take_heartbeat(&self) -> bool {
        self.heartbeat.load(Ordering::Relaxed) && self.heartbeat.swap(false, Ordering::Relaxed)
    }

    /// Keeps the connection's time: a sign of life when nothing was sent for `heartbeat_ms`, the end
    /// when nothing was heard for `silence_ms`.
    pub fn tick(&self, now_ms: u64, heartbeat_ms: u64, silence_ms: u64) {
        if now_ms.saturating_sub(self.heard_at.load(Ordering::Relaxed)) >= silence_ms {
            self.close(Close::HeartbeatLost);
        } else if now_ms.saturating_sub(self.sent_at.load(Ordering::Relaxed)) >= heartbeat_ms
            && !self.heartbeat.swap(true, Ordering::Relaxed)
        {
            self.ring();
        }
    }
}
