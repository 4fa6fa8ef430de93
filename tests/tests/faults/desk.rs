//! A company at work: a simulated bot with clients, the real binary on one or more nodes, and operators who
//! know the public API.
//!
//! Owns the settings under which faults are quick to show, and the waiting: for a channel, a conversation, and
//! for the moment when everything has come to rest.

use std::collections::BTreeMap;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use hub_domain::channel::{Channel, ChannelState, IntakeMode};
use hub_domain::{Conversation, ConversationId, Direction, Message, MessageId, MessageStatus};
use hub_tests::Database;
use hub_tests::client::{ApiClient, History};
use hub_tests::process::{Administrator, Installation, Node};
use hub_tests::session::Session;
use simulator::Simulator;
use simulator::telegram::{Bot, BotSpec, Client, ClientSpec};

use super::checker::{Accepted, Evidence, Verdict, judge};

/// Longest wait for anything that should happen soon.
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Texts of one client, each with the number the provider gave it.
pub type Written = Vec<(i64, String)>;

/// What a test needs; the rest has defaults.
pub struct Setting {
    pub database: Database,
    pub intake: IntakeMode,
    pub nodes: usize,
    pub operators: usize,
    pub clients: usize,
    pub redis_url: Option<String>,
    /// Options of the server, beside those of every desk.
    pub options: Vec<(&'static str, String)>,
}

impl Setting {
    pub fn of(database: Database, intake: IntakeMode) -> Self {
        let redis_url = (database == Database::Postgres).then(test_services::redis_url);
        let options = Vec::new();
        Self { database, intake, nodes: 1, operators: 2, clients: 2, redis_url, options }
    }
}

pub struct Desk {
    pub simulator: Simulator,
    pub bot: Bot,
    pub nodes: Vec<Node>,
    pub operators: Vec<Administrator>,
    pub channel: Channel,
    pub clients: Vec<DeskClient>,
    pub sessions: Vec<Session>,
    /// What each client wrote so far.
    pub written: BTreeMap<String, Written>,
    pub accepted: Vec<Accepted>,
    /// Last, so that the processes end before their data goes.
    installation: Installation,
}

/// A client with the conversation that the company has with them.
#[derive(Clone)]
pub struct DeskClient {
    pub name: String,
    pub client: Client,
    pub conversation: ConversationId,
}

/// A seed from `UZEL_TEST_SEED`, or a new one; printed, so that a failing run can be repeated.
pub fn seed() -> u64 {
    let given = env::var("UZEL_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed") % 1_000_000);
    println!("seed {seed} (repeat with UZEL_TEST_SEED={seed})");
    seed
}

impl Desk {
    /// Everything runs, the bot is connected, every client has written "hello", every operator has a session.
    pub async fn open(name: &str, setting: Setting) -> Self {
        let simulator = Simulator::start("127.0.0.1:0").await.expect("the simulator starts");
        let bot = simulator.telegram().create_bot(BotSpec::named("Desk"));
        let redis_url = setting.redis_url.as_deref();
        let mut installation = Installation::new(setting.database, name, redis_url);
        installation.set("providers.telegram.api_url", simulator.base_url());
        installation.set("providers.telegram.poll_seconds", 2);
        // A crash leaves leases behind; tests cannot wait for those of production.
        installation.set("delivery.send_timeout_seconds", 4);
        installation.set("delivery.lease_seconds", 5);
        installation.set("delivery.retry_schedule", "1,1,1,2,2,2");
        installation.set("polling.lease_seconds", 3);
        installation.set("realtime.max_catch_up_events", 10_000);
        for (key, value) in &setting.options {
            installation.set(key, value);
        }
        let mut operators = Vec::new();
        for number in 0..setting.operators {
            let phone = format!("+7 926 100-00-{number:02}");
            operators.push(installation.bootstrap("Desk", &phone).await);
        }
        let mut nodes: Vec<Node> =
            (0..setting.nodes).map(|number| installation.node(number)).collect();
        nodes[0].start();
        nodes[0].ready().await;
        let api = api_of(&nodes[0], &operators[0]);
        let connected = api.connect_telegram(&bot.token(), setting.intake).await;
        let channel = connected.expect("the bot can be connected");
        let mut desk = Self {
            simulator,
            bot,
            nodes,
            operators,
            channel,
            clients: Vec::new(),
            sessions: Vec::new(),
            written: BTreeMap::new(),
            accepted: Vec::new(),
            installation,
        };
        desk.channel = desk.wait_channel(ChannelState::Enabled).await;
        if setting.intake == IntakeMode::Polling {
            // The first node polls before the others are there to do it.
            desk.wait("the bot to be polled", async |desk| desk.bot.begun_polls() > 0).await;
        }
        for node in &mut desk.nodes[1..] {
            node.start();
            node.ready().await;
        }
        desk.add_clients(setting.clients).await;
        for number in 0..setting.operators {
            desk.open_session(number).await;
        }
        desk
    }

    async fn add_clients(&mut self, count: usize) {
        for number in 0..count {
            let name = format!("Client {number}");
            let client = self.bot.new_client(ClientSpec::named(&name));
            let text = format!("hello from {name}");
            let number = client.text(&text).expect("a client can write");
            self.written.insert(name.clone(), vec![(number, text)]);
            let conversation = ConversationId(0);
            self.clients.push(DeskClient { name, client, conversation });
        }
        self.wait("every client to have a conversation", async |desk| {
            let found = desk.api().conversations().await;
            found.is_ok_and(|(_, found)| found.len() == count)
        })
        .await;
        let (_, found) = self.api().conversations().await.expect("conversations are listed");
        for client in &mut self.clients {
            let with = |one: &&Conversation| one.contact.name == client.name;
            client.conversation = found.iter().find(with).expect("it is listed").id;
        }
    }

    /// Opens another session of an operator, at a node of its own as far as there are enough.
    pub async fn open_session(&mut self, operator: usize) {
        let name = format!("{operator}.{}", self.sessions.len());
        let apis = self.apis(operator);
        let session = Session::start(&name, apis).await.expect("a session can load everything");
        let connected = session.wait_until(PATIENCE, |log| log.connections > 0).await;
        assert!(connected, "the session did not get to watch: {:?}", session.read(Clone::clone));
        self.sessions.push(session);
    }

    /// The operator's access to every node, beginning with a node of its own.
    pub fn apis(&self, operator: usize) -> Vec<ApiClient> {
        let nodes = self.nodes.len();
        (0..nodes)
            .map(|step| api_of(&self.nodes[(operator + step) % nodes], &self.operators[operator]))
            .collect()
    }

    /// The first operator at the first node that runs.
    pub fn api(&self) -> ApiClient {
        let node = self.nodes.iter().find(|node| node.is_running());
        api_of(node.expect("a node runs"), &self.operators[0])
    }

    // Acting

    pub fn write(&mut self, client: usize, text: &str) {
        let client = &self.clients[client];
        let number = client.client.text(text).expect("a client can write");
        self.written.entry(client.name.clone()).or_default().push((number, text.to_owned()));
    }

    /// Sends and gives the message as it was accepted. The text is the intention's id as well.
    pub async fn send(&mut self, client: usize, text: &str) -> Message {
        let client = &self.clients[client];
        let sent = self.api().send_text(client.conversation, text, text).await;
        let (message, _) = sent.expect("the message is accepted");
        self.accepted.push(Accepted {
            client: client.name.clone(),
            author: "the test".to_owned(),
            message: message.id,
            text: text.to_owned(),
        });
        message
    }

    // Waiting

    /// Waits until it is so; looks again and again.
    pub async fn wait(&self, what: &str, is: impl AsyncFn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(self).await {
            assert!(Instant::now() < deadline, "waited for {what} in vain\n{}", self.complaints());
            tokio::time::sleep(LOOK).await;
        }
    }

    pub async fn wait_channel(&self, state: ChannelState) -> Channel {
        let what = format!("the channel to be {}", state.as_str());
        let id = self.channel.id;
        self.wait(&what, async |desk| {
            desk.api().channel(id).await.is_ok_and(|channel| channel.state == state)
        })
        .await;
        self.api().channel(id).await.expect("the channel is listed")
    }

    /// Waits until the message has this status, as the first session sees it.
    pub async fn wait_status(&self, id: MessageId, status: MessageStatus) -> Message {
        let session = &self.sessions[0];
        let has = |held: Option<&Message>| held.is_some_and(|held| held.status == Some(status));
        let came = session.wait_until(PATIENCE, |log| has(log.messages.get(&id))).await;
        let held = session.read(|log| log.messages.get(&id).cloned());
        assert!(came, "wanted {status:?}, the session holds {held:?}\n{}", self.complaints());
        held.expect("it is there")
    }

    /// What the provider recorded for each client, in order.
    pub fn recorded(&self) -> BTreeMap<String, Vec<String>> {
        let texts = |client: &DeskClient| {
            let sent = self.bot.sent_to_with_deleted(client.client.id());
            sent.into_iter().map(|message| message.text.unwrap_or_default()).collect()
        };
        self.clients.iter().map(|client| (client.name.clone(), texts(client))).collect()
    }

    /// Waits until nothing is on its way any more, and gives what the API tells then. When that moment does
    /// not come, says what was on its way.
    pub async fn rest(&self, longest: Duration) -> (History, Option<String>) {
        let deadline = Instant::now() + longest;
        let mut last = None;
        loop {
            let late = Instant::now() > deadline;
            match self.api().history().await {
                Ok(history) => match self.restless(&history) {
                    None if last.as_ref() == Some(&history.position) => return (history, None),
                    Some(why) if late => return (history, Some(why)),
                    _ => last = Some(history.position),
                },
                Err(error) => assert!(!late, "no history: {error}\n{}", self.complaints()),
            }
            tokio::time::sleep(LOOK * 5).await;
        }
    }

    fn restless(&self, history: &History) -> Option<String> {
        if self.bot.pending_updates() > 0 {
            return Some("updates are not confirmed".to_owned());
        }
        let mut messages = history.conversations.iter().flat_map(|(_, messages)| messages);
        let incoming = |message: &&Message| message.direction == Direction::Incoming;
        let (came, written): (usize, usize) =
            (messages.clone().filter(incoming).count(), self.written.values().map(Vec::len).sum());
        if came < written {
            return Some(format!("{came} of {written} messages came"));
        }
        let on_its_way = messages.find(|message| {
            message.direction == Direction::Outgoing
                && matches!(message.status, Some(MessageStatus::Queued | MessageStatus::Sending))
        });
        if let Some(message) = on_its_way {
            return Some(format!("message {} is {:?}", message.id, message.status));
        }
        self.sessions
            .iter()
            .map(|session| session.read(|log| (log.name.clone(), log.position.clone())))
            .find(|(_, position)| position.as_ref() != Some(&history.position))
            .map(|(name, position)| format!("session {name} is at {position:?}"))
    }

    /// Waits until all sessions hold this text.
    pub async fn wait_text(&self, text: &str) {
        for session in &self.sessions {
            let holds = session.wait_until(PATIENCE, |log| {
                log.messages.values().any(|message| message.content.words() == text)
            });
            let held = holds.await;
            let name = session.read(|log| log.name.clone());
            assert!(held, "session {name} was not told: {text}\n{}", self.complaints());
        }
    }

    /// Waits for rest, ends the sessions, and gives everything there is to judge by.
    pub async fn evidence(&mut self, longest: Duration) -> Evidence {
        let (history, unrest) = self.rest(longest).await;
        let mut sessions = Vec::new();
        for session in self.sessions.drain(..) {
            sessions.push(session.finish().await);
        }
        let in_order = |(name, texts): (&String, &Written)| {
            let mut texts = texts.clone();
            texts.sort_unstable();
            (name.clone(), texts.into_iter().map(|(_, text)| text).collect())
        };
        Evidence {
            written: self.written.iter().map(in_order).collect(),
            accepted: self.accepted.clone(),
            recorded: self.recorded(),
            history,
            sessions,
            unrest,
        }
    }

    /// Everything at rest, judged and found right.
    pub async fn prove(&mut self) -> Verdict {
        let evidence = self.evidence(PATIENCE).await;
        let verdict = judge(&evidence);
        println!("{:?}: {verdict}", self.installation.database());
        assert!(verdict.is_clean(), "{}\n{}", verdict.findings(), self.complaints());
        verdict
    }

    pub fn complaints(&self) -> String {
        let complaints: Vec<String> = self.nodes.iter().map(Node::complaints).collect();
        complaints.join("\n--\n")
    }
}

fn api_of(node: &Node, operator: &Administrator) -> ApiClient {
    ApiClient::new(node.base_url(), operator.company, &operator.token)
}
