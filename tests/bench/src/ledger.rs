//! What was posted and what arrived: the one place where losses, doubles and disorder are counted.
//!
//! Every message carries a number of its own (its *sequence*) in its text; the log gives it an offset.
//! Every session checks that offsets come without a gap, once and in order. The first session of a place also
//! reads the sequences, so that every acknowledged message is looked for by its own number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::Semaphore;

const RELAXED: Ordering = Ordering::Relaxed;

/// What is always 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub disordered: u64,
}

impl Faults {
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {} / {}", self.lost, self.doubled, self.disordered)
    }
}

/// One message by its sequence.
#[derive(Debug, Default)]
struct Posted {
    at_ns: AtomicU64,
    /// Index of its event plus one.
    event: AtomicU32,
    acknowledged: AtomicU32,
}

/// One event by its offset.
#[derive(Debug, Default)]
struct Arrived {
    sessions: AtomicU32,
    last_ns: AtomicU64,
}

#[derive(Debug)]
pub struct Ledger {
    started: Instant,
    /// Offset before the first event.
    base: i64,
    sessions: u32,
    chats: u64,
    posted: Box<[Posted]>,
    arrived: Box<[Arrived]>,
    next: AtomicU64,
    completed: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
    /// How many more may be under way.
    pub window: Semaphore,
    faults: Mutex<Faults>,
}

impl Ledger {
    /// `window`: messages under way at once, from the post to the last session.
    pub fn new(base: i64, sessions: usize, chats: u64, capacity: usize, window: usize) -> Self {
        Self {
            started: Instant::now(),
            base,
            sessions: sessions as u32,
            chats,
            posted: (0..capacity).map(|_| Posted::default()).collect(),
            arrived: (0..capacity).map(|_| Arrived::default()).collect(),
            next: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            window: Semaphore::new(window),
            faults: Mutex::default(),
        }
    }

    pub fn now_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Takes the next sequence, posted now. `None`: the ledger is full.
    pub fn post(&self) -> Option<u64> {
        let sequence = self.next.fetch_add(1, RELAXED);
        let posted = self.posted.get(sequence as usize)?;
        posted.at_ns.store(self.now_ns(), RELAXED);
        Some(sequence)
    }

    pub fn acknowledge(&self, sequence: u64, accepted: bool) {
        if accepted {
            self.posted[sequence as usize].acknowledged.store(1, RELAXED);
        } else {
            self.refused.fetch_add(1, RELAXED);
        }
    }

    pub fn posted_count(&self) -> u64 {
        self.next.load(RELAXED).min(self.posted.len() as u64)
    }

    pub fn acknowledged_count(&self) -> u64 {
        let posted = &self.posted[..self.posted_count() as usize];
        posted.iter().map(|posted| u64::from(posted.acknowledged.load(RELAXED))).sum()
    }

    pub fn refused_count(&self) -> u64 {
        self.refused.load(RELAXED)
    }

    /// Messages that reached every session.
    pub fn completed_count(&self) -> u64 {
        self.completed.load(RELAXED)
    }

    /// Bytes of frames over all sessions.
    pub fn frame_bytes(&self) -> u64 {
        self.bytes.load(RELAXED)
    }

    fn arrive(&self, offset: i64, now_ns: u64) {
        let index = offset - self.base - 1;
        let Some(slot) = usize::try_from(index).ok().and_then(|index| self.arrived.get(index))
        else {
            return;
        };
        if slot.sessions.fetch_add(1, Ordering::AcqRel) + 1 == self.sessions {
            slot.last_ns.store(now_ns, Ordering::Release);
            self.completed.fetch_add(1, RELAXED);
            self.window.add_permits(1);
        }
    }

    fn fault(&self, lost: u64, doubled: u64, disordered: u64) {
        let mut faults = self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        faults.add(Faults { lost, doubled, disordered });
    }

    /// Nanoseconds from the post to the last session, of the messages in a range of sequences.
    pub fn latencies(&self, from: u64, to: u64) -> Vec<u64> {
        let mut latencies = Vec::new();
        for posted in &self.posted[from as usize..to as usize] {
            let Some(index) = posted.event.load(RELAXED).checked_sub(1) else { continue };
            let last = self.arrived[index as usize].last_ns.load(RELAXED);
            if last > 0 {
                latencies.push(last.saturating_sub(posted.at_ns.load(RELAXED)));
            }
        }
        latencies
    }

    /// The account, once everything posted had time to arrive. `ends`: the last offset each session saw.
    pub fn faults(&self, ends: &[i64]) -> Faults {
        let mut faults = *self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut acknowledged = 0;
        for posted in &self.posted[..self.posted_count() as usize] {
            if posted.acknowledged.load(RELAXED) == 1 {
                acknowledged += 1;
                if posted.event.load(RELAXED) == 0 {
                    faults.lost += 1;
                }
            }
        }
        for end in ends {
            faults.lost += (self.base + acknowledged).saturating_sub(*end).max(0) as u64;
        }
        faults
    }
}

/// What one session has seen.
#[derive(Debug)]
pub struct Reader {
    last: i64,
    /// Last sequence of each chat; only with the session that reads sequences.
    chats: Option<Vec<u64>>,
}

impl Reader {
    pub fn new(ledger: &Ledger, offset: i64, reads_sequences: bool) -> Self {
        Self { last: offset, chats: reads_sequences.then(|| vec![0; ledger.chats as usize]) }
    }

    pub fn last(&self) -> i64 {
        self.last
    }

    /// Takes a text frame.
    pub fn take(&mut self, ledger: &Ledger, frame: &[u8], now_ns: u64) {
        if !frame.starts_with(br#"{"type":"events""#) {
            if frame.starts_with(br#"{"type":"watching""#) {
                // Told to start anew: whatever lies between is lost to this session.
                ledger.fault(1, 0, 0);
            }
            return;
        }
        ledger.bytes.fetch_add(frame.len() as u64, RELAXED);
        let mut rest = frame;
        // An object that begins with its offset is an event; the position of the frame begins with its epoch.
        while let Some(at) = memchr::memmem::find(rest, br#"{"offset":"#) {
            rest = &rest[at + 10..];
            let offset = number(rest);
            if offset == self.last + 1 {
                self.last = offset;
            } else if offset <= self.last {
                ledger.fault(0, 1, 0);
                continue;
            } else {
                ledger.fault((offset - self.last - 1) as u64, 0, 0);
                self.last = offset;
            }
            if let Some(chats) = &mut self.chats {
                read_sequence(ledger, chats, offset, rest);
            }
            ledger.arrive(offset, now_ns);
        }
    }
}

fn read_sequence(ledger: &Ledger, chats: &mut [u64], offset: i64, event: &[u8]) {
    let marker = br#""text":"b"#;
    let Some(at) = memchr::memmem::find(event, marker) else { return };
    let sequence = number(&event[at + marker.len()..]) as u64;
    let Some(posted) = ledger.posted.get(sequence as usize) else { return };
    if posted.event.swap((offset - ledger.base) as u32, RELAXED) != 0 {
        ledger.fault(0, 1, 0);
    }
    let last = &mut chats[(sequence % ledger.chats) as usize];
    if sequence + 1 < *last {
        ledger.fault(0, 0, 1);
    }
    *last = (*last).max(sequence + 1);
}

/// The digits at the beginning.
pub fn number(text: &[u8]) -> i64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: i64, digit| number.wrapping_mul(10) + i64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(events: &[(i64, u64)]) -> Vec<u8> {
        let events: Vec<String> = events
            .iter()
            .map(|(offset, sequence)| {
                format!(r#"{{"offset":{offset},"message":{{"text":"b{sequence} hello"}}}}"#)
            })
            .collect();
        let head =
            r#"{"type":"events","company_id":1,"position":{"epoch":"e","offset":9},"events":["#;
        format!("{head}{}]}}", events.join(",")).into_bytes()
    }

    fn ledger_with(posts: u64) -> Ledger {
        let ledger = Ledger::new(10, 1, 4, 100, 8);
        for _ in 0..posts {
            let sequence = ledger.post().unwrap();
            ledger.acknowledge(sequence, true);
        }
        ledger
    }

    #[test]
    fn what_arrives_once_and_in_order_is_no_fault() {
        let ledger = ledger_with(3);
        let mut reader = Reader::new(&ledger, 10, true);
        reader.take(&ledger, &frame(&[(11, 0), (12, 2)]), 5);
        reader.take(&ledger, &frame(&[(13, 1)]), 6);
        assert_eq!(ledger.faults(&[reader.last()]), Faults::default());
        assert_eq!(ledger.completed_count(), 3);
        assert_eq!(ledger.latencies(0, 3).len(), 3);
    }

    #[test]
    fn a_gap_and_a_missing_end_are_losses() {
        let ledger = ledger_with(3);
        let mut reader = Reader::new(&ledger, 10, true);
        reader.take(&ledger, &frame(&[(11, 0), (13, 2)]), 5);
        // Once by its offset, once by its own number.
        assert_eq!(ledger.faults(&[reader.last()]).lost, 2);
        let ledger = ledger_with(2);
        let mut reader = Reader::new(&ledger, 10, false);
        reader.take(&ledger, &frame(&[(11, 0)]), 5);
        assert!(ledger.faults(&[reader.last()]).lost > 0);
    }

    #[test]
    fn an_event_or_a_message_that_comes_twice_is_doubled() {
        let ledger = ledger_with(2);
        let mut reader = Reader::new(&ledger, 10, true);
        reader.take(&ledger, &frame(&[(11, 0), (11, 0), (12, 1)]), 5);
        assert_eq!(ledger.faults(&[reader.last()]).doubled, 1);
        let ledger = ledger_with(1);
        let mut reader = Reader::new(&ledger, 10, true);
        reader.take(&ledger, &frame(&[(11, 0), (12, 0)]), 5);
        assert_eq!(ledger.faults(&[reader.last()]).doubled, 1);
    }

    #[test]
    fn an_older_message_of_a_chat_behind_a_newer_one_is_disorder() {
        let ledger = ledger_with(5);
        let mut reader = Reader::new(&ledger, 10, true);
        reader.take(&ledger, &frame(&[(11, 4), (12, 0), (13, 1), (14, 2), (15, 3)]), 5);
        assert_eq!(ledger.faults(&[reader.last()]).disordered, 1);
    }
}
