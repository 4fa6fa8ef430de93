//! The writer: group commit, and the unit of work of one job.
//!
//! Owns the order of writes and the numbers of the log. A writer takes what waits, locks the companies
//! concerned in one order, runs each job in its own savepoint, appends the events, commits, and only
//! then answers. There is no timer: a lone job commits at once, a batch forms only while the commit
//! before it is under way. A job that fails or panics is undone alone.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{ChannelId, Clock, CompanyId, Event, StreamPosition, Timestamp};
use sqlx::Executor as _;
use sqlx::pool::PoolConnection;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::records::{Incoming, Ingested};
use crate::store::{Commit, Pools};
use crate::{Db, StoreError, postgres, sqlite};

/// Most jobs of one commit: keeps the wait of the first of them short.
const BATCH_JOBS: usize = 256;

#[derive(Debug)]
enum Connection {
    Sqlite(PoolConnection<sqlx::Sqlite>),
    Postgres(PoolConnection<sqlx::Postgres>),
}

impl Connection {
    async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(conn) => conn.execute(sql).await.map(|_| ()),
            Self::Postgres(conn) => conn.execute(sql).await.map(|_| ()),
        }
        .map_err(StoreError::from)
    }

    const fn begin(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::BEGIN,
            Self::Postgres(_) => postgres::BEGIN,
        }
    }

    const fn commit(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::COMMIT,
            Self::Postgres(_) => postgres::COMMIT,
        }
    }
}

/// An event as it goes into the table.
#[derive(Debug, Clone)]
pub struct PendingEvent {
    pub company_id: CompanyId,
    pub offset: i64,
    pub event_type: EventType,
    pub channel_id: Option<ChannelId>,
    pub at: Timestamp,
    pub payload: String,
}

/// The unit of work of one job: everything it does is committed together or not at all.
#[derive(Debug)]
pub struct Tx {
    conn: Connection,
    companies: BTreeMap<CompanyId, StreamPosition>,
    pending: Vec<PendingEvent>,
    current: Option<CompanyId>,
    now: Timestamp,
    deliveries_changed: bool,
}

impl Tx {
    pub fn db(&mut self) -> Db<'_> {
        match &mut self.conn {
            Connection::Sqlite(conn) => Db::Sqlite(conn),
            Connection::Postgres(conn) => Db::Postgres(conn),
        }
    }

    /// Locks the companies until COMMIT and learns where their logs end.
    async fn lock(&mut self, companies: &[i64]) -> Result<(), StoreError> {
        if !companies.is_empty() {
            let locked = self.db().lock_companies(companies).await?;
            self.companies =
                locked.into_iter().map(|row| (CompanyId(row.id), row.position())).collect();
        }
        Ok(())
    }

    /// One time for the whole job.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The company this job is for.
    pub fn company_id(&self) -> Result<CompanyId, StoreError> {
        self.current
            .ok_or_else(|| StoreError::inconsistent("a job of no company asked for its company"))
    }

    /// Makes a company that this job has created the company of the job.
    pub fn adopt_company(&mut self, company: CompanyId, epoch: String) {
        self.companies.insert(company, StreamPosition { epoch, offset: 0 });
        self.current = Some(company);
    }

    fn stream_mut(&mut self) -> Result<&mut StreamPosition, StoreError> {
        let company = self.company_id()?;
        self.companies
            .get_mut(&company)
            .ok_or_else(|| StoreError::inconsistent(format!("company {company} does not exist")))
    }

    /// Where the company's log ends, this job's events included.
    pub fn position(&mut self) -> Result<StreamPosition, StoreError> {
        self.stream_mut().map(|stream| stream.clone())
    }

    /// The offset the next event will have: the `version` of what is inserted before it is told.
    pub fn next_offset(&mut self) -> Result<i64, StoreError> {
        Ok(self.stream_mut()?.offset + 1)
    }

    /// Says that deliveries were added or changed, so that the engine looks after COMMIT.
    pub fn wake_deliveries(&mut self) {
        self.deliveries_changed = true;
    }

    /// Saves the new state of everything in `changes` under the next version and appends the event
    /// that tells of it. `channel_id` is the audience; `None` is the whole company.
    ///
    /// Returns the changes with their versions, to be answered to whoever asked.
    pub async fn append(
        &mut self,
        event_type: EventType,
        origin: Origin,
        channel_id: Option<ChannelId>,
        mut changes: Changes,
    ) -> Result<Changes, StoreError> {
        let offset = self.next_offset()?;
        let company = self.company_id()?;
        if let Some(message) = &mut changes.message {
            message.version = offset;
            self.db().save_message(company, message).await?;
        }
        if let Some(conversation) = &mut changes.conversation {
            conversation.version = offset;
            self.db().save_conversation(conversation).await?;
        }
        if let Some(marker) = &mut changes.read_marker {
            marker.version = offset;
            self.db().save_read_marker(marker).await?;
        }
        if let Some(channel) = &mut changes.channel {
            channel.version = offset;
            self.db().save_channel(channel).await?;
        }
        if let Some(member) = &mut changes.member {
            member.version = offset;
            self.db().save_member(company, member).await?;
        }
        if let Some(quick_reply) = &mut changes.quick_reply {
            quick_reply.version = offset;
            self.db().save_quick_reply(company, quick_reply).await?;
        }
        if let Some(company) = &mut changes.company {
            company.version = offset;
            self.db().save_company(company).await?;
        }
        self.push_event(company, event_type, origin, channel_id, self.now, changes.clone())?;
        Ok(changes)
    }

    /// Appends an event whose rows are saved already (the set-based path).
    pub(crate) fn push_event(
        &mut self,
        company: CompanyId,
        event_type: EventType,
        origin: Origin,
        channel_id: Option<ChannelId>,
        at: Timestamp,
        changes: Changes,
    ) -> Result<i64, StoreError> {
        let stream = self
            .companies
            .get_mut(&company)
            .ok_or_else(|| StoreError::inconsistent(format!("company {company} does not exist")))?;
        stream.offset += 1;
        let offset = stream.offset;
        let event = Event { offset, event_type, at, origin, changes };
        let payload = serde_json::to_string(&event).map_err(|error| {
            StoreError::inconsistent(format!("event does not serialise: {error}"))
        })?;
        self.pending.push(PendingEvent {
            company_id: company,
            offset,
            event_type,
            channel_id,
            at,
            payload,
        });
        Ok(offset)
    }

    /// Where the log of `company`, locked by this transaction, ends.
    pub(crate) fn offset_of(&self, company: CompanyId) -> Option<i64> {
        self.companies.get(&company).map(|stream| stream.offset)
    }
}

/// A job without its types.
trait Job: Send {
    fn company(&self) -> Option<CompanyId>;
    /// Runs; `true` when its changes are to stay.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// The job did not run, or nothing of it stays, for this reason.
    fn refuse(&mut self, reason: StoreError);
    /// Answers the caller; `Err` when the commit failed.
    fn finish(self: Box<Self>, committed: Result<(), &StoreError>);
}

struct TypedJob<F, T, E> {
    company: Option<CompanyId>,
    job: Option<F>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for TypedJob<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn company(&self) -> Option<CompanyId> {
        self.company
    }

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        let job = self.job.take();
        Box::pin(async move {
            let Some(job) = job else { return false };
            let result = job(tx).await;
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn refuse(&mut self, reason: StoreError) {
        self.result = Some(Err(E::from(reason)));
    }

    fn finish(mut self: Box<Self>, committed: Result<(), &StoreError>) {
        let result = match (self.result.take(), committed) {
            // The job refused by itself: its answer stands whatever became of the others.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(E::from(repeat(error))),
            (None, Ok(())) => Err(E::from(StoreError::Closed)),
        };
        // Whoever asked may have gone; the work is done all the same.
        let _ = self.answer.send(result);
    }
}

/// One failure told to many callers.
fn repeat(error: &StoreError) -> StoreError {
    StoreError::Database(sqlx::Error::Protocol(format!("the shared commit failed: {error}")))
}

struct IngestRequest {
    company: CompanyId,
    messages: Vec<Incoming>,
    answer: oneshot::Sender<Result<Vec<Ingested>, StoreError>>,
}

enum Work {
    Job(Box<dyn Job>),
    Ingest(IngestRequest),
}

impl Work {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Job(job) => job.company(),
            Self::Ingest(request) => Some(request.company),
        }
    }
}

/// The writers of a node.
#[derive(Debug)]
pub struct Writers {
    queues: Mutex<Vec<mpsc::Sender<Work>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    pub(crate) fn start(
        pools: &Pools,
        queue: usize,
        clock: Arc<dyn Clock>,
        commits: broadcast::Sender<Commit>,
    ) -> Self {
        let count = match pools {
            Pools::Sqlite { .. } => sqlite::WRITERS,
            Pools::Postgres { .. } => postgres::WRITERS,
        };
        let mut queues = Vec::with_capacity(count);
        let mut tasks = Vec::with_capacity(count);
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(queue);
            let worker = Worker {
                pools: pools.clone(),
                clock: Arc::clone(&clock),
                commits: commits.clone(),
            };
            queues.push(sender);
            #[expect(clippy::disallowed_methods, reason = "`close` waits for its handle")]
            tasks.push(tokio::spawn(worker.run(receiver)));
        }
        Self { queues: Mutex::new(queues), tasks: Mutex::new(tasks) }
    }

    fn queue(&self, company: Option<CompanyId>) -> Result<mpsc::Sender<Work>, StoreError> {
        let queues = self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let index = company.map_or(0, |company| company.0.unsigned_abs() as usize);
        if queues.is_empty() {
            return Err(StoreError::Closed);
        }
        Ok(queues[index % queues.len()].clone())
    }

    pub(crate) async fn submit<T, E, F>(&self, company: Option<CompanyId>, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = TypedJob { company, job: Some(job), result: None, answer };
        let queue = self.queue(company)?;
        queue.send(Work::Job(Box::new(job))).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| E::from(StoreError::Closed))?
    }

    pub(crate) async fn ingest(
        &self,
        company: CompanyId,
        messages: Vec<Incoming>,
    ) -> Result<Vec<Ingested>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue(Some(company))?;
        queue
            .send(Work::Ingest(IngestRequest { company, messages, answer }))
            .await
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets what waits finish, then ends.
    pub(crate) async fn close(&self) {
        let take = |tasks: &Mutex<Vec<JoinHandle<()>>>| {
            std::mem::take(&mut *tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
        };
        self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        for task in take(&self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a writer ended badly");
            }
        }
    }
}

struct Worker {
    pools: Pools,
    clock: Arc<dyn Clock>,
    commits: broadcast::Sender<Commit>,
}

impl Worker {
    async fn run(self, mut queue: mpsc::Receiver<Work>) {
        let mut batch = Vec::with_capacity(BATCH_JOBS);
        while queue.recv_many(&mut batch, BATCH_JOBS).await > 0 {
            self.commit_batch(std::mem::take(&mut batch)).await;
        }
    }

    async fn begin(&self, companies: &[i64]) -> Result<Tx, StoreError> {
        let mut conn = match &self.pools {
            Pools::Sqlite { writer, .. } => Connection::Sqlite(writer.acquire().await?),
            Pools::Postgres { writers, .. } => Connection::Postgres(writers.acquire().await?),
        };
        let begin = conn.begin();
        conn.execute(begin).await?;
        let mut tx = Tx {
            conn,
            companies: BTreeMap::new(),
            pending: Vec::new(),
            current: None,
            now: self.clock.now(),
            deliveries_changed: false,
        };
        match tx.lock(companies).await {
            Ok(()) => Ok(tx),
            Err(error) => {
                rollback(tx).await;
                Err(error)
            }
        }
    }

    async fn commit_batch(&self, mut batch: Vec<Work>) {
        // One order of locks everywhere; within a company, the order of asking.
        batch.sort_by_key(Work::company);
        let mut companies: Vec<i64> =
            batch.iter().filter_map(Work::company).map(|company| company.0).collect();
        companies.dedup();
        let (mut jobs, mut requests) = (Vec::new(), Vec::new());
        for work in batch {
            match work {
                Work::Job(job) => jobs.push(job),
                Work::Ingest(request) => requests.push(request),
            }
        }
        let mut ingested: Vec<Result<Vec<Ingested>, StoreError>> = Vec::new();
        let committed = match self.begin(&companies).await {
            Ok(mut tx) => {
                let outcome = run_batch(&mut tx, &mut requests, &mut ingested, &mut jobs).await;
                match outcome {
                    Ok(()) => self.commit(tx).await,
                    Err(error) => {
                        rollback(tx).await;
                        Err(error)
                    }
                }
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = jobs.len(), ingests = requests.len(), "a commit failed");
        }
        let committed = committed.as_ref().copied();
        let mut ingested = ingested.into_iter();
        for request in requests {
            let result = match (committed, ingested.next()) {
                (Err(error), _) => Err(repeat(error)),
                (Ok(()), Some(result)) => result,
                (Ok(()), None) => Err(StoreError::Closed),
            };
            let _ = request.answer.send(result);
        }
        for job in jobs {
            job.finish(committed);
        }
    }

    async fn commit(&self, mut tx: Tx) -> Result<(), StoreError> {
        let written = async {
            let pending = std::mem::take(&mut tx.pending);
            if !pending.is_empty() {
                tx.db().insert_events(&pending).await?;
            }
            let commit = tx.conn.commit();
            tx.conn.execute(commit).await?;
            Ok(pending)
        };
        let pending = match written.await {
            Ok(pending) => pending,
            Err(error) => {
                rollback(tx).await;
                return Err(error);
            }
        };
        let mut reached: BTreeMap<CompanyId, i64> = BTreeMap::new();
        for event in &pending {
            reached.insert(event.company_id, event.offset);
        }
        for (company_id, offset) in reached {
            // Nobody listening is no fault.
            let _ = self.commits.send(Commit::Events { company_id, offset });
        }
        if tx.deliveries_changed {
            let _ = self.commits.send(Commit::Deliveries);
        }
        Ok(())
    }
}

/// Undoes a transaction. A connection that cannot even do that is closed, never reused.
async fn rollback(mut tx: Tx) {
    if let Err(error) = tx.conn.execute("ROLLBACK").await {
        tracing::error!(%error, "a rollback failed; its connection is closed");
        match tx.conn {
            Connection::Sqlite(conn) => drop(conn.close().await),
            Connection::Postgres(conn) => drop(conn.close().await),
        }
    }
}

/// What a piece of a batch is undone to.
struct Guard {
    alone: bool,
    companies: BTreeMap<CompanyId, StreamPosition>,
    pending: usize,
    deliveries_changed: bool,
}

impl Guard {
    /// Begins a piece. `alone`: nothing was done before it in this transaction, and what may come after
    /// it comes only when it is undone; so the transaction itself is its savepoint.
    async fn set(tx: &mut Tx, alone: bool) -> Result<Self, StoreError> {
        if !alone {
            tx.conn.execute("SAVEPOINT job").await?;
        }
        Ok(Self {
            alone,
            companies: tx.companies.clone(),
            pending: tx.pending.len(),
            deliveries_changed: tx.deliveries_changed,
        })
    }

    /// Ends the piece: its changes stay, or all of them go.
    ///
    /// The inner error: they could not be kept, though they were to be. On PostgreSQL that is what
    /// becomes of a piece that went on after a failed statement; it must not take its neighbours along.
    async fn end(self, tx: &mut Tx, keep: bool) -> Result<Result<(), StoreError>, StoreError> {
        tx.current = None;
        if !keep {
            self.undo(tx).await?;
            return Ok(Ok(()));
        }
        if self.alone {
            // COMMIT tells.
            return Ok(Ok(()));
        }
        match tx.conn.execute("RELEASE SAVEPOINT job").await {
            Ok(()) => Ok(Ok(())),
            Err(error) => {
                self.undo(tx).await?;
                Ok(Err(error))
            }
        }
    }

    async fn undo(self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.alone {
            tx.conn.execute("ROLLBACK").await?;
            let begin = tx.conn.begin();
            tx.conn.execute(begin).await?;
            // Undone with the rest; and another node may have written meanwhile.
            let companies: Vec<i64> = self.companies.keys().map(|company| company.0).collect();
            tx.companies.clear();
            tx.lock(&companies).await?;
        } else {
            tx.conn.execute("ROLLBACK TO SAVEPOINT job").await?;
            tx.conn.execute("RELEASE SAVEPOINT job").await?;
            tx.companies = self.companies;
        }
        tx.pending.truncate(self.pending);
        tx.deliveries_changed = self.deliveries_changed;
        Ok(())
    }
}

async fn run_batch(
    tx: &mut Tx,
    requests: &mut [IngestRequest],
    ingested: &mut Vec<Result<Vec<Ingested>, StoreError>>,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), StoreError> {
    let alone = requests.len() + jobs.len() == 1;
    if !requests.is_empty() {
        run_ingest(tx, jobs.is_empty(), requests, ingested).await?;
    }
    for job in jobs {
        let company = job.company();
        if let Some(unknown) = company.filter(|company| tx.offset_of(*company).is_none()) {
            job.refuse(StoreError::inconsistent(format!("company {unknown} does not exist")));
            continue;
        }
        let guard = Guard::set(tx, alone).await?;
        tx.current = company;
        let outcome = AssertUnwindSafe(job.run(tx)).catch_unwind().await;
        let ended = guard.end(tx, matches!(outcome, Ok(true))).await?;
        if outcome.is_err() {
            tracing::error!(?company, "a write job panicked");
            job.refuse(StoreError::Panicked);
        }
        if let Err(error) = ended {
            tracing::error!(?company, %error, "a write job went on after a failed statement");
            job.refuse(error);
        }
    }
    Ok(())
}

/// All that waits to be stored, in one set; when the set fails, each request by itself, so that one
/// bad message harms nobody else.
async fn run_ingest(
    tx: &mut Tx,
    alone: bool,
    requests: &mut [IngestRequest],
    ingested: &mut Vec<Result<Vec<Ingested>, StoreError>>,
) -> Result<(), StoreError> {
    let set: Vec<(CompanyId, Vec<Incoming>)> =
        requests.iter().map(|request| (request.company, request.messages.clone())).collect();
    match ingest_guarded(tx, alone, set).await? {
        Ok(outcomes) => ingested.extend(outcomes.into_iter().map(Ok)),
        Err(error) if requests.len() == 1 => ingested.push(Err(error)),
        Err(error) => {
            tracing::warn!(%error, requests = requests.len(), "a set failed; trying one by one");
            for request in requests {
                let one = vec![(request.company, std::mem::take(&mut request.messages))];
                let outcome = ingest_guarded(tx, false, one).await?;
                ingested.push(outcome.map(|mut outcomes| outcomes.pop().unwrap_or_default()));
            }
        }
    }
    Ok(())
}

async fn ingest_guarded(
    tx: &mut Tx,
    alone: bool,
    set: Vec<(CompanyId, Vec<Incoming>)>,
) -> Result<Result<Vec<Vec<Ingested>>, StoreError>, StoreError> {
    let guard = Guard::set(tx, alone).await?;
    let outcome = AssertUnwindSafe(crate::ingest::run(tx, set)).catch_unwind().await;
    let outcome = outcome.unwrap_or(Err(StoreError::Panicked));
    let ended = guard.end(tx, outcome.is_ok()).await?;
    Ok(outcome.and_then(|outcomes| ended.map(|()| outcomes)))
}
