//! The record of API calls: what was asked, what came of it, and whether the answer was handed over.
//!
//! A call is recorded in the critical section that processes it, so the order of records is the order of effects.
//! Polls are kept apart (and fewer), or they would push out the calls that matter.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;

const POLLS_KEPT: usize = 2_000;

/// What became of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// Still under way (a scripted delay, for example).
    Pending,
    /// Handed to the connection whole; what the caller did with it is the caller's to say.
    Delivered,
    /// The caller hung up before it was written.
    Abandoned,
    /// Withheld by a scripted fault.
    Cut,
    /// Written, but broken by a scripted fault.
    Broken,
}

/// One recorded call. The token is never part of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    pub number: u64,
    pub at_ms: i64,
    /// Absent if the token was unknown.
    pub bot_id: Option<i64>,
    /// As the contract spells it; an unknown method as the caller spelled it.
    pub method: String,
    pub params: Value,
    pub chat_id: Option<i64>,
    /// Whether the method took effect (a refused one did not).
    pub processed: bool,
    pub ok: bool,
    pub error_code: Option<u16>,
    pub description: Option<String>,
    /// Messages this call made or changed.
    pub message_ids: Vec<i64>,
    /// The scripted fault that happened to it.
    pub fault: Option<String>,
    pub handover: Handover,
}

/// A call in the record whose answer may still be on its way.
#[derive(Debug)]
pub(super) struct Recorded {
    call: Call,
    handover: AtomicU8,
}

impl Recorded {
    pub fn number(&self) -> u64 {
        self.call.number
    }

    pub fn set_handover(&self, handover: Handover) {
        self.handover.store(handover as u8, Ordering::Release);
    }

    fn handover(&self) -> Handover {
        match self.handover.load(Ordering::Acquire) {
            1 => Handover::Delivered,
            2 => Handover::Abandoned,
            3 => Handover::Cut,
            4 => Handover::Broken,
            _ => Handover::Pending,
        }
    }

    fn snapshot(&self) -> Call {
        Call { handover: self.handover(), ..self.call.clone() }
    }

    fn passes(&self, filter: &CallFilter) -> bool {
        let call = &self.call;
        filter.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&call.method))
            && filter.bot.is_none_or(|bot| call.bot_id == Some(bot))
            && filter.chat.is_none_or(|chat| call.chat_id == Some(chat))
            && filter.ok.is_none_or(|ok| call.ok == ok)
            && call.number > filter.after
    }
}

/// Which calls to list; absent means any.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFilter {
    pub method: Option<String>,
    pub bot: Option<i64>,
    pub chat: Option<i64>,
    pub ok: Option<bool>,
    /// Only calls with a greater number.
    pub after: u64,
    pub limit: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Calls {
    effects: VecDeque<Arc<Recorded>>,
    polls: VecDeque<Arc<Recorded>>,
    bound: usize,
    last_number: u64,
}

impl Calls {
    pub fn bounded(bound: usize) -> Self {
        Self {
            effects: VecDeque::new(),
            polls: VecDeque::new(),
            bound: bound.max(1),
            last_number: 0,
        }
    }

    pub fn record(&mut self, mut call: Call) -> Arc<Recorded> {
        self.last_number += 1;
        call.number = self.last_number;
        let (ring, bound) = if call.method == "getUpdates" {
            (&mut self.polls, POLLS_KEPT)
        } else {
            (&mut self.effects, self.bound)
        };
        if ring.len() >= bound {
            ring.pop_front();
        }
        let recorded =
            Arc::new(Recorded { call, handover: AtomicU8::new(Handover::Pending as u8) });
        ring.push_back(Arc::clone(&recorded));
        recorded
    }

    pub fn list(&self, filter: &CallFilter) -> Vec<Call> {
        let from = |ring: &VecDeque<Arc<Recorded>>| {
            ring.partition_point(|recorded| recorded.number() <= filter.after)
        };
        let mut found: Vec<&Arc<Recorded>> = self.effects.range(from(&self.effects)..).collect();
        found.extend(self.polls.range(from(&self.polls)..));
        found.retain(|recorded| recorded.passes(filter));
        found.sort_by_key(|recorded| recorded.number());
        found
            .iter()
            .take(filter.limit.unwrap_or(usize::MAX))
            .map(|recorded| recorded.snapshot())
            .collect()
    }
}

/// Marks the answer as abandoned unless it is told otherwise before it goes out of scope.
pub(super) struct HandoverGuard(Arc<Recorded>);

impl HandoverGuard {
    pub fn new(recorded: Arc<Recorded>) -> Self {
        Self(recorded)
    }

    pub fn finish(self, handover: Handover) {
        self.0.set_handover(handover);
    }
}

impl Drop for HandoverGuard {
    fn drop(&mut self) {
        if self.0.handover() == Handover::Pending {
            self.0.set_handover(Handover::Abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str) -> Call {
        Call {
            number: 0,
            at_ms: 0,
            bot_id: Some(1),
            method: method.to_owned(),
            params: Value::Null,
            chat_id: None,
            processed: true,
            ok: true,
            error_code: None,
            description: None,
            message_ids: Vec::new(),
            fault: None,
            handover: Handover::Pending,
        }
    }

    #[test]
    fn the_oldest_calls_are_dropped_and_polls_do_not_push_out_calls() {
        let mut calls = Calls::bounded(2);
        for method in ["getMe", "sendMessage", "getUpdates", "getUpdates", "getFile"] {
            calls.record(call(method));
        }
        let methods: Vec<String> =
            calls.list(&CallFilter::default()).into_iter().map(|call| call.method).collect();
        assert_eq!(methods, ["sendMessage", "getUpdates", "getUpdates", "getFile"]);
        let later = calls.list(&CallFilter { after: 4, ..CallFilter::default() });
        assert_eq!(later.len(), 1);
    }

    #[test]
    fn an_answer_nobody_took_is_abandoned() {
        let mut calls = Calls::bounded(2);
        drop(HandoverGuard::new(calls.record(call("getMe"))));
        HandoverGuard::new(calls.record(call("getMe"))).finish(Handover::Delivered);
        let handovers: Vec<Handover> =
            calls.list(&CallFilter::default()).into_iter().map(|call| call.handover).collect();
        assert_eq!(handovers, [Handover::Abandoned, Handover::Delivered]);
    }
}
