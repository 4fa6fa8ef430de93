//! Clients who write: webhooks as the provider posts them, at a pace or as fast as they are taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::connection::Connection;
use crate::ledger::Ledger;

/// How long what was posted may take to arrive everywhere.
const ARRIVAL_DEADLINE: Duration = Duration::from_secs(15);
/// The second of the provider's clock at which all of this happens: 2026-01-01.
const SENT_AT: i64 = 1_767_225_600;

/// Where webhooks are posted.
#[derive(Debug, Clone)]
pub struct Intake {
    pub address: SocketAddr,
    pub path: String,
    /// Whole lines.
    pub headers: String,
}

/// Who writes and what.
#[derive(Debug, Clone)]
pub struct Load {
    /// Messages go to them in turn.
    pub intakes: Arc<[Intake]>,
    /// Of each intake. A chat has its next message when all others had theirs.
    pub chats: u64,
    /// Id of the first client.
    pub first_client: u64,
    /// Number in the name of the first client.
    pub first_name: u64,
    /// Message ids begin here: a chat's ids grow over the whole life of a database.
    pub first_message: u64,
    pub text_bytes: usize,
}

impl Load {
    pub fn new(intakes: Vec<Intake>, chats: u64) -> Self {
        Self {
            intakes: intakes.into(),
            chats,
            first_client: 100_000_001,
            first_name: 0,
            first_message: 1,
            text_bytes: 90,
        }
    }

    /// Distinct chats over all intakes.
    pub fn all_chats(&self) -> u64 {
        self.chats * self.intakes.len() as u64
    }

    fn intake(&self, sequence: u64) -> &Intake {
        &self.intakes[(sequence % self.intakes.len() as u64) as usize]
    }

    /// An update as the provider sends it. The text begins with the sequence.
    fn body(&self, sequence: u64, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let place = (sequence / self.intakes.len() as u64) % self.chats;
        let client = self.first_client + place;
        let name = self.first_name + place;
        let message = self.first_message + sequence;
        out.clear();
        // Writing to a vector does not fail.
        let _ = write!(
            out,
            r#"{{"update_id":{message},"message":{{"message_id":{message},"from":{{"id":{client},"is_bot":false,"first_name":"Client {name}","username":"client_{client}","language_code":"ru"}},"chat":{{"id":{client},"first_name":"Client {name}","username":"client_{client}","type":"private"}},"date":{SENT_AT},"text":"b{sequence} "#
        );
        let start = out.len();
        while out.len() - start < self.text_bytes {
            out.extend_from_slice(b"Where is my order? ");
        }
        out.extend_from_slice(br#""}}"#);
    }

    async fn post(
        &self,
        connection: &mut Connection,
        body: &mut Vec<u8>,
        ledger: &Ledger,
    ) -> anyhow::Result<bool> {
        let Some(sequence) = ledger.post() else { return Ok(false) };
        self.body(sequence, body);
        let intake = self.intake(sequence);
        let answer = connection.request("POST", &intake.path, &intake.headers, body).await?;
        let accepted = answer.status == 200;
        ledger.acknowledge(sequence, accepted);
        Ok(true)
    }

    /// Posts `rate` messages a second, whatever becomes of them. Answers the range of sequences.
    pub async fn paced(
        &self,
        ledger: &Arc<Ledger>,
        rate: u32,
        duration: Duration,
    ) -> anyhow::Result<(u64, u64)> {
        let from = ledger.posted_count();
        let mut idle: Vec<(Connection, Vec<u8>)> = Vec::new();
        let mut posting: JoinSet<anyhow::Result<(Connection, Vec<u8>)>> = JoinSet::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let ends = Instant::now() + duration;
        while Instant::now() < ends {
            ticks.tick().await;
            while let Some(posted) = posting.try_join_next() {
                idle.push(posted??);
            }
            let (mut connection, mut body) = match idle.pop() {
                Some(idle) => idle,
                None => (Connection::open(self.intakes[0].address).await?, Vec::new()),
            };
            let (load, ledger) = (self.clone(), Arc::clone(ledger));
            posting.spawn(async move {
                load.post(&mut connection, &mut body, &ledger).await?;
                Ok((connection, body))
            });
        }
        while let Some(posted) = posting.join_next().await {
            posted??;
        }
        Ok((from, ledger.posted_count()))
    }

    /// Posts over `connections` as fast as they are answered and, with sessions, as fast as the window
    /// of the ledger lets them, until `duration` has passed.
    pub async fn saturate(
        &self,
        ledger: &Arc<Ledger>,
        connections: usize,
        windowed: bool,
        until: Until,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut posting: JoinSet<anyhow::Result<()>> = JoinSet::new();
        for index in 0..connections {
            let (load, ledger) = (self.clone(), Arc::clone(ledger));
            let address = self.intakes[index % self.intakes.len()].address;
            posting.spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut body = Vec::new();
                while !until.reached(started, &ledger) {
                    if windowed {
                        let permit =
                            tokio::time::timeout(ARRIVAL_DEADLINE, ledger.window.acquire());
                        permit.await.context("what was posted does not arrive")??.forget();
                    }
                    if !load.post(&mut connection, &mut body, &ledger).await? {
                        break;
                    }
                }
                Ok(())
            });
        }
        while let Some(posted) = posting.join_next().await {
            posted??;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Until {
    Elapsed(Duration),
    Posted(u64),
}

impl Until {
    fn reached(self, started: Instant, ledger: &Ledger) -> bool {
        match self {
            Self::Elapsed(duration) => started.elapsed() >= duration,
            Self::Posted(count) => ledger.posted_count() >= count,
        }
    }
}

/// Waits until everything posted has reached every session, or is overdue.
pub async fn arrived(ledger: &Ledger) {
    let deadline = Instant::now() + ARRIVAL_DEADLINE;
    while ledger.completed_count() + ledger.refused_count() < ledger.posted_count()
        && Instant::now() < deadline
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_update_with_its_sequence_at_the_beginning_of_the_text() {
        let address = "127.0.0.1:1".parse().unwrap();
        let intake = Intake { address, path: String::new(), headers: String::new() };
        let load = Load::new(vec![intake.clone(), intake], 10);
        let mut body = Vec::new();
        load.body(25, &mut body);
        let update: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(update["message"]["text"].as_str().unwrap().starts_with("b25 "));
        // 25 goes to the second intake as its thirteenth: the third client once more.
        assert_eq!(update["message"]["chat"]["id"], 100_000_003);
        assert_eq!(update["message"]["from"]["id"], 100_000_003);
    }
}
