//! The bare limit: the least a hub of this kind can do, made of the same crates.
//!
//! HTTP POST in, group commit into one table of the same engine under the same settings, one shared
//! frame out to the same WebSockets: each post is one row, one statement and one frame. With
//! `--whole-commits` what was committed together is one statement and one frame, which is where the
//! product's own batches come near to. It reads nothing of what it is given, knows no companies, no
//! members and no order within a chat. It runs as a process of its own (`hub-bench limit`), so that its
//! processor time and memory can be compared with the product's.

use std::io::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use clap::Args;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

/// Most posts of one commit, as the product's writer takes.
const BATCH: usize = 256;
/// Size at which the product closes a frame.
const FRAME_BYTES: usize = 32 * 1024;

#[derive(Debug, Args)]
pub struct LimitArguments {
    /// `sqlite:PATH` or `postgres://...`
    #[arg(long)]
    pub database: String,
    /// SQLite: `full` or `normal`
    #[arg(long, default_value = "full")]
    pub synchronous: String,
    /// Size of an event in a frame: that of the product
    #[arg(long, default_value_t = 0)]
    pub event_bytes: usize,
    /// One statement and one frame for all posts of a commit
    #[arg(long)]
    pub whole_commits: bool,
}

struct Post {
    body: Bytes,
    answer: oneshot::Sender<bool>,
}

#[derive(Clone)]
struct Limit {
    posts: mpsc::Sender<Post>,
    frames: broadcast::Sender<Utf8Bytes>,
    offset: Arc<AtomicI64>,
}

enum Table {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Table {
    async fn open(arguments: &LimitArguments) -> anyhow::Result<Self> {
        if arguments.database.starts_with("sqlite:") {
            let synchronous = match arguments.synchronous.as_str() {
                "normal" => SqliteSynchronous::Normal,
                _ => SqliteSynchronous::Full,
            };
            let mut conn = SqliteConnectOptions::from_str(&arguments.database)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .statement_cache_capacity(2 * BATCH)
                .pragma("temp_store", "MEMORY")
                .pragma("cache_size", "-8000")
                .connect()
                .await?;
            sqlx::query("CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, body TEXT)")
                .execute(&mut conn)
                .await?;
            return Ok(Self::Sqlite(conn));
        }
        let mut conn = sqlx::PgConnection::connect(&arguments.database).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS posts (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT)",
        )
        .execute(&mut conn)
        .await?;
        Ok(Self::Postgres(conn))
    }

    async fn insert_one_by_one(&mut self, batch: &[Post]) -> anyhow::Result<()> {
        let bodies = batch.iter().map(|post| std::str::from_utf8(&post.body).unwrap_or_default());
        match self {
            Self::Sqlite(conn) => {
                let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
                for body in bodies {
                    sqlx::query("INSERT INTO posts (body) VALUES (?)")
                        .bind(body)
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
            }
            Self::Postgres(conn) => {
                let mut transaction = conn.begin().await?;
                for body in bodies {
                    sqlx::query("INSERT INTO posts (body) VALUES ($1)")
                        .bind(body)
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// One statement, which is a transaction by itself.
    async fn insert_at_once(&mut self, batch: &[Post]) -> anyhow::Result<()> {
        let bodies = batch.iter().map(|post| std::str::from_utf8(&post.body).unwrap_or_default());
        match self {
            Self::Sqlite(conn) => {
                let mut sql = String::from("INSERT INTO posts (body) VALUES (?)");
                for _ in 1..batch.len() {
                    sql.push_str(",(?)");
                }
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for body in bodies {
                    query = query.bind(body);
                }
                query.execute(conn).await?;
            }
            Self::Postgres(conn) => {
                sqlx::query("INSERT INTO posts (body) SELECT * FROM unnest($1::text[])")
                    .bind(bodies.collect::<Vec<_>>())
                    .execute(conn)
                    .await?;
            }
        }
        Ok(())
    }
}

/// Runs until it is killed; its first line of output is its address.
pub async fn serve(arguments: LimitArguments) -> anyhow::Result<()> {
    let table = Table::open(&arguments).await.context("the table cannot be opened")?;
    let (posts, waiting) = mpsc::channel(1024);
    let (frames, _) = broadcast::channel(4096);
    let limit = Limit { posts, frames, offset: Arc::new(AtomicI64::new(0)) };
    let mut tasks = JoinSet::new();
    tasks.spawn(commit(table, waiting, limit.clone(), arguments));
    let router =
        Router::new().route("/post", post(receive)).route("/realtime", get(open)).with_state(limit);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut output = std::io::stdout();
    writeln!(output, "{{\"message\":\"listening\",\"address\":\"{address}\"}}")?;
    output.flush()?;
    let listener = listener.tap_io(|stream| {
        // A refusal only makes the limit slower.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn receive(State(limit): State<Limit>, body: Bytes) -> StatusCode {
    let (answer, answered) = oneshot::channel();
    if limit.posts.send(Post { body, answer }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if answered.await == Ok(true) { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

async fn commit(
    mut table: Table,
    mut waiting: mpsc::Receiver<Post>,
    limit: Limit,
    arguments: LimitArguments,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let stored = if arguments.whole_commits {
            table.insert_at_once(&batch).await.is_ok()
        } else {
            table.insert_one_by_one(&batch).await.is_ok()
        };
        let mut frame = Frame::default();
        let mut offset = limit.offset.load(Ordering::Relaxed);
        for Post { body, answer } in batch.drain(..) {
            // Whoever asked may have gone.
            let _ = answer.send(stored);
            if !stored || limit.frames.receiver_count() == 0 {
                continue;
            }
            offset += 1;
            if !arguments.whole_commits || frame.events.len() >= FRAME_BYTES {
                frame.send(&limit.frames);
            }
            frame.push(offset, &body, arguments.event_bytes);
        }
        limit.offset.store(offset, Ordering::Relaxed);
        frame.send(&limit.frames);
    }
}

/// A frame shaped like the product's, so that clients read both in the same way.
#[derive(Default)]
struct Frame {
    offset: i64,
    events: String,
}

impl Frame {
    fn push(&mut self, offset: i64, body: &[u8], event_bytes: usize) {
        use std::fmt::Write as _;
        if !self.events.is_empty() {
            self.events.push(',');
        }
        let start = self.events.len();
        let body = std::str::from_utf8(body).unwrap_or("null");
        let _ = write!(self.events, r#"{{"offset":{offset},"update":{body},"padding":""#);
        while self.events.len() - start + 2 < event_bytes {
            self.events.push('x');
        }
        self.events.push_str("\"}");
        self.offset = offset;
    }

    fn send(&mut self, frames: &broadcast::Sender<Utf8Bytes>) {
        if self.events.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.events);
        let offset = self.offset;
        let text = format!(
            r#"{{"type":"events","company_id":1,"position":{{"epoch":"limit","offset":{offset}}},"events":[{events}]}}"#
        );
        let _ = frames.send(text.into());
    }
}

async fn open(State(limit): State<Limit>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .on_upgrade(move |socket| async move { session(socket, limit).await })
}

async fn session(mut socket: WebSocket, limit: Limit) {
    let mut frames = limit.frames.subscribe();
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let Ok(frame) = frame else { return };
                if socket.send(Message::Text(frame)).await.is_err() {
                    return;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) if text.contains("watch") => {
                    let offset = limit.offset.load(Ordering::Relaxed);
                    let text = format!(
                        r#"{{"type":"watching","company_id":1,"recovered":false,"position":{{"epoch":"limit","offset":{offset}}}}}"#
                    );
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }
}
