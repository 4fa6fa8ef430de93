//! The pretended provider keeps its rules.

use futures_util::StreamExt as _;

use super::*;

fn access() -> ChannelAccess {
    ChannelAccess {
        channel_id: ChannelId(1),
        secret: SecretString::from("7001:fake"),
        webhook_secret: SecretString::from("hush"),
        external_id: "7001".to_owned(),
    }
}

fn text(chat_id: &str, text: &str) -> OutboundMessage {
    OutboundMessage {
        chat_id: chat_id.to_owned(),
        text: text.to_owned(),
        attachment: None,
        reply_to: None,
    }
}

#[tokio::test]
async fn an_update_stays_until_a_poll_asks_past_it() {
    let fake = FakeChannel::new();
    let update = fake.client("501", "Анна").says("hello");
    fake.deliver("7001", update.clone());

    let first = fake.poll(&access(), None).await.expect("polls");
    let again = fake.poll(&access(), None).await.expect("polls");
    assert_eq!(first.updates, vec![update]);
    assert_eq!(first, again);

    fake.set_poll_wait(Duration::ZERO);
    let after = fake.poll(&access(), first.next_cursor.as_deref()).await.expect("polls");
    assert!(after.updates.is_empty());
    fake.wait_for_empty_queue("7001").await;
}

#[tokio::test]
async fn a_webhook_body_stands_for_its_updates_however_often() {
    let fake = FakeChannel::new();
    let update = fake.client("501", "Анна").says("hello");
    let body = fake.webhook_body(std::slice::from_ref(&update));
    for _ in 0..2 {
        let parsed = fake.parse_webhook(&access(), &body).expect("parses");
        assert_eq!(parsed, vec![update.clone()]);
    }
    assert!(fake.parse_webhook(&access(), b"{\"fake_updates\":[99]}").is_err());
}

#[tokio::test]
async fn scripted_outcomes_apply_once_and_in_order() {
    let fake = FakeChannel::new();
    fake.fail_next_send(DriverError::Refused { code: "client_blocked", detail: String::new() });
    fake.lose_next_answer();

    let refused = fake.send(&access(), &text("501", "one")).await;
    assert_eq!(refused.expect_err("scripted").code(), "client_blocked");
    let lost = fake.send(&access(), &text("501", "two")).await;
    assert_eq!(lost.expect_err("scripted").code(), "answer_lost");
    fake.send(&access(), &text("501", "three")).await.expect("nothing scripted any more");
    assert_eq!(fake.sent_texts("501"), ["two", "three"]);
}

#[tokio::test]
async fn a_held_send_waits_for_its_release() {
    let fake = FakeChannel::new();
    fake.hold_sends(HoldAt::AfterAccepting);
    let sender = fake.clone();
    let send = async move { sender.send(&access(), &text("501", "held")).await };
    let release = async {
        fake.wait_for_held(1).await;
        assert_eq!(fake.sent_texts("501"), ["held"]);
        fake.release_one_send();
    };
    let (sent, ()) = tokio::join!(send, release);
    assert_eq!(sent.expect("released").external_id, "501:1");
    assert_eq!(fake.held_sends(), 0);
}

#[tokio::test]
async fn a_revoked_token_fails_every_call() {
    let fake = FakeChannel::new();
    fake.account(&access()).await.expect("works");
    fake.revoke("7001");
    assert_eq!(fake.poll(&access(), None).await.expect_err("revoked").code(), "token_revoked");
    let sent = fake.send(&access(), &text("501", "x")).await;
    assert_eq!(sent.expect_err("revoked").code(), "token_revoked");
    assert!(fake.sent().is_empty());
}

#[tokio::test]
async fn a_file_comes_in_more_than_one_chunk() {
    let fake = FakeChannel::new();
    fake.put_file("f1", "abcdef");
    let download = fake.download(&access(), "f1").await.expect("there");
    assert_eq!(download.size_bytes, Some(6));
    let chunks: Vec<Bytes> = download.bytes.map(|chunk| chunk.expect("a chunk")).collect().await;
    assert_eq!(chunks, [Bytes::from("abc"), Bytes::from("def")]);
}
