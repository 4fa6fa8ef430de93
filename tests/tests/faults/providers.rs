//! A provider that limits, fails, breaks connections and takes tokens away.

use std::time::{Duration, Instant};

use hub_domain::channel::{ChannelState, IntakeMode};
use hub_domain::{Message, MessageStatus};
use hub_tests::{Database, on_both_engines};
use serde_json::json;
use simulator::faults::When;
use simulator::telegram::CallFault;

use super::desk::{Desk, PATIENCE, Setting};

async fn desk(database: Database) -> Desk {
    Desk::open("providers", Setting::of(database, IntakeMode::Polling)).await
}

impl Desk {
    fn next_send(&self, fault: CallFault) {
        self.simulator.telegram().fault(When::once("sendMessage"), fault);
    }

    /// How often the provider recorded this text for this client.
    fn times(&self, client: usize, text: &str) -> usize {
        let recorded = self.recorded();
        recorded[&self.clients[client].name].iter().filter(|one| *one == text).count()
    }

    async fn decide(&self, message: &Message, decision: &str) -> Message {
        let decided = self.api().decide(message.conversation_id, message.id, decision).await;
        decided.expect("the decision is taken")
    }
}

on_both_engines! {
    async fn a_limit_is_waited_out_and_nothing_overtakes(database: Database) {
        let mut desk = desk(database).await;
        let limit = CallFault::TooManyRequests { retry_after: 1 };
        let when = When::times("sendMessage", 2).in_chat(desk.clients[0].client.id());
        desk.simulator.telegram().fault(when, limit);
        let started = Instant::now();
        let limited = desk.send(0, "limited").await;
        desk.send(0, "after the limit").await;
        let other = desk.send(1, "to somebody else").await;
        desk.wait_status(other.id, MessageStatus::Sent).await;
        let held = desk.sessions[0].read(|log| log.messages[&limited.id].status);
        assert_ne!(held, Some(MessageStatus::Sent), "a limit of one chat holds back no other");
        desk.wait_status(limited.id, MessageStatus::Sent).await;
        assert!(started.elapsed() >= Duration::from_secs(2), "the provider asked for two seconds");
        let verdict = desk.prove().await;
        assert_eq!((verdict.recorded, verdict.unknown), (3, 0));
    }

    async fn an_answer_that_is_lost_is_shown_as_unknown_and_never_repeated(database: Database) {
        let mut desk = desk(database).await;
        // Whether the message arrived is not to be told from outside; only the provider knows.
        let faults = [
            (CallFault::ServerError { error_code: 500, processed: false }, 0),
            (CallFault::ServerError { error_code: 500, processed: true }, 1),
            (CallFault::BadGateway { processed: false }, 0),
            (CallFault::CutBefore, 0),
            (CallFault::AcceptedThenCut, 1),
            (CallFault::MalformedJson { processed: true }, 1),
            // Longer than the hub waits for a call.
            (CallFault::AcceptedThenSilent { delay_ms: 7000 }, 1),
        ];
        let count = faults.len();
        for (fault, times) in faults {
            let text = format!("{} {times}", fault.name());
            desk.next_send(fault);
            let message = desk.send(0, &text).await;
            let message = desk.wait_status(message.id, MessageStatus::Unknown).await;
            assert!(message.failure.is_some(), "{text}: why is told");
            let next = desk.send(0, &format!("after {text}")).await;
            desk.wait_status(next.id, MessageStatus::Sent).await;
            assert_eq!(desk.times(0, &text), times, "{text}");
        }
        let verdict = desk.prove().await;
        assert_eq!(verdict.unknown, count);
    }

    async fn an_unknown_message_is_sent_again_or_considered_sent_as_a_person_decides(
        database: Database
    ) {
        let mut desk = desk(database).await;
        desk.next_send(CallFault::CutBefore);
        let lost = desk.send(0, "cut, then again").await;
        desk.wait_status(lost.id, MessageStatus::Unknown).await;
        assert_eq!(desk.times(0, "cut, then again"), 0);
        desk.decide(&lost, "retry").await;
        desk.wait_status(lost.id, MessageStatus::Sent).await;

        desk.next_send(CallFault::AcceptedThenCut);
        let arrived = desk.send(0, "arrived, taken as sent").await;
        desk.wait_status(arrived.id, MessageStatus::Unknown).await;
        let decided = desk.decide(&arrived, "consider-sent").await;
        assert_eq!((decided.status, decided.failure), (Some(MessageStatus::Sent), None));
        desk.wait_status(arrived.id, MessageStatus::Sent).await;
        // A decision is not taken twice.
        let again = desk.api().decide(arrived.conversation_id, arrived.id, "consider-sent").await;
        assert_eq!(again.expect_err("it is sent").code(), Some("status_conflict"));
        let again = desk.api().decide(arrived.conversation_id, arrived.id, "retry").await;
        assert_eq!(again.expect_err("it is sent").code(), Some("status_conflict"));

        let verdict = desk.prove().await;
        assert_eq!((verdict.recorded, verdict.unknown), (2, 0));
    }

    async fn a_revoked_token_disables_the_channel_and_a_new_one_delivers_the_queue_in_order(
        database: Database
    ) {
        let mut desk = desk(database).await;
        // The first one waits at the provider's wish while the token is taken away.
        desk.next_send(CallFault::TooManyRequests { retry_after: 3 });
        let mut queue = Vec::new();
        for number in 1..=4 {
            queue.push(desk.send(0, &format!("in the queue {number}")).await);
        }
        let token = desk.bot.revoke_token();
        let disabled = desk.wait_channel(ChannelState::Disabled).await;
        assert_eq!(disabled.state_reason.as_deref(), Some("token_revoked"));
        for session in &desk.sessions {
            let told = session.wait_until(PATIENCE, |log| {
                log.channels.values().any(|channel| channel.state == ChannelState::Disabled)
            });
            assert!(told.await, "every session is told");
        }
        let refused = desk.api().send_text(queue[0].conversation_id, "one more", "one more").await;
        assert_eq!(refused.expect_err("the channel is off").code(), Some("channel_disabled"));
        desk.write(0, "are you still there?");

        // Past the moment when the first one would have been tried again.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let (api, conversation) = (desk.api(), queue[0].conversation_id);
        for queued in &queue {
            let message = api.message(conversation, queued.id).await.expect("it is kept");
            assert_eq!(message.status, Some(MessageStatus::Queued));
        }
        let wrong = json!({ "credential": "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
        let refused = api.change_channel(desk.channel.id, &wrong).await;
        assert_eq!(refused.expect_err("nobody's token").code(), Some("credential_refused"));
        let body = json!({ "credential": token });
        api.change_channel(desk.channel.id, &body).await.expect("the new token is taken");
        desk.wait_channel(ChannelState::Enabled).await;
        desk.wait_text("are you still there?").await;
        desk.wait_status(queue[3].id, MessageStatus::Sent).await;
        let verdict = desk.prove().await;
        assert_eq!((verdict.recorded, verdict.unknown), (4, 0));
    }

    async fn polls_that_fail_in_every_way_lose_no_message(database: Database) {
        let mut desk = desk(database).await;
        let faults = [
            CallFault::TooManyRequests { retry_after: 1 },
            CallFault::ServerError { error_code: 500, processed: false },
            CallFault::BadGateway { processed: true },
            CallFault::CutBefore,
            CallFault::AcceptedThenCut,
            CallFault::MalformedJson { processed: true },
        ];
        let count = faults.len() as u32;
        for (number, fault) in faults.into_iter().enumerate() {
            // Every other poll goes well, so that the waits between do not grow.
            let when = When::once("getUpdates").after(2 * number as u32);
            desk.simulator.telegram().fault(when, fault);
        }
        let failed = |desk: &Desk| {
            let calls = desk.simulator.telegram().calls_to("getUpdates");
            calls.iter().filter(|call| call.fault.is_some()).count() as u32
        };
        let mut number = 0;
        let deadline = Instant::now() + PATIENCE;
        while failed(&desk) < count {
            assert!(Instant::now() < deadline, "{} of {count} polls failed", failed(&desk));
            number += 1;
            desk.write(number % 2, &format!("message {number}"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let channel = desk.api().channel(desk.channel.id).await.expect("the channel is listed");
        assert_eq!(channel.state, ChannelState::Enabled, "a moment's failure is no news");
        desk.prove().await;
    }
}
