//! What becomes of messages when the provider does not behave.

use channel_testkit::HoldAt;
use hub_domain::channel::{ChannelState, DriverError, InboundUpdate};
use hub_domain::{Message, MessageStatus};
use hub_server::actions::change_message::{MessageChange, change_message};
use hub_server::actions::send_message::{SendMessage, send_message};
use hub_server::error::ApiError;
use hub_tests::hub::{Database, TestHub};

macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($hub:ident: TestHub) $body:block)+) => {
        $($(#[$meta])* async fn $name($hub: TestHub) $body)+
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(TestHub::start(Database::Sqlite).await).await;
            })+
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(TestHub::start(Database::Postgres).await).await;
            })+
        }
    };
}

async fn try_send(hub: &TestHub, id: &str, text: &str) -> Result<(Message, bool), ApiError> {
    let conversation = hub.conversation_with("501").await;
    let request = SendMessage {
        conversation_id: conversation.id,
        client_message_id: id.to_owned(),
        text: text.to_owned(),
        attachment_id: None,
        reply_to_message_id: None,
    };
    send_message(&hub.store, &hub.operator, request).await
}

async fn send(hub: &TestHub, id: &str, text: &str) -> Message {
    try_send(hub, id, text).await.expect("accepted").0
}

async fn begin(hub: &TestHub) {
    hub.receive(vec![hub.fake.client("501", "Катя").says("Здравствуйте")]).await;
}

async fn status(hub: &TestHub, message: &Message) -> MessageStatus {
    let messages = hub.messages(message.conversation_id).await;
    let found = messages.into_iter().find(|it| it.id == message.id).expect("the message");
    found.status.expect("a status")
}

fn limited(seconds: u64) -> DriverError {
    DriverError::Retry {
        code: "rate_limited",
        detail: String::new(),
        retry_after_ms: Some(seconds * 1000),
        whole_account: false,
    }
}

on_both_engines! {
    async fn messages_of_one_conversation_reach_the_provider_in_order(hub: TestHub) {
        begin(&hub).await;
        // The clock stands still, so more would wait for their turn in the account's pace.
        hub.fake.fail_next_send(limited(20));
        for text in ["один", "два", "три"] {
            send(&hub, text, text).await;
        }
        hub.quiet().await;
        assert!(hub.fake.sent_texts("501").is_empty(), "the head of the lane waits");
        for _ in 0..4 {
            hub.later(21).await;
        }
        assert_eq!(hub.fake.sent_texts("501"), ["один", "два", "три"]);
    }

    async fn a_reply_finds_its_message_though_both_come_at_once(hub: TestHub) {
        let katya = hub.fake.client("501", "Катя");
        let question = katya.message(hub_domain::Content::text("Вопрос"));
        let reply = katya.replies(&question.external_id, "И ещё");
        let question = InboundUpdate::Message(Box::new(question));
        hub.receive(vec![hub.fake.number(question), reply]).await;
        let conversation = hub.conversation_with("501").await;
        let messages = hub.messages(conversation.id).await;
        let linked = messages[1].reply_to.as_ref().and_then(|reply| reply.message_id);
        assert_eq!(linked, Some(messages[0].id));
        let told = hub.events_after(0).await.into_iter().filter_map(|event| event.changes.message);
        assert_eq!(told.collect::<Vec<_>>(), messages, "what was told is what is stored");
    }

    async fn resending_with_the_same_client_id_returns_the_first_message(hub: TestHub) {
        begin(&hub).await;
        let first = send(&hub, "one", "Добрый день").await;
        let (again, made) = try_send(&hub, "one", "Добрый день").await.expect("the same");
        assert_eq!((again.id, made), (first.id, false));
        let other = try_send(&hub, "one", "Другой текст").await.expect_err("another intention");
        assert_eq!(other.code.as_str(), "client_message_id_conflict");
        hub.quiet().await;
        assert_eq!(hub.fake.sent().len(), 1);
    }

    async fn the_same_intention_at_the_same_time_is_one_message(hub: TestHub) {
        begin(&hub).await;
        let tries = (0..8).map(|_| try_send(&hub, "one", "Добрый день"));
        let tries = futures_util::future::join_all(tries).await;
        let made = tries.iter().filter(|it| it.as_ref().is_ok_and(|(_, made)| *made)).count();
        assert_eq!(made, 1);
        hub.quiet().await;
        assert_eq!(hub.fake.sent().len(), 1);
    }

    async fn a_lost_answer_is_shown_and_never_repeated(hub: TestHub) {
        begin(&hub).await;
        hub.fake.lose_next_answer();
        let message = send(&hub, "one", "Дошло ли?").await;
        hub.quiet().await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Unknown);
        hub.later(3600).await;
        assert_eq!(hub.fake.sent().len(), 1, "nobody asked for a second one");

        let next = send(&hub, "two", "Следующее").await;
        hub.quiet().await;
        assert_eq!(status(&hub, &next).await, MessageStatus::Sent, "the lane goes on");

        let again = MessageChange::SendAgain;
        change_message(&hub.store, &hub.operator, message.conversation_id, message.id, again)
            .await
            .expect("sends again");
        hub.later(1).await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Sent);
        assert_eq!(hub.fake.sent_texts("501"), ["Дошло ли?", "Следующее", "Дошло ли?"]);
    }

    async fn a_schedule_that_is_used_up_fails_the_message_and_a_retry_is_a_new_attempt(hub: TestHub) {
        begin(&hub).await;
        for _ in 0..3 {
            hub.fake.fail_next_send(limited(1));
        }
        let message = send(&hub, "one", "Позже").await;
        hub.quiet().await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Queued);
        hub.later(20).await;
        hub.later(100).await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Failed);
        let again = MessageChange::SendAgain;
        change_message(&hub.store, &hub.operator, message.conversation_id, message.id, again)
            .await
            .expect("sends again");
        hub.later(1).await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Sent);
    }

    async fn a_client_who_blocked_us_is_unreachable_and_the_next_message_refused(hub: TestHub) {
        begin(&hub).await;
        let refused = DriverError::Refused { code: "client_blocked", detail: String::new() };
        hub.fake.fail_next_send(refused);
        let message = send(&hub, "one", "Вы тут?").await;
        hub.quiet().await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Failed);
        assert!(!hub.conversation_with("501").await.reachable);
        let refused = try_send(&hub, "two", "Ау").await.expect_err("nobody would get it");
        assert_eq!(refused.code.as_str(), "conversation_unreachable");
    }

    async fn a_revoked_token_disables_the_channel_and_keeps_the_queue(hub: TestHub) {
        begin(&hub).await;
        hub.fake.revoke("100");
        let message = send(&hub, "one", "Ждёт").await;
        hub.later(3600).await;
        assert_eq!(status(&hub, &message).await, MessageStatus::Queued);
        let channel = hub.snapshot().await.channels.into_values().next().expect("the channel");
        assert_eq!(channel.state, ChannelState::Disabled);
        assert_eq!(channel.state_reason.as_deref(), Some("token_revoked"));
        let refused = try_send(&hub, "two", "Ещё").await.expect_err("the channel is off");
        assert_eq!(refused.code.as_str(), "channel_disabled");
    }

    async fn a_queued_message_can_be_deleted_and_a_message_under_way_cannot(hub: TestHub) {
        begin(&hub).await;
        hub.fake.hold_sends(HoldAt::BeforeAccepting);
        let flying = send(&hub, "one", "В пути").await;
        hub.fake.wait_for_held(1).await;
        let queued = send(&hub, "two", "Ждёт").await;
        let delete = |message: &Message| {
            let (conversation, id) = (message.conversation_id, message.id);
            change_message(&hub.store, &hub.operator, conversation, id, MessageChange::Delete)
        };
        assert_eq!(delete(&flying).await.expect_err("too late").code.as_str(), "status_conflict");
        assert!(delete(&queued).await.expect("deletes").deleted_at.is_some());
        hub.fake.release_sends();
        hub.later(5).await;
        assert_eq!(hub.fake.sent_texts("501"), ["В пути"]);
    }

    async fn a_conversation_that_waits_does_not_hold_up_another(hub: TestHub) {
        begin(&hub).await;
        hub.receive(vec![hub.fake.client("502", "Тимур").says("Добрый день")]).await;
        hub.fake.refuse_chat("501", limited(600));
        send(&hub, "one", "Первой").await;
        let other = hub.conversation_with("502").await;
        let request = SendMessage {
            conversation_id: other.id,
            client_message_id: "two".to_owned(),
            text: "Второму".to_owned(),
            attachment_id: None,
            reply_to_message_id: None,
        };
        send_message(&hub.store, &hub.operator, request).await.expect("accepted");
        hub.quiet().await;
        assert_eq!(hub.fake.sent_texts("502"), ["Второму"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_long_keeps_its_delivery() {
    let hub = TestHub::with(Database::Sqlite, |config| config.lease_seconds = 3).await;
    begin(&hub).await;
    hub.fake.hold_sends(HoldAt::AfterAccepting);
    let sent = send(&hub, "one", "большой файл").await;
    hub.fake.wait_for_held(1).await;
    let lease = async || {
        let mut reader = hub.store.reader().await.expect("a reader");
        let found = reader.db().delivery_of_subject(sent.id.0, "send_message").await;
        found.expect("reads").expect("a delivery").lease_until.expect("a lease")
    };
    // Longer than a lease in all, and never a whole one at once.
    for _ in 0..3 {
        let before = lease().await;
        hub.clock.advance_millis(2000);
        hub_tests::eventually("the lease is renewed", || async {
            (lease().await > before).then_some(())
        })
        .await;
    }
    hub.fake.release_sends();
    hub.quiet().await;
    assert_eq!(status(&hub, &sent).await, MessageStatus::Sent);
    assert_eq!(hub.fake.sent_texts("501"), ["большой файл"]);
}
