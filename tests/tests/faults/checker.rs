//! The judge: compares what was acknowledged, told and recorded. Pure, so that it can be tried itself.
//!
//! Three witnesses: the API (what a member reads now), each session (what it was told and made of it), the
//! provider (what it recorded). Whatever one acknowledged, the others must bear out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use hub_domain::event::EventType;
use hub_domain::{ConversationId, Direction, Message, MessageId, MessageStatus};
use hub_tests::client::History;
use hub_tests::session::SessionLog;

/// An outgoing message that the server answered for.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Name of the client it goes to.
    pub client: String,
    /// Name of the operator; one operator sends one message after another.
    pub author: String,
    pub message: MessageId,
    pub text: String,
}

/// What the witnesses say. Texts are unique; clients go by their names, which are unique too.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What each client wrote and the server confirmed to the provider, in order.
    pub written: BTreeMap<String, Vec<String>>,
    /// In the order in which each author was answered.
    pub accepted: Vec<Accepted>,
    /// What the provider recorded for each client, in order.
    pub recorded: BTreeMap<String, Vec<String>>,
    pub history: History,
    pub sessions: Vec<SessionLog>,
    /// What was still on its way when nobody would wait any longer.
    pub unrest: Option<String>,
}

/// What is wrong, and how much was looked at.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub written: usize,
    pub accepted: usize,
    pub recorded: usize,
    pub events: usize,
    pub sessions: usize,
    pub reconnects: usize,
    pub unknown: usize,
    pub losses: Vec<String>,
    pub doubles: Vec<String>,
    pub disorder: Vec<String>,
    /// Holes, repeats and other breaches in what sessions were told.
    pub gaps: Vec<String>,
    /// Where a session holds something else than the API tells.
    pub differences: Vec<String>,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.problems().all(|(_, found)| found.is_empty())
    }

    fn problems(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        [
            ("losses", &self.losses),
            ("doubles", &self.doubles),
            ("disorder", &self.disorder),
            ("gaps", &self.gaps),
            ("differences", &self.differences),
        ]
        .into_iter()
    }

    /// Adds another run, for a total.
    pub fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.accepted += other.accepted;
        self.recorded += other.recorded;
        self.events += other.events;
        self.sessions += other.sessions;
        self.reconnects += other.reconnects;
        self.unknown += other.unknown;
        self.losses.extend_from_slice(&other.losses);
        self.doubles.extend_from_slice(&other.doubles);
        self.disorder.extend_from_slice(&other.disorder);
        self.gaps.extend_from_slice(&other.gaps);
        self.differences.extend_from_slice(&other.differences);
    }

    /// What was found, the first few of each kind.
    pub fn findings(&self) -> String {
        let mut lines = Vec::new();
        for (kind, found) in self.problems() {
            lines.extend(found.iter().take(10).map(|one| format!("{kind}: {one}")));
            if found.len() > 10 {
                lines.push(format!("{kind}: and {} more", found.len() - 10));
            }
        }
        lines.join("\n")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "in {}, out {}, recorded {}, events {}, sessions {}, reconnects {}, unknown {}; ",
            self.written,
            self.accepted,
            self.recorded,
            self.events,
            self.sessions,
            self.reconnects,
            self.unknown
        )?;
        let counts: Vec<String> =
            self.problems().map(|(kind, found)| format!("{kind} {}", found.len())).collect();
        formatter.write_str(&counts.join(", "))
    }
}

/// One witness's account of the conversations.
struct View<'e> {
    witness: String,
    /// By the client's name, in the order of the conversation.
    conversations: BTreeMap<&'e str, Vec<&'e Message>>,
}

pub fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict {
        written: evidence.written.values().map(Vec::len).sum(),
        accepted: evidence.accepted.len(),
        recorded: evidence.recorded.values().map(Vec::len).sum(),
        sessions: evidence.sessions.len(),
        ..Verdict::default()
    };
    verdict
        .losses
        .extend(evidence.unrest.iter().map(|why| format!("it never came to rest: {why}")));
    let told = view_of_history(evidence, &mut verdict);
    check_view(evidence, &told, &mut verdict);
    check_provider(evidence, &told, &mut verdict);
    for session in &evidence.sessions {
        check_stream(session, &mut verdict);
        let held = view_of_session(evidence, session);
        check_view(evidence, &held, &mut verdict);
        check_state(evidence, session, &mut verdict);
    }
    verdict
}

fn view_of_history<'e>(evidence: &'e Evidence, verdict: &mut Verdict) -> View<'e> {
    let mut conversations: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    for (conversation, messages) in &evidence.history.conversations {
        let place = |message: &Message| (message.position, message.ordinal, message.id);
        let client = conversation.contact.name.as_str();
        if !messages.iter().map(place).is_sorted() {
            verdict.disorder.push(format!("the API lists the messages of {client} unsorted"));
        }
        if conversations.insert(client, messages.iter().collect()).is_some() {
            verdict.doubles.push(format!("the API lists two conversations with {client}"));
        }
    }
    View { witness: "the API".to_owned(), conversations }
}

fn view_of_session<'e>(evidence: &'e Evidence, session: &'e SessionLog) -> View<'e> {
    let names = evidence.history.conversations.iter();
    let names: HashMap<ConversationId, &str> =
        names.map(|(one, _)| (one.id, one.contact.name.as_str())).collect();
    let conversations = session
        .conversations
        .keys()
        .filter_map(|id| Some((*names.get(id)?, session.conversation(*id))))
        .collect();
    View { witness: format!("session {}", session.name), conversations }
}

/// Every message there, once, in order, and nothing else.
fn check_view(evidence: &Evidence, view: &View<'_>, verdict: &mut Verdict) {
    let witness = &view.witness;
    for (client, written) in &evidence.written {
        let incoming: Vec<&str> = view
            .conversations
            .get(client.as_str())
            .into_iter()
            .flatten()
            .filter(|message| message.direction == Direction::Incoming)
            .map(|message| message.content.words())
            .collect();
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        let who = format!("{witness}: {client} wrote");
        compare(&who, &written, &incoming, verdict);
    }
    for client in view.conversations.keys().filter(|name| !evidence.written.contains_key(**name)) {
        verdict.doubles.push(format!("{witness}: nobody is called {client}"));
    }
    let mut by_author: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let mut by_client: BTreeMap<&str, HashMap<MessageId, &str>> = BTreeMap::new();
    for sent in &evidence.accepted {
        by_author.entry((&sent.author, &sent.client)).or_default().push(&sent.text);
        by_client.entry(&sent.client).or_default().insert(sent.message, &sent.text);
    }
    for ((author, client), sent) in &by_author {
        let wanted: HashSet<&str> = sent.iter().copied().collect();
        let outgoing: Vec<&str> = outgoing(view, client)
            .map(|message| message.content.words())
            .filter(|text| wanted.contains(text))
            .collect();
        compare(&format!("{witness}: {author} sent {client}"), sent, &outgoing, verdict);
    }
    for client in view.conversations.keys() {
        for message in outgoing(view, client) {
            let known = by_client.get(client).and_then(|sent| sent.get(&message.id));
            if known.copied() != Some(message.content.words()) {
                let (id, text) = (message.id, message.content.words());
                let what = format!("{witness}: message {id} to {client} is nobody's: {text}");
                verdict.doubles.push(what);
            }
        }
    }
}

fn outgoing<'v>(view: &'v View<'_>, client: &str) -> impl Iterator<Item = &'v Message> {
    let messages = view.conversations.get(client).into_iter().flatten();
    messages.copied().filter(|message| message.direction == Direction::Outgoing)
}

/// `found` must be `expected`. Says which texts are missing, there twice, unexpected or out of order.
fn compare(who: &str, expected: &[&str], found: &[&str], verdict: &mut Verdict) {
    let places: HashMap<&str, usize> =
        expected.iter().enumerate().map(|(place, text)| (*text, place)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut last = None;
    for text in found {
        let Some(place) = places.get(text) else {
            verdict.doubles.push(format!("{who}: never said: {text}"));
            continue;
        };
        *times.entry(text).or_default() += 1;
        if times[text] > 1 {
            continue;
        }
        if last.is_some_and(|last| last > *place) {
            verdict.disorder.push(format!("{who}: too late: {text}"));
        }
        last = last.max(Some(*place));
    }
    for text in expected {
        match times.get(text).copied().unwrap_or_default() {
            0 => verdict.losses.push(format!("{who}: missing: {text}")),
            1 => {}
            times => verdict.doubles.push(format!("{who}: {times} times: {text}")),
        }
    }
}

/// What is said to have arrived was recorded once, what is unknown at most once, all in one order.
fn check_provider(evidence: &Evidence, told: &View<'_>, verdict: &mut Verdict) {
    let clients: HashSet<&str> = evidence
        .recorded
        .keys()
        .map(String::as_str)
        .chain(evidence.accepted.iter().map(|sent| sent.client.as_str()))
        .collect();
    for client in clients {
        let recorded = evidence.recorded.get(client).map_or(&[] as &[String], Vec::as_slice);
        let mut times: HashMap<&str, usize> = HashMap::new();
        for text in recorded {
            *times.entry(text).or_default() += 1;
        }
        let mut expected = Vec::new();
        for message in outgoing(told, client) {
            let text = message.content.words();
            let recorded = times.contains_key(text);
            match message.status {
                Some(MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read) => {
                    expected.push(text);
                }
                Some(MessageStatus::Unknown) => {
                    verdict.unknown += 1;
                    if recorded {
                        expected.push(text);
                    }
                }
                status => verdict.losses.push(format!(
                    "message {} to {client} is {status:?} at the end: {text}",
                    message.id
                )),
            }
        }
        let recorded: Vec<&str> = recorded.iter().map(String::as_str).collect();
        compare(&format!("the provider for {client}"), &expected, &recorded, verdict);
    }
}

/// Offsets follow each other from the beginning to the position, and each message comes new once.
fn check_stream(session: &SessionLog, verdict: &mut Verdict) {
    let name = &session.name;
    verdict.events += session.seen.len();
    verdict.reconnects += session.connections.saturating_sub(1);
    if session.connections == 0 {
        verdict.gaps.push(format!("{name} never got to watch"));
    }
    if session.not_recovered > 0 {
        verdict.gaps.push(format!("{name} had to reload {} times", session.not_recovered));
    }
    verdict.gaps.extend(session.complaints.iter().map(|one| format!("{name}: {one}")));
    let mut at = session.beginnings.first().map_or(0, |position| position.offset);
    for seen in &session.seen {
        if seen.offset != at + 1 {
            verdict.gaps.push(format!("{name} was told {} after {at}", seen.offset));
        }
        at = seen.offset;
    }
    let position = session.position.as_ref().map_or(0, |position| position.offset);
    if position != at {
        verdict.gaps.push(format!("{name} is at {position}, and was told through {at}"));
    }
    let epochs: HashSet<&str> = session.seen.iter().map(|seen| seen.epoch.as_str()).collect();
    if epochs.len() > 1 {
        verdict.gaps.push(format!("{name} lived through {} epochs", epochs.len()));
    }
    let mut new = HashSet::new();
    for seen in &session.seen {
        let is_new =
            matches!(seen.event_type, EventType::MessageReceived | EventType::MessageCreated);
        if is_new && seen.message.is_some_and(|id| !new.insert(id)) {
            verdict
                .doubles
                .push(format!("{name} was told twice of new message {:?}", seen.message));
        }
    }
}

/// The session holds what the API tells.
fn check_state(evidence: &Evidence, session: &SessionLog, verdict: &mut Verdict) {
    let name = &session.name;
    let told: HashMap<MessageId, &Message> = evidence
        .history
        .conversations
        .iter()
        .flat_map(|(_, messages)| messages.iter().map(|message| (message.id, message)))
        .collect();
    for (id, held) in &session.messages {
        if told.get(id).is_some_and(|told| *told != held) {
            verdict.differences.push(format!(
                "{name} holds message {id} at version {}, the API at {}",
                held.version, told[id].version
            ));
        }
    }
    for (told, _) in &evidence.history.conversations {
        if session.conversations.get(&told.id) != Some(told) {
            verdict.differences.push(format!("{name} holds conversation {} differently", told.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use hub_domain::{
        ChannelId, CompanyId, ContactCard, ContactId, Content, Conversation, ConversationState,
        StreamPosition, Timestamp,
    };
    use hub_tests::session::Seen;

    use super::*;

    const CLIENT: &str = "Client";

    fn at(offset: i64) -> StreamPosition {
        StreamPosition { epoch: "e".to_owned(), offset }
    }

    fn message(id: i64, direction: Direction, text: &str) -> Message {
        Message {
            id: MessageId(id),
            conversation_id: ConversationId(1),
            direction,
            author_member_id: None,
            client_message_id: None,
            content: Content::text(text),
            attachments: Vec::new(),
            album_id: None,
            reply_to: None,
            forwarded_from: None,
            reactions: Vec::new(),
            status: (direction == Direction::Outgoing).then_some(MessageStatus::Sent),
            failure: None,
            retry_at: None,
            position: id,
            ordinal: 0,
            sent_at: Timestamp(0),
            edited_at: None,
            deleted_at: None,
            created_at: Timestamp(0),
            version: id,
        }
    }

    fn conversation() -> Conversation {
        Conversation {
            id: ConversationId(1),
            company_id: CompanyId(1),
            channel_id: ChannelId(1),
            contact: ContactCard {
                id: ContactId(1),
                name: CLIENT.to_owned(),
                named_by_member: false,
                phone: None,
                phone_by_member: false,
                username: None,
                comment: String::new(),
            },
            state: ConversationState::Open,
            assignee_id: None,
            unanswered_count: 0,
            waiting_since: None,
            activity: 0,
            last_incoming_position: 0,
            last_message: None,
            reachable: true,
            created_at: Timestamp(0),
            version: 1,
        }
    }

    /// Two messages in, two out; one session that saw it all.
    fn clean() -> Evidence {
        let texts = |texts: [&str; 2]| {
            BTreeMap::from([(CLIENT.to_owned(), texts.map(str::to_owned).to_vec())])
        };
        let messages = vec![
            message(1, Direction::Incoming, "a1"),
            message(2, Direction::Incoming, "a2"),
            message(3, Direction::Outgoing, "b1"),
            message(4, Direction::Outgoing, "b2"),
        ];
        let seen = messages.iter().map(|message| Seen {
            epoch: "e".to_owned(),
            offset: message.id.0,
            event_type: EventType::MessageCreated,
            message: Some(message.id),
        });
        let session = SessionLog {
            name: "first".to_owned(),
            position: Some(at(4)),
            beginnings: vec![at(0)],
            seen: seen.collect(),
            messages: messages.iter().map(|message| (message.id, message.clone())).collect(),
            conversations: BTreeMap::from([(ConversationId(1), conversation())]),
            connections: 1,
            ..SessionLog::default()
        };
        let accepted = |id: i64, text: &str| Accepted {
            client: CLIENT.to_owned(),
            author: "operator".to_owned(),
            message: MessageId(id),
            text: text.to_owned(),
        };
        Evidence {
            written: texts(["a1", "a2"]),
            accepted: vec![accepted(3, "b1"), accepted(4, "b2")],
            recorded: texts(["b1", "b2"]),
            history: History { position: at(4), conversations: vec![(conversation(), messages)] },
            sessions: vec![session],
            unrest: None,
        }
    }

    fn history(evidence: &mut Evidence) -> &mut Vec<Message> {
        &mut evidence.history.conversations[0].1
    }

    fn recorded(evidence: &mut Evidence) -> &mut Vec<String> {
        evidence.recorded.get_mut(CLIENT).expect("there is one client")
    }

    /// Plants something, and gives what was found.
    fn planted(plant: impl FnOnce(&mut Evidence)) -> Verdict {
        let mut evidence = clean();
        plant(&mut evidence);
        judge(&evidence)
    }

    #[test]
    fn what_is_right_is_found_right() {
        let verdict = judge(&clean());
        assert!(verdict.is_clean(), "{}", verdict.findings());
        assert_eq!((verdict.written, verdict.accepted, verdict.recorded), (2, 2, 2));
        assert_eq!((verdict.events, verdict.unknown), (4, 0));
    }

    #[test]
    fn a_second_conversation_with_a_client_is_found() {
        let verdict = planted(|evidence| {
            let again = evidence.history.conversations[0].clone();
            evidence.history.conversations.push(again);
        });
        assert_eq!(verdict.doubles.len(), 1, "{}", verdict.findings());
    }

    #[test]
    fn a_loss_is_found_at_the_api_at_a_session_and_at_the_provider() {
        for id in [1, 4] {
            let verdict = planted(|evidence| {
                history(evidence).retain(|message| message.id != MessageId(id));
            });
            assert!(!verdict.losses.is_empty() || !verdict.doubles.is_empty(), "API, {id}");
            assert!(verdict.losses.iter().any(|loss| loss.contains("the API")), "API, {id}");
            let verdict = planted(|evidence| {
                evidence.sessions[0].messages.remove(&MessageId(id));
            });
            assert_eq!(verdict.losses.len(), 1, "session, {id}: {}", verdict.findings());
        }
        let verdict = planted(|evidence| drop(recorded(evidence).pop()));
        assert_eq!(verdict.losses.len(), 1, "provider: {}", verdict.findings());
        let verdict = planted(|evidence| evidence.sessions[0].conversations.clear());
        assert!(!verdict.losses.is_empty(), "a conversation: {}", verdict.findings());
    }

    #[test]
    fn a_double_is_found_at_the_api_at_a_session_and_at_the_provider() {
        for (direction, text) in [(Direction::Incoming, "a2"), (Direction::Outgoing, "b2")] {
            let verdict = planted(|evidence| {
                history(evidence).push(message(9, direction, text));
            });
            assert!(!verdict.doubles.is_empty(), "API, {text}");
            let verdict = planted(|evidence| {
                let copy = message(9, direction, text);
                evidence.sessions[0].messages.insert(copy.id, copy);
            });
            assert!(!verdict.doubles.is_empty(), "session, {text}");
        }
        let verdict = planted(|evidence| recorded(evidence).push("b1".to_owned()));
        assert_eq!(verdict.doubles.len(), 1, "provider: {}", verdict.findings());
        let verdict = planted(|evidence| recorded(evidence).push("b9".to_owned()));
        assert_eq!(verdict.doubles.len(), 1, "never sent: {}", verdict.findings());
        let verdict = planted(|evidence| {
            let session = &mut evidence.sessions[0];
            let again = Seen { offset: 5, ..session.seen[0].clone() };
            session.seen.push(again);
            session.position = Some(at(5));
        });
        assert_eq!(verdict.doubles.len(), 1, "an event: {}", verdict.findings());
    }

    #[test]
    fn disorder_is_found_at_the_api_at_a_session_and_at_the_provider() {
        for (first, second) in [(0, 1), (2, 3)] {
            let verdict = planted(|evidence| {
                history(evidence).swap(first, second);
            });
            assert!(!verdict.disorder.is_empty(), "API, {first}: {}", verdict.findings());
            let verdict = planted(|evidence| {
                let id = MessageId(first as i64 + 1);
                let held = evidence.sessions[0].messages.get_mut(&id).expect("it is there");
                held.position = 9;
            });
            assert!(!verdict.disorder.is_empty(), "session, {first}: {}", verdict.findings());
        }
        let verdict = planted(|evidence| recorded(evidence).swap(0, 1));
        assert_eq!(verdict.disorder.len(), 1, "provider: {}", verdict.findings());
    }

    #[test]
    fn an_unknown_message_may_have_arrived_or_not_but_not_twice() {
        let unknown = |times: usize| {
            planted(|evidence| {
                history(evidence)[3].status = Some(MessageStatus::Unknown);
                let held = evidence.sessions[0].messages.get_mut(&MessageId(4));
                held.expect("it is there").status = Some(MessageStatus::Unknown);
                recorded(evidence).pop();
                recorded(evidence).extend((0..times).map(|_| "b2".to_owned()));
            })
        };
        for times in [0, 1] {
            let verdict = unknown(times);
            assert!(verdict.is_clean(), "{times}: {}", verdict.findings());
            assert_eq!(verdict.unknown, 1);
        }
        assert_eq!(unknown(2).doubles.len(), 1);
    }

    #[test]
    fn a_message_that_is_still_queued_at_the_end_or_failed_is_a_loss() {
        for status in [MessageStatus::Queued, MessageStatus::Sending, MessageStatus::Failed] {
            let verdict = planted(|evidence| history(evidence)[3].status = Some(status));
            assert!(!verdict.losses.is_empty(), "{status:?}");
        }
    }

    #[test]
    fn what_never_comes_to_rest_is_a_loss() {
        let verdict =
            planted(|evidence| evidence.unrest = Some("updates are not confirmed".into()));
        assert_eq!(verdict.losses.len(), 1);
    }

    #[test]
    fn holes_repeats_and_reloads_of_a_session_are_found() {
        let session = |plant: fn(&mut SessionLog)| {
            planted(|evidence| plant(&mut evidence.sessions[0])).gaps.len()
        };
        assert!(session(|log| drop(log.seen.remove(1))) > 0, "a hole");
        assert!(session(|log| drop(log.seen.pop())) > 0, "the last event");
        assert!(session(|log| log.seen.insert(1, log.seen[0].clone())) > 0, "a repeat");
        assert!(session(|log| log.not_recovered = 1) > 0, "a reload");
        assert!(session(|log| log.complaints.push(String::new())) > 0, "a complaint");
        assert!(session(|log| log.connections = 0) > 0, "no connection");
        assert!(session(|log| log.seen[3].epoch = "f".to_owned()) > 0, "another epoch");
    }

    #[test]
    fn a_session_that_holds_something_else_is_found() {
        let verdict = planted(|evidence| {
            let held = evidence.sessions[0].messages.get_mut(&MessageId(1));
            held.expect("it is there").version = 7;
        });
        assert_eq!(verdict.differences.len(), 1);
        let verdict = planted(|evidence| {
            let held = evidence.sessions[0].conversations.get_mut(&ConversationId(1));
            held.expect("it is there").unanswered_count = 7;
        });
        assert_eq!(verdict.differences.len(), 1);
    }
}
