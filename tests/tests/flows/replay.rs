//! The replay proof: for every action, what a client held before + the events since = what a client
//! would load after.
//!
//! The same steps write `tests/replay/*.json`, from which the interface's reducer is proved with the same
//! truth (`UZEL_REGEN=1` renews them).

use channel_testkit::FakeClient;
use hub_domain::channel::{DriverError, InboundAttachment, InboundUpdate};
use hub_domain::{AttachmentKind, Content, ConversationState, Event, MessageStatus};
use hub_server::actions::add_note::{AddNote, add_note};
use hub_server::actions::assign::assign;
use hub_server::actions::change_channel::{ChannelChange, change_channel};
use hub_server::actions::change_company::{CompanyChange, change_company};
use hub_server::actions::change_contact::{CommentChange, ContactChange, change_contact};
use hub_server::actions::change_message::{MessageChange, change_message};
use hub_server::actions::change_quick_reply::{
    QuickReplyChange, Wording, add_quick_reply, change_quick_reply,
};
use hub_server::actions::delete_channel::delete_channel;
use hub_server::actions::fetch_attachment::fetch_attachment;
use hub_server::actions::mark_answered::mark_answered;
use hub_server::actions::move_read_marker::move_read_marker;
use hub_server::actions::send_message::{SendMessage, send_message};
use hub_server::actions::set_conversation_state::set_conversation_state;
use hub_tests::hub::{Database, Snapshot, TestHub};
use secrecy::SecretString;
use serde::Serialize;

#[derive(Serialize)]
struct Triple {
    before: Snapshot,
    events: Vec<Event>,
    after: Snapshot,
}

/// Takes the proof of one step after another.
struct Proof {
    hub: TestHub,
    before: Snapshot,
    offset: i64,
    triples: Vec<(String, Triple)>,
}

impl Proof {
    async fn start(database: Database) -> Self {
        let hub = TestHub::with_concurrency(database, 1).await;
        let (before, offset) = (hub.snapshot().await, hub.offset().await);
        Self { hub, before, offset, triples: Vec::new() }
    }

    /// The step is done: proves it, and begins the next.
    async fn step(&mut self, name: &str) {
        self.hub.clock.advance_millis(1000);
        self.hub.quiet().await;
        let events = self.hub.events_after(self.offset).await;
        let after = self.hub.snapshot().await;
        assert!(!events.is_empty(), "{name}: nothing was told");
        let mut replayed = self.before.clone();
        for event in &events {
            replayed.apply(event);
        }
        assert_eq!(replayed, after, "{name}: what was told is not what became");
        // Applied again, and after the state they lead to, events change nothing.
        for event in &events {
            replayed.apply(event);
        }
        assert_eq!(replayed, after, "{name}: events are not idempotent");
        self.offset = events.last().map_or(self.offset, |event| event.offset);
        let before = std::mem::replace(&mut self.before, after.clone());
        self.triples.push((name.to_owned(), Triple { before, events, after }));
    }

    async fn send(&self, client: &FakeClient, id: &str, text: &str) -> hub_domain::Message {
        let conversation = self.hub.conversation_with(&client.sender().external_id).await;
        let request = SendMessage {
            conversation_id: conversation.id,
            client_message_id: id.to_owned(),
            text: text.to_owned(),
            attachment_id: None,
            reply_to_message_id: None,
        };
        let sent = send_message(&self.hub.store, &self.hub.operator, request).await;
        sent.expect("accepted").0
    }

    async fn change(&self, message: &hub_domain::Message, change: MessageChange) {
        let (store, scope) = (&self.hub.store, &self.hub.scope);
        change_message(store, scope, message.conversation_id, message.id, change)
            .await
            .expect("changes");
    }
}

fn photo(
    client: &FakeClient,
    file_ref: &str,
    album: Option<&str>,
) -> hub_domain::channel::InboundMessage {
    let mut message = client.message(Content::text("Домашняя работа"));
    message.album_id = album.map(ToOwned::to_owned);
    message.attachments.push(InboundAttachment {
        kind: AttachmentKind::Photo,
        file_ref: file_ref.to_owned(),
        unique_ref: None,
        file_name: None,
        mime_type: Some("image/jpeg".to_owned()),
        size_bytes: Some(3),
        width: Some(640),
        height: Some(480),
        duration_seconds: None,
        emoji: None,
    });
    message
}

fn refused(code: &'static str) -> DriverError {
    DriverError::Refused { code, detail: "the provider's words".to_owned() }
}

async fn every_action(database: Database) -> Vec<(String, Triple)> {
    let mut proof = Proof::start(database).await;
    let fake = proof.hub.fake.clone();
    let driver = fake.driver();
    let katya = fake.client("501", "Катя Орлова");
    let timur = fake.client("502", "Тимур");

    let first = katya.says("Здравствуйте!");
    proof.hub.receive(vec![first.clone()]).await;
    proof.step("a_client_writes_first").await;

    proof.hub.receive(vec![katya.says("Есть места в группе?"), timur.says("Добрый день")]).await;
    proof.step("two_clients_write_at_once").await;

    proof.hub.receive(vec![katya.edits(&first, "Здравствуйте, это Катя")]).await;
    proof.step("a_client_edits").await;

    fake.put_file("photo-1", &b"jpg"[..]);
    fake.put_file("photo-2", &b"jpg"[..]);
    let album = vec![
        fake.number(InboundUpdate::Message(Box::new(photo(&katya, "photo-1", Some("album"))))),
        fake.number(InboundUpdate::Message(Box::new(photo(&katya, "photo-2", Some("album"))))),
    ];
    proof.hub.receive(album).await;
    proof.step("a_client_sends_an_album_which_is_fetched").await;

    fake.fail_file("lost", refused("file_expired"));
    let lost = fake.number(InboundUpdate::Message(Box::new(photo(&timur, "lost", None))));
    proof.hub.receive(vec![lost]).await;
    proof.step("a_file_cannot_be_fetched").await;

    fake.put_file("lost", &b"jpg"[..]);
    let message = proof.before.messages.values().last().expect("a message").clone();
    let (store, operator) = (proof.hub.store.clone(), proof.hub.operator.clone());
    fetch_attachment(&store, &operator, message.attachments[0].id).await.expect("fetches");
    proof.hub.quiet().await;
    proof.step("a_file_is_fetched_again").await;

    proof.hub.receive(vec![katya.shares_own_phone("+7 926 123-45-67")]).await;
    proof.step("a_client_shares_the_phone").await;

    let answer = proof.send(&katya, "intention-1", "Места есть").await;
    proof.step("an_operator_answers").await;

    let sent = fake.sent().last().expect("sent").external_id.clone();
    proof.hub.receive(vec![katya.replies(&sent, "Отлично")]).await;
    proof.step("a_client_replies_to_our_message").await;

    proof.hub.receive(vec![katya.reacts(&sent, &["👍"])]).await;
    proof.step("a_client_reacts").await;

    proof.hub.receive(vec![katya.presses("yes", Some(&sent))]).await;
    proof.step("a_client_presses_a_button").await;

    proof.change(&answer, MessageChange::Edit { text: "Места есть, два".to_owned() }).await;
    proof.step("an_operator_edits").await;

    fake.fail_next_change(refused("message_too_old"));
    proof.change(&answer, MessageChange::Delete).await;
    proof.step("a_deletion_is_refused").await;

    proof.change(&answer, MessageChange::Delete).await;
    proof.step("an_operator_deletes").await;

    fake.fail_next_send(refused("bad_request"));
    let failed = proof.send(&katya, "intention-2", "Не дойдёт").await;
    proof.step("a_message_fails").await;

    proof.change(&failed, MessageChange::SendAgain).await;
    proof.step("a_failed_message_is_sent_again").await;

    fake.lose_next_answer();
    let unknown = proof.send(&katya, "intention-3", "Дошло ли?").await;
    proof.step("an_outcome_is_unknown").await;
    assert_eq!(
        proof.before.messages[&unknown.id.0].status,
        Some(MessageStatus::Unknown),
        "the answer was lost"
    );

    proof.change(&unknown, MessageChange::ConsiderSent).await;
    proof.step("an_unknown_message_is_considered_sent").await;

    let conversation = proof.hub.conversation_with("501").await;
    let (admin, operator) = (proof.hub.scope.clone(), proof.hub.operator.clone());
    assign(&store, &admin, conversation.id, Some(operator.member_id)).await.expect("assigns");
    proof.step("a_conversation_is_assigned").await;

    assign(&store, &admin, conversation.id, None).await.expect("unassigns");
    proof.step("a_conversation_is_given_back").await;

    let position = proof.before.conversations[&conversation.id.0].last_incoming_position;
    move_read_marker(&store, &operator, conversation.id, position).await.expect("moves");
    proof.step("an_operator_reads").await;

    proof.hub.receive(vec![katya.says("Жду")]).await;
    mark_answered(&store, &operator, conversation.id).await.expect("marks");
    proof.step("a_conversation_is_marked_answered").await;

    let archived = ConversationState::Archived;
    set_conversation_state(&store, &operator, conversation.id, archived).await.expect("archives");
    proof.step("a_conversation_is_archived").await;

    proof.hub.receive(vec![katya.says("Я вернулась")]).await;
    proof.step("an_archived_client_writes_again").await;

    set_conversation_state(&store, &operator, conversation.id, archived).await.expect("archives");
    let open = ConversationState::Open;
    set_conversation_state(&store, &operator, conversation.id, open).await.expect("reopens");
    proof.step("a_conversation_is_taken_back").await;

    proof.hub.receive(vec![timur.blocks()]).await;
    proof.step("a_client_blocks").await;

    proof.hub.receive(vec![timur.unblocks()]).await;
    proof.step("a_client_unblocks").await;

    let channel = proof.hub.channel.id;
    let change = |change| change_channel(&store, &driver, &admin, channel, change);
    let renamed =
        ChannelChange { name: Some("Бот школы".to_owned()), ..ChannelChange::default() };
    change(renamed).await.expect("renames");
    proof.step("a_channel_is_renamed").await;

    let off = ChannelChange { enabled: Some(false), ..ChannelChange::default() };
    change(off).await.expect("disables");
    proof.step("a_channel_is_disabled").await;

    let on = ChannelChange { enabled: Some(true), ..ChannelChange::default() };
    change(on).await.expect("enables");
    proof.step("a_channel_is_enabled").await;

    fake.revoke("100");
    proof.send(&katya, "intention-4", "Ждёт нового токена").await;
    proof.step("a_token_is_revoked").await;

    fake.reinstate("100");
    let credential = Some(SecretString::from("100:another"));
    change(ChannelChange { credential, ..ChannelChange::default() }).await.expect("takes it");
    proof.step("a_new_token_lets_the_queue_go_on").await;
    assert_eq!(fake.sent_texts("501").last().map(String::as_str), Some("Ждёт нового токена"));

    let conversation = proof.hub.conversation_with("501").await;
    let note = AddNote {
        conversation_id: conversation.id,
        client_message_id: "note-1".to_owned(),
        text: "Мама Сони, 5 класс".to_owned(),
    };
    let sends = fake.sent().len();
    add_note(&store, &operator, note).await.expect("notes");
    proof.step("an_operator_leaves_a_note").await;
    assert_eq!(fake.sent().len(), sends, "the client never sees a note");

    let contact = conversation.contact.id;
    let card = ContactChange {
        name: Some("Екатерина Орлова".to_owned()),
        phone: Some("8 (926) 418-07-53".to_owned()),
        comment: Some(CommentChange {
            before: String::new(),
            after: "Звонить после 18:00".to_owned(),
        }),
    };
    change_contact(&store, &operator, contact, card).await.expect("writes on the card");
    proof.step("an_operator_writes_on_the_card").await;

    proof.hub.receive(vec![katya.shares_own_phone("+7 926 123-45-67")]).await;
    proof.step("the_messenger_says_otherwise").await;
    let card = proof.before.conversations[&conversation.id.0].contact.clone();
    assert_eq!(card.name, "Екатерина Орлова", "a member's name stays");
    assert_eq!(card.phone.as_deref(), Some("79264180753"), "and a member's phone");

    let wording = |name: &str| Wording {
        name: name.to_owned(),
        text: "Да, @name@, можно двумя частями.".to_owned(),
    };
    let saved = add_quick_reply(&store, &operator, wording("Оплата")).await.expect("adds");
    proof.step("a_quick_reply_is_added").await;

    let change = |change| change_quick_reply(&store, &admin, saved.id, change);
    change(QuickReplyChange::Word(wording("Оплата частями"))).await.expect("changes");
    proof.step("a_quick_reply_is_changed").await;

    change(QuickReplyChange::Delete).await.expect("deletes");
    proof.step("a_quick_reply_is_deleted").await;
    let renamed = CompanyChange { name: Some("Точка опоры".to_owned()) };
    change_company(&store, &admin, renamed).await.expect("renames");
    proof.step("a_company_is_renamed").await;

    fake.revoke("100");
    proof.send(&katya, "intention-5", "Не успеет").await;
    proof.hub.quiet().await;
    delete_channel(&store, &admin, channel).await.expect("deletes");
    // Before the clock moves on: when it is told is part of what is compared.
    proof.hub.quiet().await;
    proof.step("a_channel_is_deleted_and_its_queue_is_cancelled").await;
    let cancelled = proof.before.messages.values().last().expect("a message");
    assert_eq!(cancelled.status, Some(MessageStatus::Failed));

    proof.triples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_lead_from_before_to_after_on_postgres() {
    assert!(every_action(Database::Postgres).await.len() > 30);
}

/// Also writes the triples for the interface.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_replay_triples_prove_every_action_on_sqlite() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("replay");
    let regen = std::env::var_os("UZEL_REGEN").is_some();
    let triples = every_action(Database::Sqlite).await;
    let mut names = std::collections::BTreeSet::new();
    for (index, (name, triple)) in triples.into_iter().enumerate() {
        let file = format!("{:02}_{name}.json", index + 1);
        let json = serde_json::to_string_pretty(&triple).expect("serialises") + "\n";
        let path = folder.join(&file);
        if regen {
            std::fs::write(&path, json).expect("writes");
        } else {
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(committed, json, "{file} is stale: run `make regen`");
        }
        names.insert(file);
    }
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        if !names.contains(&name) {
            assert!(regen, "{name} belongs to no step: run `make regen`");
            std::fs::remove_file(folder.join(name)).expect("removes");
        }
    }
}
