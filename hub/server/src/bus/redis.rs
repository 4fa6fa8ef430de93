//! The bus over Redis pub/sub: one RESP3 connection that both publishes and listens.
//!
//! While one message is under way everything new gathers in the next, so a busy node publishes rarely.
//! A PUBLISH that was answered may still have reached nobody, therefore nothing relies on it. After
//! every (re)connection both sides look at the whole log.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hub_store::Commit;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, IntoConnectionInfo as _, ProtocolVersion,
    PushInfo, PushKind, RedisError, RedisResult, TlsCertificates, Value,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::MissedTickBehavior;

use super::{Bus, BusError, Outgoing, Packet, Remote, Signal};
use crate::random;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// An answer that takes longer means that the connection is dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How often an idle connection is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Waits between attempts to connect, each spread by half.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Messages from Redis that wait for us.
const INBOX: usize = 4096;
/// Things of the outbox or of commits taken at once.
const GATHER: usize = 1024;

/// A client; connects to nothing yet.
pub(super) fn client(url: &str, ca_file: Option<&Path>) -> Result<Client, BusError> {
    let info = url.into_connection_info().map_err(BusError::Url)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_redis_settings(settings);
    let Some(path) = ca_file else { return Client::open(info).map_err(BusError::Url) };
    let failed = |reason: String| BusError::CaFile { path: path.to_owned(), reason };
    let root_cert = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    if !String::from_utf8_lossy(&root_cert).contains("-----BEGIN CERTIFICATE-----") {
        return Err(failed("there is no certificate (PEM) in it".to_owned()));
    }
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
    Client::build_with_tls(info, certificates).map_err(|error| failed(error.to_string()))
}

/// Connects, serves, and connects again, for as long as it is polled.
pub(super) async fn run(
    bus: Bus,
    mut outbox: mpsc::Receiver<Outgoing>,
    mut commits: broadcast::Receiver<Commit>,
) {
    let Some(remote) = &bus.inner.remote else { return };
    let mut packet = Packet::default();
    let mut wait = FIRST_WAIT;
    let mut told = false;
    loop {
        let error = match connect(remote).await {
            Ok((connection, inbox)) => {
                tracing::info!("the bus is connected to Redis");
                metrics::counter!("uzel_bus_connections_total").increment(1);
                remote.healthy.store(true, Ordering::Relaxed);
                metrics::gauge!("uzel_bus_healthy").set(1.0);
                (wait, told) = (FIRST_WAIT, false);
                // Neither side knows what the other said meanwhile.
                bus.tell(Signal::Resync);
                packet.resync = true;
                let line = Line { bus: &bus, remote, connection, inbox };
                let ended = line.serve(&mut packet, &mut outbox, &mut commits).await;
                remote.healthy.store(false, Ordering::Relaxed);
                metrics::gauge!("uzel_bus_healthy").set(0.0);
                match ended {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if !told {
            tracing::warn!(error = %error, "Redis is away; nodes follow the log by polling");
            told = true;
        }
        let pause = tokio::time::sleep(wait.mul_f64(0.75 + random::fraction() / 2.0));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                // Keeps the queues from filling; what passes by is dropped.
                more = gather(&mut packet, &mut outbox, &mut commits) => if !more { return },
            }
            packet.ephemerals.clear();
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

struct Inbox {
    pushes: mpsc::Receiver<PushInfo>,
    overflowed: Arc<AtomicBool>,
}

async fn connect(remote: &Remote) -> RedisResult<(MultiplexedConnection, Inbox)> {
    let (sender, pushes) = mpsc::channel(INBOX);
    let overflowed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&overflowed);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT))
        .set_push_sender(move |push: PushInfo| match sender.try_send(push) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                flag.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(redis::aio::SendError),
        });
    let mut connection =
        remote.client.get_multiplexed_async_connection_with_config(&config).await?;
    connection.subscribe(&remote.topic).await?;
    Ok((connection, Inbox { pushes, overflowed }))
}

/// What Redis was asked and has not answered; when it fails, the packet that may not have left.
type UnderWay = BoxFuture<'static, Result<(), (RedisError, Packet)>>;

/// One connection while it lives.
struct Line<'b> {
    bus: &'b Bus,
    remote: &'b Remote,
    connection: MultiplexedConnection,
    inbox: Inbox,
}

impl Line<'_> {
    /// Ends with an error when the connection does, and without one when the process does.
    async fn serve(
        mut self,
        packet: &mut Packet,
        outbox: &mut mpsc::Receiver<Outgoing>,
        commits: &mut broadcast::Receiver<Commit>,
    ) -> RedisResult<()> {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way: Option<UnderWay> = None;
        loop {
            if under_way.is_none() && !packet.is_empty() {
                under_way = Some(self.publish(std::mem::take(packet)));
            }
            let idle = under_way.is_none();
            let answer = async {
                match under_way.as_mut() {
                    Some(under_way) => under_way.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                answer = answer => {
                    under_way = None;
                    if let Err((error, unsent)) = answer {
                        metrics::counter!("uzel_bus_publish_failures_total").increment(1);
                        packet.merge(unsent);
                        return Err(error);
                    }
                }
                more = gather(packet, outbox, commits) => if !more { return Ok(()) },
                push = self.inbox.pushes.recv() => self.take(push)?,
                _ = ping.tick(), if idle => under_way = Some(self.ping()),
            }
        }
    }

    fn publish(&self, mut packet: Packet) -> UnderWay {
        packet.node.clone_from(&self.remote.node);
        let mut connection = self.connection.clone();
        let topic = self.remote.topic.clone();
        Box::pin(async move {
            let text = serde_json::to_string(&packet).unwrap_or_default();
            metrics::counter!("uzel_bus_published_total").increment(1);
            let answer: RedisResult<Value> = connection.publish(topic, text).await;
            answer.map(drop).map_err(|error| (error, packet))
        })
    }

    fn ping(&self) -> UnderWay {
        let mut connection = self.connection.clone();
        Box::pin(async move {
            let answer: RedisResult<Value> = connection.ping().await;
            answer.map(drop).map_err(|error| (error, Packet::default()))
        })
    }

    fn take(&self, push: Option<PushInfo>) -> RedisResult<()> {
        if self.inbox.overflowed.swap(false, Ordering::Relaxed) {
            self.bus.tell(Signal::Resync);
        }
        let lost = || RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
        let PushInfo { kind, data } = push.ok_or_else(lost)?;
        match kind {
            PushKind::Disconnection => Err(lost()),
            PushKind::Message => {
                // A message of Redis: the topic and the text.
                let packet = match data.get(1) {
                    Some(Value::BulkString(bytes)) => serde_json::from_slice::<Packet>(bytes).ok(),
                    _ => None,
                };
                match packet {
                    Some(packet) if packet.node == self.remote.node => {}
                    Some(packet) => {
                        metrics::counter!("uzel_bus_received_total").increment(1);
                        packet.signals().for_each(|signal| self.bus.tell(signal));
                    }
                    None => tracing::warn!("a message on the bus cannot be read"),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Takes what there is to say, at least one thing. `false`: there will be nothing more.
async fn gather(
    packet: &mut Packet,
    outbox: &mut mpsc::Receiver<Outgoing>,
    commits: &mut broadcast::Receiver<Commit>,
) -> bool {
    let mut more = true;
    let mut add_commit = |packet: &mut Packet, received| match received {
        Ok(commit) => packet.add_commit(commit),
        // We do not know whose log grew; the others will look.
        Err(RecvError::Lagged(_)) => packet.resync = true,
        Err(RecvError::Closed) => more = false,
    };
    tokio::select! {
        received = commits.recv() => add_commit(packet, received),
        outgoing = outbox.recv() => match outgoing {
            Some(outgoing) => packet.add(outgoing),
            None => return false,
        },
    }
    for _ in 0..GATHER {
        match commits.try_recv() {
            Ok(commit) => packet.add_commit(commit),
            Err(_) => break,
        }
    }
    for _ in 0..GATHER {
        match outbox.try_recv() {
            Ok(outgoing) => packet.add(outgoing),
            Err(_) => break,
        }
    }
    more
}
