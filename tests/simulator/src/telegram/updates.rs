//! The queue of updates of one bot and the rules of confirming them. No I/O and no waiting here.
//!
//! One ordered map is the truth for both ways of delivery: a poll reads it and an offset empties it; a webhook empties
//! it update by update. Numbers are given when an update becomes deliverable, so that a scripted delay never looks
//! like a loss to a reader that confirms by offset.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Notify;

use super::answer::Refusal;

/// Unconfirmed updates are dropped after a day.
const KEPT_SECONDS: i64 = 24 * 3600;

const KINDS: [&str; 27] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "message_reaction",
    "message_reaction_count",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "purchased_paid_media",
    "managed_bot",
    "guest_message",
    "custom_event",
    "custom_query",
];
const NOT_BY_DEFAULT: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

#[derive(Debug)]
pub(super) struct Update {
    pub id: i64,
    /// Updates of one lane are posted to a webhook one after another.
    pub lane: i64,
    pub created_at: i64,
    /// The whole JSON object.
    pub body: String,
    /// Where it stands among updates that a fault shuffled.
    shuffled: Option<usize>,
}

/// An update that has no number yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub kind: String,
    pub chat: i64,
    /// The member named like the kind, as JSON text.
    pub payload: String,
    pub extra_copies: u32,
}

#[derive(Debug)]
pub(super) struct UpdateQueue {
    pending: BTreeMap<i64, Arc<Update>>,
    extra_copies: HashMap<i64, u32>,
    /// Copies that come again with the next answer, confirmed or not.
    echoes: Vec<Arc<Update>>,
    next_id: i64,
    /// `None` until a list was given; an empty list means the default.
    allowed: Option<HashSet<String>>,
    poll: u64,
    begun_polls: u64,
    pub arrived: Arc<Notify>,
    /// Held back by a scripted reorder until enough came together.
    pub held: Vec<Draft>,
}

impl UpdateQueue {
    pub fn starting_at(next_id: i64) -> Self {
        Self {
            pending: BTreeMap::new(),
            extra_copies: HashMap::new(),
            echoes: Vec::new(),
            next_id,
            allowed: None,
            poll: 0,
            begun_polls: 0,
            arrived: Arc::new(Notify::new()),
            held: Vec::new(),
        }
    }

    /// Whether the bot asked for this kind. Kinds the provider did not have when the list was made pass.
    pub fn is_allowed(&self, kind: &str) -> bool {
        match &self.allowed {
            _ if !KINDS.contains(&kind) => true,
            Some(allowed) if !allowed.is_empty() => allowed.contains(kind),
            _ => !NOT_BY_DEFAULT.contains(&kind),
        }
    }

    /// Remembers `allowed_updates`; names that are unknown are ignored.
    pub fn set_allowed(&mut self, list: Option<&Value>) -> Result<(), Refusal> {
        match list {
            None => Ok(()),
            Some(Value::Array(names)) => {
                let known = names.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase);
                self.allowed = Some(known.filter(|name| KINDS.contains(&name.as_str())).collect());
                Ok(())
            }
            Some(_) => {
                Err(Refusal::bad("can't parse allowed_updates: expected an Array of String"))
            }
        }
    }

    pub fn allowed_list(&self) -> Option<Vec<&String>> {
        self.allowed.as_ref().filter(|allowed| !allowed.is_empty()).map(|allowed| {
            let mut list: Vec<&String> = allowed.iter().collect();
            list.sort();
            list
        })
    }

    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn pending(&self) -> impl Iterator<Item = &Arc<Update>> {
        self.pending.values()
    }

    pub fn get(&self, id: i64) -> Option<&Arc<Update>> {
        self.pending.get(&id)
    }

    pub fn extra_copies(&mut self, id: i64) -> u32 {
        self.extra_copies.remove(&id).unwrap_or(0)
    }

    /// Numbers an update and makes it deliverable. `order` is its place among shuffled ones.
    pub fn push(&mut self, draft: &Draft, now: i64, order: Option<usize>) -> Arc<Update> {
        let id = self.next_id;
        self.next_id += 1;
        let body = format!("{{\"update_id\":{id},\"{}\":{}}}", draft.kind, draft.payload);
        // A shuffled update is held back by nobody.
        let lane = if order.is_some() { i64::MIN + id } else { draft.chat };
        let update = Arc::new(Update { id, lane, created_at: now, body, shuffled: order });
        if draft.extra_copies > 0 {
            self.extra_copies.insert(id, draft.extra_copies);
        }
        self.pending.insert(id, Arc::clone(&update));
        self.arrived.notify_waiters();
        update
    }

    /// Skips numbers, as after filtered kinds or a week of silence.
    pub fn skip_numbers(&mut self, count: i64) {
        self.next_id += count.max(0);
    }

    pub fn remove(&mut self, id: i64) {
        self.pending.remove(&id);
    }

    pub fn drop_all(&mut self) {
        self.pending.clear();
        self.extra_copies.clear();
        self.echoes.clear();
        self.held.clear();
    }

    /// Confirms by offset: everything below a positive one, everything but the last few for a negative one.
    pub fn confirm(&mut self, offset: i64, now: i64) {
        let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        while let Some((id, update)) = self.pending.first_key_value() {
            let outdated = update.created_at + KEPT_SECONDS < now;
            let confirmed = if offset < 0 { self.pending.len() > keep } else { *id < offset };
            if !outdated && !confirmed {
                return;
            }
            let id = *id;
            self.pending.remove(&id);
            self.extra_copies.remove(&id);
        }
    }

    /// What the next answer carries, without confirming anything.
    pub fn batch(&mut self, limit: usize) -> Vec<Arc<Update>> {
        let mut batch = std::mem::take(&mut self.echoes);
        let mut fresh: Vec<Arc<Update>> = self.pending.values().take(limit).cloned().collect();
        shuffle_marked(&mut fresh);
        for update in fresh {
            let extra = self.extra_copies.remove(&update.id).unwrap_or(0);
            if extra > 0 {
                self.echoes.push(Arc::clone(&update));
            }
            for _ in 1..extra {
                batch.push(Arc::clone(&update));
            }
            batch.push(update);
        }
        batch
    }

    /// A new poll: the one that waits is over.
    pub fn begin_poll(&mut self) -> u64 {
        self.interrupt_poll();
        self.begun_polls += 1;
        self.poll
    }

    pub fn begun_polls(&self) -> u64 {
        self.begun_polls
    }

    pub fn interrupt_poll(&mut self) {
        self.poll += 1;
        self.arrived.notify_waiters();
    }

    pub fn is_current_poll(&self, poll: u64) -> bool {
        self.poll == poll
    }
}

/// Puts the marked updates in the order of their marks; the others stay where they are.
fn shuffle_marked(updates: &mut [Arc<Update>]) {
    let places: Vec<usize> =
        (0..updates.len()).filter(|at| updates[*at].shuffled.is_some()).collect();
    let mut marked: Vec<Arc<Update>> = places.iter().map(|at| Arc::clone(&updates[*at])).collect();
    marked.sort_by_key(|update| update.shuffled);
    for (place, update) in places.into_iter().zip(marked) {
        updates[place] = update;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn queue_of(count: i64) -> UpdateQueue {
        let mut queue = UpdateQueue::starting_at(1);
        for chat in 0..count {
            queue.push(&draft(chat), 1000, None);
        }
        queue
    }

    fn draft(chat: i64) -> Draft {
        Draft { kind: "message".to_owned(), chat, payload: "{}".to_owned(), extra_copies: 0 }
    }

    fn ids(batch: &[Arc<Update>]) -> Vec<i64> {
        batch.iter().map(|update| update.id).collect()
    }

    #[test]
    fn an_offset_confirms_what_is_below_it_and_nothing_else() {
        let mut queue = queue_of(5);
        queue.confirm(0, 1000);
        assert_eq!(ids(&queue.batch(100)), [1, 2, 3, 4, 5]);
        queue.confirm(3, 1000);
        assert_eq!(ids(&queue.batch(2)), [3, 4]);
        assert_eq!(ids(&queue.batch(2)), [3, 4], "not confirmed, so it comes again");
        queue.confirm(100, 1000);
        assert!(queue.batch(100).is_empty());
    }

    #[test]
    fn a_negative_offset_takes_from_the_end_and_forgets_the_rest() {
        let mut queue = queue_of(5);
        queue.confirm(-2, 1000);
        assert_eq!(ids(&queue.batch(100)), [4, 5]);
    }

    #[test]
    fn updates_are_dropped_after_a_day() {
        let mut queue = queue_of(2);
        queue.confirm(0, 1000 + KEPT_SECONDS + 1);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn an_empty_list_of_kinds_means_all_but_three() {
        let mut queue = queue_of(0);
        queue.set_allowed(Some(&json!([]))).unwrap();
        assert!(queue.is_allowed("message") && !queue.is_allowed("message_reaction"));
        queue.set_allowed(Some(&json!(["message_reaction", "no_such_kind"]))).unwrap();
        assert!(!queue.is_allowed("message") && queue.is_allowed("message_reaction"));
        queue.set_allowed(None).unwrap();
        assert!(queue.is_allowed("message_reaction"), "an absent list changes nothing");
        assert!(queue.is_allowed("telepathy_event"), "a kind of the future");
    }

    #[test]
    fn a_copy_comes_again_even_after_it_was_confirmed() {
        let mut queue = queue_of(0);
        queue.push(&Draft { extra_copies: 2, ..draft(7) }, 1000, None);
        assert_eq!(ids(&queue.batch(100)), [1, 1]);
        queue.confirm(2, 1000);
        assert_eq!(ids(&queue.batch(100)), [1]);
        assert!(queue.batch(100).is_empty());
    }
}
