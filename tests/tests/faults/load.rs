//! Clients and operators who do not stop: clients write numbered texts, operators send numbered answers and try
//! each again, under the same id, until the server has answered for it.

use std::ops::Range;
use std::time::Duration;

use hub_tests::client::ApiClient;
use simulator::faults::Chance;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::checker::Accepted;
use super::desk::{Desk, DeskClient, Written};

/// Milliseconds between two messages of one client, and of one operator.
#[derive(Debug, Clone)]
pub struct Pace {
    pub writing: Range<u64>,
    pub sending: Range<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { writing: 20..120, sending: 60..300 }
    }
}

pub struct Load {
    stop: CancellationToken,
    clients: Vec<JoinHandle<(String, Written)>>,
    operators: Vec<JoinHandle<Vec<Accepted>>>,
}

impl Load {
    pub fn start(desk: &Desk, seed: u64, pace: &Pace) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut chance = Chance::seeded(seed);
        let clients = desk.clients.iter().map(|client| {
            let chance = Chance::seeded(chance.next_u64());
            tasks.spawn(write(client.clone(), chance, pace.writing.clone(), stop.clone()))
        });
        let clients = clients.collect();
        let operators = (0..desk.operators.len()).map(|number| {
            let operator = Operator {
                name: format!("operator {number}"),
                nodes: desk.apis(number),
                clients: desk.clients.clone(),
                chance: Chance::seeded(chance.next_u64()),
            };
            tasks.spawn(operator.work(pace.sending.clone(), stop.clone()))
        });
        let operators = operators.collect();
        Self { stop, clients, operators }
    }

    /// Everybody finishes what they have begun; the desk is told what came of it.
    pub async fn finish(self, desk: &mut Desk) {
        self.stop.cancel();
        for client in self.clients {
            let (name, texts) = client.await.expect("a client writes without failing");
            desk.written.entry(name).or_default().extend(texts);
        }
        for operator in self.operators {
            let accepted = operator.await.expect("an operator sends without failing");
            desk.accepted.extend(accepted);
        }
    }
}

/// Waits some time within the range; `false` when it is time to stop.
async fn pause(range: &Range<u64>, chance: &mut Chance, stop: &CancellationToken) -> bool {
    let wait = range.start + chance.next_u64() % (range.end - range.start);
    let waited = tokio::time::sleep(Duration::from_millis(wait));
    stop.run_until_cancelled(waited).await.is_some()
}

async fn write(
    client: DeskClient,
    mut chance: Chance,
    pace: Range<u64>,
    stop: CancellationToken,
) -> (String, Written) {
    let mut texts = Vec::new();
    while pause(&pace, &mut chance, &stop).await {
        let text = format!("{} says {}", client.name, texts.len() + 1);
        let number = client.client.text(&text).expect("a client can write");
        texts.push((number, text));
    }
    (client.name, texts)
}

struct Operator {
    name: String,
    nodes: Vec<ApiClient>,
    clients: Vec<DeskClient>,
    chance: Chance,
}

impl Operator {
    async fn work(mut self, pace: Range<u64>, stop: CancellationToken) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        while pause(&pace, &mut self.chance, &stop).await {
            let choice = self.chance.next_u64() as usize % self.clients.len();
            let client = self.clients[choice].clone();
            let text = format!("{} answers {}", self.name, accepted.len() + 1);
            accepted.push(self.send(&client, text).await);
        }
        accepted
    }

    /// Tries until the server answers for the message, always with the same id, at one node after the other.
    async fn send(&mut self, client: &DeskClient, text: String) -> Accepted {
        for tried in 0_usize..3000 {
            let node = &self.nodes[tried % self.nodes.len()];
            match node.send_text(client.conversation, &text, &text).await {
                Ok((message, _)) => {
                    let (client, author) = (client.name.clone(), self.name.clone());
                    return Accepted { client, author, message: message.id, text };
                }
                Err(error) => assert!(error.is_temporary(), "{text}: {error}"),
            }
            let wait = 10 + self.chance.next_u64() % 40;
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        panic!("nobody answered for: {text}");
    }
}
