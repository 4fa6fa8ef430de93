//! What becomes of a channel, and of what waits for it, when an administrator or the provider changes it.

use channel_testkit::Call;
use futures_util::future::{join_all, join3};
use hub_domain::channel::{
    Channel, ChannelKind, ChannelState, DriverError, InboundUpdate, IntakeMode,
};
use hub_domain::delivery::DeliveryState;
use hub_domain::event::{EventType, Origin};
use hub_domain::{Event, Message, MessageStatus};
use hub_server::actions::apply_updates::apply_updates;
use hub_server::actions::change_channel::{ChannelChange, change_channel};
use hub_server::actions::connect_channel::{ConnectChannel, connect_channel};
use hub_server::actions::delete_channel::delete_channel;
use hub_server::actions::send_message::{SendMessage, send_message};
use hub_server::error::{ApiError, Code};
use hub_store::StoreError;
use hub_tests::hub::TestHub;
use hub_tests::on_both_engines;
use secrecy::SecretString;

async fn try_send(hub: &TestHub, id: &str) -> Result<Message, ApiError> {
    let conversation = hub.conversation_with("501").await;
    let request = SendMessage {
        conversation_id: conversation.id,
        client_message_id: id.to_owned(),
        text: id.to_owned(),
        attachment_id: None,
        reply_to_message_id: None,
    };
    send_message(&hub.store, &hub.operator, request).await.map(|(message, _)| message)
}

async fn begin(hub: &TestHub) {
    hub.receive(vec![hub.fake.client("501", "Катя").says("Здравствуйте")]).await;
}

async fn connect_again(hub: &TestHub) -> Result<Channel, ApiError> {
    let request = ConnectChannel {
        kind: ChannelKind::TelegramBot,
        credential: SecretString::from("100:token"),
        name: None,
        intake: IntakeMode::Webhook,
    };
    connect_channel(&hub.store, &hub.fake.driver(), &hub.scope, request).await
}

async fn delete(hub: &TestHub) -> Channel {
    delete_channel(&hub.store, &hub.scope, hub.channel.id).await.expect("deletes")
}

async fn secret(hub: &TestHub) -> String {
    let mut reader = hub.store.reader().await.expect("a reader");
    let secrets = reader.db().channel_secrets(hub.channel.id).await.expect("reads");
    secrets.expect("it stays").secret_sealed
}

async fn in_state(hub: &TestHub, state: DeliveryState) -> usize {
    let mut reader = hub.store.reader().await.expect("a reader");
    reader.db().deliveries(hub.company, state, None, 100).await.expect("reads").len()
}

/// What the provider was told of webhooks, in order.
fn told(hub: &TestHub) -> Vec<Option<String>> {
    let calls = hub.fake.calls().into_iter();
    calls
        .filter_map(|call| match call {
            Call::ConfigureIntake { webhook_url, .. } => Some(webhook_url),
            _ => None,
        })
        .collect()
}

fn url(channel: &Channel) -> String {
    format!("https://uzel.example/webhooks/telegram_bot/{}", channel.id)
}

fn away() -> DriverError {
    DriverError::Retry {
        code: "provider_unreachable",
        detail: String::new(),
        retry_after_ms: None,
        whole_account: false,
    }
}

on_both_engines! {
    async fn what_waits_for_a_deleted_channel_is_cancelled_and_says_why(database: Database) {
        let hub = TestHub::start(database).await;
        begin(&hub).await;
        // One waits for its next try, others behind it, and another for the channel to work again.
        hub.fake.fail_next_send(away());
        let first = try_send(&hub, "one").await.expect("queued");
        hub.quiet().await;
        hub.fake.revoke("100");
        for id in ["two", "three"] {
            try_send(&hub, id).await.expect("queued");
        }
        hub.later(30).await;
        assert_eq!(in_state(&hub, DeliveryState::Pending).await, 3, "the channel is off");
        let sends = hub.fake.calls().len();

        let deleted = delete(&hub).await;
        assert!(deleted.deleted_at.is_some());
        hub.quiet().await;
        let messages = hub.messages(first.conversation_id).await;
        let ours: Vec<_> = messages.iter().filter(|it| it.status.is_some()).collect();
        assert_eq!(ours.len(), 3);
        for message in ours {
            assert_eq!(message.status, Some(MessageStatus::Failed));
            let failure = message.failure.as_ref().expect("a reason");
            assert_eq!(failure.code, "channel_deleted");
        }
        assert_eq!(in_state(&hub, DeliveryState::Pending).await, 0);
        assert_eq!(in_state(&hub, DeliveryState::Dead).await, 0, "nobody need look at them");
        assert_eq!(in_state(&hub, DeliveryState::Cancelled).await, 3);
        assert_eq!(hub.fake.calls().len(), sends + 1, "the provider is told once, and sent nothing");
        assert_eq!(secret(&hub).await, "", "the credential is forgotten");

        let refused = try_send(&hub, "four").await.expect_err("it is deleted");
        assert_eq!(refused.code, Code::ChannelDeleted);
    }

    async fn what_the_provider_tells_of_a_channel_that_was_just_deleted_is_left_with_it(database: Database) {
        let hub = TestHub::start(database).await;
        let katya = hub.fake.client("501", "Катя");
        let first = katya.says("Здравствуйте");
        hub.receive(vec![first.clone()]).await;
        let InboundUpdate::Message(said) = &first.update else { panic!("{first:?}") };
        let known = said.external_id.clone();
        delete(&hub).await;
        hub.quiet().await;

        // Whoever asked the provider, or was called by it, still holds the channel as it was.
        let (before, offset) = (hub.snapshot().await, hub.offset().await);
        let photo = hub_domain::AttachmentKind::Photo;
        let unknown = hub.fake.number(InboundUpdate::Skipped {
            reason: "unknown",
            kind: "poll".to_owned(),
            raw: Some(serde_json::json!({ "poll": 1 })),
        });
        let receipt = hub.fake.number(InboundUpdate::Receipt {
            message_external_id: known.clone(),
            read: true,
            at: hub_tests::hub::START,
        });
        let unheard = katya.says("Алло");
        for update in [
            katya.says("Вы тут?"),
            katya.sends_file(photo, "ref", "a.png", "image/png", ""),
            katya.edits(&first, "Добрый день"),
            katya.edits(&unheard, "Алло?"),
            katya.presses("yes", Some(&known)),
            katya.reacts(&known, &["👍"]),
            katya.blocks(),
            hub.fake.client("502", "Олег").says("Я новый"),
            receipt,
            unknown,
        ] {
            let told = hub.try_receive(vec![update.clone()]).await;
            assert!(matches!(told, Err(StoreError::ChannelDeleted)), "{told:?} of {update:?}");
        }
        assert_eq!(hub.offset().await, offset);
        assert_eq!(hub.snapshot().await, before);
        assert_eq!(in_state(&hub, DeliveryState::Pending).await, 0);
    }

    async fn deleting_a_channel_and_storing_what_it_tells_are_one_before_the_other(database: Database) {
        let hub = TestHub::start(database).await;
        let mut channel = hub.channel.clone();
        for round in 0..12 {
            let katya = hub.fake.client(&format!("{round}"), "Катя");
            let tellings = (0..6).map(|n| {
                let (hub, channel, katya) = (&hub, &channel, &katya);
                async move {
                    let update = katya.says(&format!("{n}"));
                    let told = apply_updates(&hub.store, &hub.fake, channel, vec![update]).await;
                    match told {
                        Ok(()) => true,
                        Err(StoreError::ChannelDeleted) => false,
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            let deleting = delete_channel(&hub.store, &hub.scope, channel.id);
            // Some before it and some after it are on their way when it begins.
            let mut tellings: Vec<_> = tellings.collect();
            let late = tellings.split_off(3);
            let (early, deleted, late) =
                join3(join_all(tellings), deleting, join_all(late)).await;
            deleted.expect("deletes");
            let stored = early.into_iter().chain(late).filter(|stored| *stored).count();
            let events = hub.events_after(0).await;
            let of_channel = |event: &&Event| {
                event.origin == Origin::Channel { channel_id: channel.id }
            };
            let told: Vec<i64> = events.iter().filter(of_channel).map(|it| it.offset).collect();
            assert_eq!(told.len(), stored, "what was acknowledged is stored, and nothing else");
            let end = events.iter().find(|event| {
                let changed = event.changes.channel.as_ref();
                event.event_type == EventType::ChannelDeleted
                    && changed.is_some_and(|changed| changed.id == channel.id)
            });
            let end = end.expect("the deletion is told").offset;
            assert!(told.iter().all(|offset| *offset < end), "{told:?} and the end at {end}");
            hub.quiet().await;
            channel = connect_again(&hub).await.expect("connects");
            hub.quiet().await;
        }
    }

    async fn a_file_of_a_deleted_channel_is_not_fetched(database: Database) {
        let hub = TestHub::start(database).await;
        hub.fake.fail_file("ref", away());
        let katya = hub.fake.client("501", "Катя");
        let kind = hub_domain::AttachmentKind::Photo;
        hub.receive(vec![katya.sends_file(kind, "ref", "a.png", "image/png", "")]).await;
        delete(&hub).await;
        hub.quiet().await;
        let conversation = hub.conversation_with("501").await;
        let file = hub.messages(conversation.id).await.remove(0).attachments.remove(0);
        assert_eq!(file.state, hub_domain::AttachmentState::Unavailable);
        assert_eq!(file.failure.as_deref(), Some("channel_deleted"));
    }

    async fn deleting_takes_the_webhook_away_and_the_account_can_be_connected_again(database: Database) {
        let hub = TestHub::start(database).await;
        begin(&hub).await;
        assert_eq!(told(&hub), [Some(url(&hub.channel))]);
        let refused = connect_again(&hub).await.expect_err("it is connected");
        assert_eq!(refused.code, Code::ChannelExists);
        let deleted = delete(&hub).await;
        let again = delete(&hub).await;
        assert_eq!(again, deleted, "deleting twice is deleting once");
        hub.quiet().await;
        assert_eq!(told(&hub), [Some(url(&hub.channel)), None]);

        let next = connect_again(&hub).await.expect("connects");
        hub.quiet().await;
        assert_ne!(next.id, hub.channel.id);
        assert_eq!(told(&hub), [Some(url(&hub.channel)), None, Some(url(&next))]);
        let channels = hub.snapshot().await.channels;
        assert_eq!(channels[&next.id.0].state, ChannelState::Enabled);
        assert!(channels[&hub.channel.id.0].deleted_at.is_some(), "its history still names it");
        assert_eq!(hub.messages(hub.conversation_with("501").await.id).await.len(), 1);
    }

    async fn a_deleted_channel_never_takes_the_webhook_of_its_successor(database: Database) {
        let hub = TestHub::start(database).await;
        // The provider is away: the webhook is still to be taken away when the account comes back.
        hub.fake.fail_next_configuration(away());
        delete(&hub).await;
        hub.quiet().await;
        let next = connect_again(&hub).await.expect("connects");
        hub.quiet().await;
        let state = hub.snapshot().await.channels[&next.id.0].state;
        assert_eq!(state, ChannelState::Enabled, "nothing stands in its way");
        hub.later(3600).await;
        assert_eq!(told(&hub).last(), Some(&Some(url(&next))));

        // And in the very moment.
        for _ in 0..10 {
            let id = hub.snapshot().await.channels.into_values().map(|it| it.id).max().expect("one");
            delete_channel(&hub.store, &hub.scope, id).await.expect("deletes");
            let next = connect_again(&hub).await.expect("connects");
            hub.quiet().await;
            assert_eq!(told(&hub).last(), Some(&Some(url(&next))));
        }
    }

    async fn a_revoked_token_is_not_asked_again_and_again_to_configure(database: Database) {
        let hub = TestHub::start(database).await;
        hub.fake.revoke("100");
        let before = told(&hub).len();
        let on = ChannelChange { intake: Some(IntakeMode::Polling), ..ChannelChange::default() };
        change_channel(&hub.store, &hub.fake.driver(), &hub.scope, hub.channel.id, on)
            .await
            .expect("changes");
        hub.quiet().await;
        hub.later(3600).await;
        assert_eq!(told(&hub).len(), before + 1);
        let channel = hub.snapshot().await.channels.into_values().next().expect("the channel");
        assert_eq!(channel.state, ChannelState::Disabled);
        assert_eq!(channel.state_reason.as_deref(), Some("token_revoked"));
    }

    async fn a_mode_of_intake_that_was_refused_is_left_by_choosing_the_other(database: Database) {
        let hub = TestHub::start(database).await;
        let choose = |intake| {
            let change = ChannelChange { intake: Some(intake), ..ChannelChange::default() };
            let (hub, driver) = (&hub, hub.fake.driver());
            async move {
                change_channel(&hub.store, &driver, &hub.scope, hub.channel.id, change)
                    .await
                    .expect("changes");
                hub.quiet().await;
                hub.snapshot().await.channels.into_values().next().expect("the channel").state
            }
        };
        assert_eq!(choose(IntakeMode::Polling).await, ChannelState::Enabled);
        assert_eq!(told(&hub).last(), Some(&None));
        let detail = "bad webhook: HTTPS url must be provided".to_owned();
        hub.fake.fail_next_configuration(DriverError::Refused { code: "bad_request", detail });
        assert_eq!(choose(IntakeMode::Webhook).await, ChannelState::NeedsAction);
        assert_eq!(choose(IntakeMode::Polling).await, ChannelState::Enabled);
    }
}
