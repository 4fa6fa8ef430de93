//! One company's log on this node, while somebody here watches it.
//!
//! The tail reads the log behind its head, in order and without a gap, encodes what it read once and
//! keeps the latest of it in a ring, bounded in frames and bytes. Nothing is pushed into connections:
//! the tail moves the head and rings, and each connection takes what lies between its own position and
//! the head, from the ring or, when the ring has forgotten it, from the log itself. So what is "live"
//! and what is "catching up" differ only in where the bytes come from.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use hub_domain::{ChannelId, CompanyId, MemberId, Scope};
use hub_store::records::StreamRow;
use hub_store::{Reader, Store, StoreError};
use tokio::sync::{Notify, OnceCell};

use super::bell::Bell;
use super::protocol::{Chunk, ServerFrame};
use crate::bus::Passing;

/// Events read at once.
pub const PAGE_EVENTS: i64 = 128;
/// Passing things kept for connections that are slower than the others; the rest is forgotten.
const PASSING: usize = 64;
/// Waits after the log could not be read.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a node remembers of a log.
#[derive(Debug, Clone, Copy)]
pub struct RingLimits {
    pub frames: usize,
    pub bytes: usize,
}

/// A connection's place among those that watch a stream.
#[derive(Debug)]
pub struct Watcher {
    pub bell: Arc<Bell>,
    scope: Mutex<Arc<Scope>>,
    ended: AtomicBool,
    rescoped: AtomicBool,
}

impl Watcher {
    pub fn new(bell: Arc<Bell>, scope: Scope) -> Self {
        Self {
            bell,
            scope: Mutex::new(Arc::new(scope)),
            ended: AtomicBool::new(false),
            rescoped: AtomicBool::new(false),
        }
    }

    pub fn scope(&self) -> Arc<Scope> {
        Arc::clone(&hold(&self.scope))
    }

    /// What the member may see now; `None`: the membership ended.
    pub fn revise(&self, scope: Option<&Scope>) {
        match scope {
            None => self.ended.store(true, Ordering::Relaxed),
            Some(scope) => {
                let mut held = hold(&self.scope);
                if **held == *scope {
                    return;
                }
                if held.visibility != scope.visibility {
                    // Events that were left out until now are behind the position.
                    self.rescoped.store(true, Ordering::Relaxed);
                }
                *held = Arc::new(scope.clone());
            }
        }
        self.bell.ring();
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub fn take_rescoped(&self) -> bool {
        self.rescoped.load(Ordering::Relaxed) && self.rescoped.swap(false, Ordering::Relaxed)
    }
}

/// Something passing, encoded once.
#[derive(Debug)]
pub struct Passed {
    pub frame: Utf8Bytes,
    pub channel_id: Option<ChannelId>,
    /// Whoever did it; `None`: a client.
    pub member_id: Option<MemberId>,
}

/// Where a stream stands.
#[derive(Debug, Clone)]
pub struct Head {
    pub epoch: Arc<str>,
    pub offset: i64,
    /// Rises when the log is not the one it was: whoever holds another number starts anew.
    pub generation: u64,
}

/// What comes next for whoever stands at an offset.
#[derive(Debug)]
pub enum Next {
    /// Nothing: it is the end.
    Current,
    /// These, in order.
    Chunks,
    /// Not in the ring: the log has it, through this offset.
    Read(Head),
    /// The log is another one; start from here.
    Reset(Head),
}

#[derive(Debug)]
struct Memory {
    head: Head,
    chunks: VecDeque<Arc<Chunk>>,
    bytes: usize,
    passing: VecDeque<Arc<Passed>>,
    /// How many have passed.
    passed: u64,
}

#[derive(Debug)]
pub struct Stream {
    pub company_id: CompanyId,
    limits: RingLimits,
    started: OnceCell<()>,
    memory: Mutex<Memory>,
    /// By number of the connection. Not under the lock of `memory`: whoever is rung wants that one.
    watchers: Mutex<HashMap<u64, Arc<Watcher>>>,
    wake: Notify,
    hinted: AtomicI64,
    /// The log may be another one: compare before reading on.
    suspect: AtomicBool,
    ended: AtomicBool,
}

/// A lock whose holder cannot leave it half changed.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    pub fn new(company_id: CompanyId, limits: RingLimits) -> Self {
        let head = Head { epoch: Arc::from(""), offset: 0, generation: 0 };
        Self {
            company_id,
            limits,
            started: OnceCell::new(),
            memory: Mutex::new(Memory {
                head,
                chunks: VecDeque::new(),
                bytes: 0,
                passing: VecDeque::new(),
                passed: 0,
            }),
            watchers: Mutex::new(HashMap::new()),
            wake: Notify::new(),
            hinted: AtomicI64::new(0),
            suspect: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Reads where the log ends, once; everything after it will be told.
    pub async fn start(&self, store: &Store) -> Result<(), StoreError> {
        let read = async {
            let mut reader = store.reader().await?;
            let row = self.row(&mut reader).await?;
            self.begin_at(&row);
            Ok::<_, StoreError>(())
        };
        self.started.get_or_try_init(|| read).await?;
        Ok(())
    }

    async fn row(&self, reader: &mut Reader) -> Result<StreamRow, StoreError> {
        let row = reader.db().company_stream(self.company_id).await?;
        row.ok_or_else(|| StoreError::inconsistent(format!("company {} has gone", self.company_id)))
    }

    fn begin_at(&self, row: &StreamRow) {
        let mut memory = hold(&self.memory);
        memory.head = Head {
            epoch: Arc::from(row.epoch.as_str()),
            offset: row.event_offset,
            generation: memory.head.generation + 1,
        };
        memory.chunks.clear();
        memory.bytes = 0;
        drop(memory);
        self.hinted.fetch_max(row.event_offset, Ordering::Relaxed);
    }

    pub fn head(&self) -> Head {
        hold(&self.memory).head.clone()
    }

    pub fn add(&self, number: u64, watcher: Arc<Watcher>) {
        hold(&self.watchers).insert(number, watcher);
    }

    /// Takes a connection away; `true` when nobody is left.
    pub fn remove(&self, number: u64) -> bool {
        let mut watchers = hold(&self.watchers);
        watchers.remove(&number);
        watchers.is_empty()
    }

    pub fn watchers(&self) -> Vec<Arc<Watcher>> {
        hold(&self.watchers).values().map(Arc::clone).collect()
    }

    fn ring(&self) {
        for watcher in hold(&self.watchers).values() {
            watcher.bell.ring();
        }
    }

    /// The log reaches `offset`.
    pub fn hint(&self, offset: i64) {
        if self.hinted.fetch_max(offset, Ordering::Relaxed) < offset {
            self.wake.notify_one();
        }
    }

    /// What a sweep found, perhaps older than what the tail knows.
    pub fn observe(&self, row: &StreamRow) {
        let head = self.head();
        if *head.epoch != *row.epoch || row.event_offset < head.offset {
            self.suspect.store(true, Ordering::Relaxed);
            self.wake.notify_one();
        } else if row.event_offset > head.offset {
            self.hinted.fetch_max(row.event_offset, Ordering::Relaxed);
            self.wake.notify_one();
        }
    }

    /// Ends the tail.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// The tail: follows the log until the stream ends.
    pub async fn follow(&self, store: Store) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.wake.notified().await;
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = self.read(&store).await {
                tracing::warn!(error = %error, company.id = %self.company_id, "the log cannot be read");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                self.wake.notify_one();
            } else {
                pause = FIRST_PAUSE;
            }
        }
    }

    async fn read(&self, store: &Store) -> Result<(), StoreError> {
        self.start(store).await?;
        let mut reader = store.reader().await?;
        if self.suspect.swap(false, Ordering::Relaxed) {
            self.compare(&mut reader).await?;
        }
        loop {
            let head = self.head();
            if self.hinted.load(Ordering::Relaxed) <= head.offset {
                return Ok(());
            }
            let rows = reader
                .db()
                .events_after(self.company_id, head.offset, i64::MAX, PAGE_EVENTS)
                .await?;
            let contiguous =
                (head.offset + 1..).zip(&rows).all(|(offset, row)| row.offset == offset);
            if rows.is_empty() || !contiguous {
                // Pruned or replaced behind our back, or the hint was wrong.
                if self.compare(&mut reader).await? && !contiguous {
                    return Err(StoreError::inconsistent("the log has a gap"));
                }
                return Ok(());
            }
            self.keep(head.generation, Chunk::encode(self.company_id, &head.epoch, &rows));
            self.ring();
        }
    }

    /// Looks whether the log goes on from our head; if not, starts anew and says `false`.
    async fn compare(&self, reader: &mut Reader) -> Result<bool, StoreError> {
        let hinted = self.hinted.load(Ordering::Relaxed);
        let row = self.row(reader).await?;
        let head = self.head();
        let same = *head.epoch == *row.epoch
            && (row.pruned_offset..=row.event_offset).contains(&head.offset);
        if same {
            // Unless somebody knows more by now, the log ends where the row says.
            let _ = self.hinted.compare_exchange(
                hinted,
                row.event_offset,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        } else {
            tracing::warn!(
                company.id = %self.company_id, head = head.offset, end = row.event_offset,
                "the log is not the one that was followed; its watchers reload"
            );
            self.hinted.store(row.event_offset, Ordering::Relaxed);
            self.begin_at(&row);
            self.ring();
        }
        Ok(same)
    }

    /// The log as it is now, and the generation of this stream that it belongs to.
    pub async fn log(&self, store: &Store) -> Result<(StreamRow, u64), StoreError> {
        let mut reader = store.reader().await?;
        for _ in 0..3 {
            let head = self.head();
            let row = self.row(&mut reader).await?;
            if *head.epoch == *row.epoch {
                self.hint(row.event_offset);
                return Ok((row, head.generation));
            }
            self.compare(&mut reader).await?;
        }
        Err(StoreError::inconsistent(format!(
            "the log of company {} changes its epoch all the time",
            self.company_id
        )))
    }

    fn keep(&self, generation: u64, chunks: Vec<Chunk>) {
        let mut memory = hold(&self.memory);
        if memory.head.generation != generation {
            return;
        }
        for chunk in chunks {
            memory.head.offset = chunk.through;
            memory.bytes += chunk.bytes();
            memory.chunks.push_back(Arc::new(chunk));
        }
        while memory.chunks.len() > self.limits.frames || memory.bytes > self.limits.bytes {
            let Some(forgotten) = memory.chunks.pop_front() else { break };
            memory.bytes -= forgotten.bytes();
        }
    }

    /// What follows `cursor`; chunks go into `taken`, at most `most` bytes and one.
    pub fn next(
        &self,
        cursor: i64,
        generation: u64,
        most: usize,
        taken: &mut Vec<Arc<Chunk>>,
    ) -> Next {
        let memory = hold(&self.memory);
        if memory.head.generation != generation {
            return Next::Reset(memory.head.clone());
        }
        if memory.head.offset <= cursor {
            return Next::Current;
        }
        let Ok(first) = memory.chunks.binary_search_by_key(&cursor, |chunk| chunk.after) else {
            return Next::Read(memory.head.clone());
        };
        let mut bytes = 0;
        for chunk in memory.chunks.range(first..) {
            taken.push(Arc::clone(chunk));
            bytes += chunk.bytes();
            if bytes >= most {
                break;
            }
        }
        Next::Chunks
    }

    /// Shows something passing to those who watch.
    pub fn pass(&self, passing: Passing) {
        let member_id = passing.ephemeral.member_id();
        let Passing { company_id, channel_id, ephemeral } = passing;
        let frame = ServerFrame::Ephemeral { company_id, ephemeral }.encode();
        let mut memory = hold(&self.memory);
        if memory.passing.len() >= PASSING {
            memory.passing.pop_front();
        }
        memory.passing.push_back(Arc::new(Passed { frame, channel_id, member_id }));
        memory.passed += 1;
        drop(memory);
        self.ring();
    }

    /// What passed after the first `seen`, and how many have passed.
    pub fn passed_after(&self, seen: u64) -> (Vec<Arc<Passed>>, u64) {
        let memory = hold(&self.memory);
        let kept = memory.passing.len();
        let missed = usize::try_from(memory.passed.saturating_sub(seen)).unwrap_or(kept);
        let from = kept.saturating_sub(missed);
        (memory.passing.range(from..).map(Arc::clone).collect(), memory.passed)
    }
}
