//! Operators at their browsers: WebSocket clients that read frames with as little work as possible.
//!
//! The frames of a server are not masked, so reading one is finding its length. Nothing is copied but
//! what a read left incomplete.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::ledger::{Ledger, Reader, number};

const OPENED_AT_ONCE: usize = 50;
/// A server that hears nothing for long closes; this is often enough.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Receive buffer of sessions that do not read.
const SLOW_BUFFER_BYTES: u32 = 8 * 1024;

/// Where sessions connect.
#[derive(Debug, Clone)]
pub struct Door {
    pub address: SocketAddr,
    pub path: &'static str,
    /// Whole lines.
    pub headers: String,
    pub company: i64,
}

/// A connection that watches, and has not begun to read.
struct Opened {
    stream: TcpStream,
    offset: i64,
    rest: Vec<u8>,
}

pub struct Sessions {
    opened: Vec<Opened>,
    slow: Vec<TcpStream>,
}

async fn open(door: Door, slow: bool) -> anyhow::Result<Opened> {
    let socket = TcpSocket::new_v4()?;
    if slow {
        socket.set_recv_buffer_size(SLOW_BUFFER_BYTES)?;
    }
    let mut stream = socket.connect(door.address).await.context("a session cannot connect")?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
        door.path, door.address, door.headers
    );
    stream.write_all(request.as_bytes()).await?;
    let mut rest = Vec::with_capacity(4096);
    let head_end = loop {
        if stream.read_buf(&mut rest).await? == 0 {
            bail!("a session was turned away");
        }
        if let Some(at) = memchr::memmem::find(&rest, b"\r\n\r\n") {
            break at + 4;
        }
    };
    if !rest.starts_with(b"HTTP/1.1 101") {
        bail!("a session was refused: {}", String::from_utf8_lossy(&rest[..head_end.min(64)]));
    }
    rest.drain(..head_end);
    let watch = format!(r#"{{"type":"watch","company_id":{},"position":null}}"#, door.company);
    stream.write_all(&masked(0x1, watch.as_bytes())).await?;
    loop {
        while let Some((opcode, start, end)) = frame_in(&rest) {
            let payload = rest[start..end].to_vec();
            rest.drain(..end);
            if opcode == 0x8 {
                bail!("a session was closed: {}", String::from_utf8_lossy(&payload));
            }
            if payload.starts_with(br#"{"type":"watching""#) {
                let at = memchr::memmem::rfind(&payload, br#""offset":"#).context("no position")?;
                return Ok(Opened { stream, offset: number(&payload[at + 9..]), rest });
            }
        }
        if stream.read_buf(&mut rest).await? == 0 {
            bail!("a session ended before it watched");
        }
    }
}

/// A frame of a client, with an empty mask.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// The first whole frame: opcode and the range of its payload.
fn frame_in(input: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, short) = (input.first()? & 0x0f, input.get(1)? & 0x7f);
    let (start, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(input.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(input.get(2..10)?.try_into().ok()?) as usize),
        _ => (2, usize::from(short)),
    };
    (input.len() >= start + length).then_some((opcode, start, start + length))
}

impl Sessions {
    /// Opens `count` sessions, spread over the doors, and `slow` more that will never read.
    pub async fn open(doors: &[Door], count: usize, slow: usize) -> anyhow::Result<Self> {
        let mut sessions = Self { opened: Vec::with_capacity(count), slow: Vec::new() };
        sessions.open_more(doors, count).await?;
        for _ in 0..slow {
            sessions.slow.push(open(doors[0].clone(), true).await?.stream);
        }
        Ok(sessions)
    }

    pub async fn open_more(&mut self, doors: &[Door], count: usize) -> anyhow::Result<()> {
        let (mut opening, mut wanted) = (JoinSet::new(), 0);
        for done in 0..count {
            while wanted < count && wanted < done + OPENED_AT_ONCE {
                opening.spawn(open(doors[wanted % doors.len()].clone(), false));
                wanted += 1;
            }
            let opened = opening.join_next().await.context("a session is missing")?;
            self.opened.push(opened??);
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.opened.len()
    }

    /// Begins to read. Nothing may be posted before.
    pub fn read(self, chats: u64, capacity: usize, window: usize) -> anyhow::Result<Reading> {
        let base = self.opened.first().context("no session")?.offset;
        if self.opened.iter().any(|opened| opened.offset != base) {
            bail!("the sessions stand at different places of the log");
        }
        let ledger = Arc::new(Ledger::new(base, self.opened.len(), chats, capacity, window));
        let mut reading = Reading {
            ledger: Arc::clone(&ledger),
            ends: Vec::new(),
            tasks: JoinSet::new(),
            ended: Arc::new(AtomicU64::new(0)),
            stop: Arc::new(AtomicBool::new(false)),
            streams: Arc::default(),
            slow: self.slow,
        };
        let mut streams = Vec::new();
        for (index, opened) in self.opened.into_iter().enumerate() {
            let end = Arc::new(AtomicI64::new(base));
            reading.ends.push(Arc::clone(&end));
            let stream = Arc::new(opened.stream);
            streams.push(Arc::clone(&stream));
            let reader = Reader::new(&ledger, base, index == 0);
            let (ledger, ended) = (Arc::clone(&ledger), Arc::clone(&reading.ended));
            reading.tasks.spawn(async move {
                follow(stream, opened.rest, reader, &ledger, &end).await;
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        *reading.streams.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = streams;
        let (streams, stop) = (Arc::clone(&reading.streams), Arc::clone(&reading.stop));
        reading.tasks.spawn(async move {
            let frame = masked(0x1, br#"{"type":"heartbeat"}"#);
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(HEARTBEAT).await;
                for stream in
                    streams.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter()
                {
                    // A full socket belongs to a server that is busy with us.
                    let _ = stream.try_write(&frame);
                }
            }
        });
        Ok(reading)
    }
}

/// Sessions that read.
pub struct Reading {
    pub ledger: Arc<Ledger>,
    ends: Vec<Arc<AtomicI64>>,
    tasks: JoinSet<()>,
    ended: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<Arc<TcpStream>>>>,
    slow: Vec<TcpStream>,
}

impl Reading {
    /// Where every session stands.
    pub fn ends(&self) -> Vec<i64> {
        self.ends.iter().map(|end| end.load(Ordering::Relaxed)).collect()
    }

    /// Sessions that the server ended.
    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Reads what the sessions that do not read were sent, to its end: how many of them were closed.
    pub async fn drain_slow(&mut self) -> usize {
        let mut closed = 0;
        let mut buffer = vec![0; 256 * 1024];
        for stream in &mut self.slow {
            let drained = tokio::time::timeout(Duration::from_secs(2), async {
                while let Ok(read) = stream.read(&mut buffer).await {
                    if read == 0 {
                        break;
                    }
                }
            });
            // No end within the time: it was kept.
            closed += usize::from(drained.await.is_ok());
        }
        closed
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn follow(
    stream: Arc<TcpStream>,
    mut rest: Vec<u8>,
    mut reader: Reader,
    ledger: &Ledger,
    end: &AtomicI64,
) {
    // The buffer is on loan for one read only, so that idle sessions hold none.
    thread_local! {
        static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; 256 * 1024]);
    }
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        let open = BUFFER.with_borrow_mut(|buffer| {
            loop {
                match stream.try_read(buffer) {
                    Ok(0) => return false,
                    Ok(read) => {
                        let now_ns = ledger.now_ns();
                        let go_on = if rest.is_empty() {
                            take_frames(&buffer[..read], &mut rest, &mut reader, ledger, now_ns)
                        } else {
                            rest.extend_from_slice(&buffer[..read]);
                            let whole = std::mem::take(&mut rest);
                            take_frames(&whole, &mut rest, &mut reader, ledger, now_ns)
                        };
                        end.store(reader.last(), Ordering::Relaxed);
                        if !go_on {
                            return false;
                        }
                        if read < buffer.len() {
                            return true;
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return true,
                    Err(_) => return false,
                }
            }
        });
        if !open {
            return;
        }
    }
}

/// `false`: the server closed.
fn take_frames(
    mut input: &[u8],
    rest: &mut Vec<u8>,
    reader: &mut Reader,
    ledger: &Ledger,
    now_ns: u64,
) -> bool {
    while let Some((opcode, start, end)) = frame_in(input) {
        match opcode {
            0x1 => reader.take(ledger, &input[start..end], now_ns),
            0x8 => return false,
            _ => {}
        }
        input = &input[end..];
    }
    rest.clear();
    rest.extend_from_slice(input);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_found_whole() {
        let mut input = vec![0x81, 5];
        input.extend_from_slice(b"hello");
        assert_eq!(frame_in(&input), Some((1, 2, 7)));
        assert_eq!(frame_in(&input[..6]), None);
        let mut input = vec![0x81, 126, 1, 0];
        assert_eq!(frame_in(&input), None);
        input.resize(4 + 256, b'x');
        assert_eq!(frame_in(&input), Some((1, 4, 260)));
        let mut input = vec![0x88, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        input.resize(10 + 65536, b'x');
        assert_eq!(frame_in(&input), Some((8, 10, 10 + 65536)));
    }

    #[test]
    fn an_incomplete_frame_waits_for_the_rest() {
        let ledger = Ledger::new(0, 1, 1, 10, 1);
        let mut reader = Reader::new(&ledger, 0, false);
        let text =
            br#"{"type":"events","position":{"epoch":"e","offset":1},"events":[{"offset":1}]}"#;
        let mut input = vec![0x81, text.len() as u8];
        input.extend_from_slice(text);
        let mut rest = Vec::new();
        assert!(take_frames(&input[..20], &mut rest, &mut reader, &ledger, 1));
        assert_eq!(reader.last(), 0);
        let mut whole = std::mem::take(&mut rest);
        whole.extend_from_slice(&input[20..]);
        assert!(take_frames(&whole, &mut rest, &mut reader, &ledger, 1));
        assert_eq!(reader.last(), 1);
        assert!(rest.is_empty());
    }
}
