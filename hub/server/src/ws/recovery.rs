//! Where a client goes on: whether its position can be followed, and the following itself.
//!
//! A [`Follower`] is a cursor in one company's log. It is the only way events get to a connection,
//! whether they are a week or a millisecond old. The rule it keeps: each offset once, in order, and
//! when that cannot be, an honest `recovered: false` instead of a gap.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use hub_domain::{CompanyId, StreamPosition};
use hub_store::records::StreamRow;
use hub_store::{Store, StoreError};

use super::fanout::Watching;
use super::protocol::{Chunk, ServerFrame};
use super::stream::{Head, Next, PAGE_EVENTS};

/// What becomes of a client's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Everything after this offset follows.
    From(i64),
    /// It cannot, or was not asked to: events follow from the end.
    Reload,
}

/// Whether the log can be followed from `position`.
pub fn recover(log: &StreamRow, position: Option<&StreamPosition>, max_events: i64) -> Recovery {
    let Some(position) = position else { return Recovery::Reload };
    let inside = (log.pruned_offset..=log.event_offset).contains(&position.offset);
    if position.epoch == log.epoch && inside && log.event_offset - position.offset <= max_events {
        Recovery::From(position.offset)
    } else {
        Recovery::Reload
    }
}

/// Frames on their way out.
#[derive(Debug, Default)]
pub struct Outbox {
    pub frames: Vec<Utf8Bytes>,
    pub bytes: usize,
    pub events: u64,
}

impl Outbox {
    pub fn push(&mut self, frame: Utf8Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }
}

/// How far a follower got.
#[derive(Debug)]
pub enum Step {
    /// Nothing is left.
    Current,
    /// Something went into the outbox; there may be more.
    Took,
    /// The rest has to be read: [`Follower::read`].
    Read(Head),
    /// The connection is too far behind to be waited for.
    TooSlow,
    /// The membership ended.
    Ended,
}

/// A cursor in a company's log.
#[derive(Debug)]
pub struct Follower {
    watching: Watching,
    cursor: i64,
    generation: u64,
    /// How many passing things it has seen go by.
    seen: u64,
}

impl Follower {
    /// `log` was read after `watching` began: so what was written in between is in the one or told
    /// to the other.
    pub fn new(
        watching: Watching,
        (log, generation): (&StreamRow, u64),
        position: Option<&StreamPosition>,
        max_events: i64,
    ) -> (Self, ServerFrame) {
        let (cursor, recovered) = match recover(log, position, max_events) {
            Recovery::From(offset) => (offset, true),
            Recovery::Reload => (log.event_offset, false),
        };
        watching.count_recovery(recovered);
        let company_id = watching.stream.company_id;
        let position = StreamPosition { epoch: log.epoch.clone(), offset: cursor };
        let (_, seen) = watching.stream.passed_after(u64::MAX);
        let follower = Self { watching, cursor, generation, seen };
        let end = log.event_offset;
        (follower, ServerFrame::Watching { company_id, recovered, position, end })
    }

    pub fn company_id(&self) -> CompanyId {
        self.watching.stream.company_id
    }

    pub fn watching(&self) -> &Watching {
        &self.watching
    }

    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Puts what comes next into `out`, about `most` bytes, without waiting for anything.
    pub fn take(&mut self, out: &mut Outbox, most: usize, max_lag: i64) -> Step {
        let watcher = &self.watching.watcher;
        if watcher.has_ended() {
            return Step::Ended;
        }
        if watcher.take_rescoped() {
            let head = self.watching.stream.head();
            self.reset(&head, out);
        }
        let mut chunks = Vec::new();
        match self.watching.stream.next(self.cursor, self.generation, most, &mut chunks) {
            Next::Current => Step::Current,
            Next::Chunks => {
                self.put(&chunks, out);
                Step::Took
            }
            Next::Read(head) if head.offset - self.cursor > max_lag => Step::TooSlow,
            Next::Read(head) => Step::Read(head),
            Next::Reset(head) => {
                self.reset(&head, out);
                Step::Took
            }
        }
    }

    /// Reads a page of the log, never beyond the head: so that it ends where a chunk of the ring does.
    pub async fn read(
        &mut self,
        store: &Store,
        head: &Head,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let company = self.company_id();
        let mut reader = store.reader().await?;
        let rows = reader.db().events_after(company, self.cursor, head.offset, PAGE_EVENTS).await?;
        drop(reader);
        let contiguous = (self.cursor + 1..).zip(&rows).all(|(offset, row)| row.offset == offset);
        if rows.is_empty() || !contiguous {
            // Pruned since.
            let head = self.watching.stream.head();
            self.reset(&head, out);
            return Ok(());
        }
        let chunks: Vec<_> =
            Chunk::encode(company, &head.epoch, &rows).into_iter().map(Arc::new).collect();
        self.put(&chunks, out);
        Ok(())
    }

    fn put(&mut self, chunks: &[Arc<Chunk>], out: &mut Outbox) {
        let scope = self.watching.watcher.scope();
        for chunk in chunks {
            debug_assert_eq!(chunk.after, self.cursor);
            out.push(chunk.frame_for(&scope));
            out.events += chunk.event_count();
            self.cursor = chunk.through;
        }
    }

    fn reset(&mut self, head: &Head, out: &mut Outbox) {
        self.cursor = head.offset;
        self.generation = head.generation;
        let position = StreamPosition { epoch: head.epoch.to_string(), offset: head.offset };
        let company_id = self.company_id();
        let end = head.offset;
        out.push(ServerFrame::Watching { company_id, recovered: false, position, end }.encode());
        self.watching.count_recovery(false);
    }

    /// Puts what colleagues do at this moment into `out`.
    pub fn take_passing(&mut self, out: &mut Outbox) {
        let (passed, seen) = self.watching.stream.passed_after(self.seen);
        self.seen = seen;
        if passed.is_empty() {
            return;
        }
        let scope = self.watching.watcher.scope();
        for passed in passed {
            if passed.member_id != Some(scope.member_id) && scope.sees_channel(passed.channel_id) {
                out.push(passed.frame.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> StreamRow {
        StreamRow { id: 7, epoch: "a".to_owned(), event_offset: 100, pruned_offset: 10 }
    }

    fn recovered(epoch: &str, offset: i64, max_events: i64) -> Recovery {
        let position = StreamPosition { epoch: epoch.to_owned(), offset };
        recover(&log(), Some(&position), max_events)
    }

    #[test]
    fn a_position_inside_the_log_is_followed() {
        assert_eq!(recovered("a", 40, 1000), Recovery::From(40));
        assert_eq!(recovered("a", 100, 1000), Recovery::From(100));
        assert_eq!(recovered("a", 10, 1000), Recovery::From(10), "event 11 is still there");
    }

    #[test]
    fn a_position_that_cannot_be_followed_means_reloading() {
        assert_eq!(recover(&log(), None, 1000), Recovery::Reload);
        assert_eq!(recovered("b", 40, 1000), Recovery::Reload, "another epoch");
        assert_eq!(recovered("a", 9, 1000), Recovery::Reload, "pruned");
        assert_eq!(recovered("a", 101, 1000), Recovery::Reload, "ahead of the log");
        assert_eq!(recovered("a", 49, 50), Recovery::Reload, "too far behind");
        assert_eq!(recovered("a", 50, 50), Recovery::From(50));
        assert_eq!(recovered("a", i64::MIN, 50), Recovery::Reload);
        assert_eq!(recovered("a", i64::MAX, 50), Recovery::Reload);
    }
}
