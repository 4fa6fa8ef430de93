//! What follows a position: what was missed, what comes, and what cannot be followed.

use hub_domain::{ConversationId, Ephemeral};

use super::*;

on_both_engines! {
    async fn a_client_gets_what_it_missed_and_then_what_comes(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 700).await;
        let mut client = Client::connect(&node, 1).await;
        assert_eq!(client.watch(company, Some(&at("e1", 10))).await, (true, at("e1", 10)));
        client.follow(10, 700).await;
        for last in 701..720 {
            node.append(company, 1).await;
            client.follow(last - 1, last).await;
        }
        // The same over a connection that comes back, from the ring this time.
        let mut again = Client::connect(&node, 1).await;
        assert_eq!(again.watch(company, Some(&at("e1", 705))).await, (true, at("e1", 705)));
        again.follow(705, 719).await;
    }

    async fn a_client_that_was_never_here_follows_from_now(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        assert_eq!(client.watch(company, None).await, (false, at("e1", 5)));
        node.append(company, 3).await;
        client.follow(5, 8).await;
    }

    async fn positions_that_cannot_be_followed_are_told_so(place: Place) {
        let node = Node::start(&place, Settings { max_catch_up_events: 50, ..settings() }).await;
        let company = node.company().await;
        node.append(company, 100).await;
        node.prune(company, 80).await;
        let mut client = Client::connect(&node, 1).await;
        let now = (false, at("e1", 100));
        assert_eq!(client.watch(company, Some(&at("e1", 79))).await, now, "pruned");
        assert_eq!(client.watch(company, Some(&at("e0", 90))).await, now, "another epoch");
        assert_eq!(client.watch(company, Some(&at("e1", 101))).await, now, "ahead");
        assert_eq!(client.watch(company, Some(&at("e1", 80))).await, (true, at("e1", 80)));
        client.follow(80, 100).await;
        node.append(company, 31).await;
        client.follow(100, 131).await;
        assert_eq!(
            client.watch(company, Some(&at("e1", 80))).await,
            (false, at("e1", 131)),
            "too far behind"
        );
        node.append(company, 1).await;
        client.follow(131, 132).await;
    }

    async fn a_new_epoch_sends_those_who_watch_to_a_reload(place: Place) {
        let sweep = Duration::from_millis(50);
        let node = Node::start(&place, Settings { sweep, ..settings() }).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 5))).await;
        node.set_epoch(company, "e2").await;
        assert_eq!(client.watching().await, (false, at("e2", 5)));
        let position = node.append(company, 2).await;
        assert_eq!(client.follow(5, 7).await, position);
        // And those who come back with the old one.
        assert_eq!(client.watch(company, Some(&at("e1", 5))).await, (false, at("e2", 7)));
    }

    async fn a_client_that_watches_just_after_the_epoch_changed_gets_the_new_one(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut first = Client::connect(&node, 1).await;
        first.watch(company, None).await;
        node.set_epoch(company, "e2").await;
        let mut second = Client::connect(&node, 2).await;
        assert_eq!(second.watch(company, Some(&at("e2", 3))).await, (true, at("e2", 3)));
        second.follow(3, 5).await;
        assert_eq!(first.watching().await, (false, at("e2", 5)));
    }

    async fn what_is_written_between_subscribing_and_reading_comes_once(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let between = Between::default();
        node.fanout.set_between(between.clone());
        for (position, recovered) in [(Some(at("e1", 4)), true), (None, false)] {
            let mut client = Client::connect(&node, 1).await;
            let company_id = company;
            client.send(&ClientFrame::Watch { company_id, position }).await;
            between.reached.notified().await;
            let written = node.append(company, 3).await;
            between.go_on.notify_one();
            let (told, from) = client.watching().await;
            assert_eq!(told, recovered);
            let after = node.append(company, 2).await;
            assert_eq!(client.follow(from.offset, after.offset).await, after);
            assert_eq!(from.offset, if recovered { 4 } else { written.offset });
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a client of the test")]
    async fn a_slow_consumer_is_closed_and_loses_nothing(place: Place) {
        let write_timeout = Duration::from_secs(2);
        let node = Node::start(&place, Settings { write_timeout, ..settings() }).await;
        let company = node.company().await;
        let mut slow = Client::narrow(&node, 1).await;
        let mut quick = Client::connect(&node, 2).await;
        slow.watch(company, None).await;
        quick.watch(company, None).await;
        let large = "x".repeat(100_000);
        // The others do not wait for it.
        let quick = tokio::spawn(async move { quick.follow(0, 100).await });
        for _ in 0..10 {
            node.append_named(company, vec![None; 10], large.clone()).await;
        }
        timeout(SOON, quick).await.unwrap().unwrap();
        until("the slow one is closed", || node.fanout.connection_count() == 0).await;
        let mut reached = 0;
        while let Heard::Frame(frame) = slow.hear().await {
            let ServerFrame::Events { events, .. } = *frame else { panic!("only events") };
            for event in events {
                assert_eq!(event.offset, reached + 1);
                reached = event.offset;
            }
        }
        assert!(reached < 100, "it was not slow");
        let mut again = Client::connect(&node, 1).await;
        let position = at("e1", reached);
        assert_eq!(again.watch(company, Some(&position)).await, (true, position));
        again.follow(reached, 100).await;
    }

    async fn watching_twice_starts_over_from_the_new_position(place: Place) {
        let node = Node::start(&place, settings()).await;
        let company = node.company().await;
        node.append(company, 5).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 5))).await;
        assert_eq!(client.watch(company, Some(&at("e1", 5))).await, (true, at("e1", 5)));
        node.append(company, 1).await;
        client.follow(5, 6).await;
        client.watch(company, Some(&at("e1", 3))).await;
        client.follow(3, 6).await;
        node.append(company, 1).await;
        client.follow(6, 7).await;
    }

    async fn events_of_companies_not_watched_do_not_come(place: Place) {
        let node = Node::start(&place, settings()).await;
        let (first, second) = (node.company().await, node.company().await);
        let mut client = Client::connect(&node, 1).await;
        client.watch(first, None).await;
        client.watch(second, None).await;
        client.send(&ClientFrame::Unwatch { company_id: second }).await;
        until("it is left", || node.fanout.stream_count() == 1).await;
        node.append(second, 1).await;
        node.append(first, 1).await;
        client.follow(0, 1).await;
        drop(client);
        until("nobody is left", || node.fanout.stream_count() == 0).await;
        until("nobody is left", || node.fanout.connection_count() == 0).await;
    }

    async fn a_restart_in_the_middle_loses_and_doubles_nothing(place: Place) {
        let old = Node::start(&place, settings()).await;
        let company = old.company().await;
        let mut client = Client::connect(&old, 1).await;
        client.watch(company, None).await;
        for _ in 0..50 {
            old.append(company, 3).await;
        }
        old.end();
        let (mut reached, mut ended) = (at("e1", 0), None);
        while ended.is_none() {
            match client.hear().await {
                Heard::Frame(frame) => {
                    let ServerFrame::Events { events, position, .. } = *frame else { panic!() };
                    assert_eq!(events.first().unwrap().offset, reached.offset + 1);
                    reached = position;
                }
                Heard::Closed(code) => ended = Some(code),
                Heard::Gone => panic!("closed without a word"),
            }
        }
        assert_eq!(ended, Some(4000));
        drop(client);
        let finished = timeout(SOON, old.fanout.lifecycle().finished()).await;
        assert!(finished.is_ok(), "draining does not hang on connections");
        let new = Node::start(&place, settings()).await;
        new.append(company, 10).await;
        let mut client = Client::connect(&new, 1).await;
        assert_eq!(client.watch(company, Some(&reached)).await, (true, reached.clone()));
        client.follow(reached.offset, 160).await;
    }

    async fn a_narrowed_member_gets_only_what_it_may_see_and_moves_on(place: Place) {
        let revalidate = Duration::from_millis(50);
        let node = Node::start(&place, Settings { revalidate, ..settings() }).await;
        let company = node.company().await;
        let seen = Visibility::Channels(vec![ChannelId(2)]);
        node.door.narrow(1, company, Some(seen));
        node.append_about(company, vec![Some(1), Some(2), None]).await;
        let mut client = Client::connect(&node, 1).await;
        client.watch(company, Some(&at("e1", 0))).await;
        let (events, position) = client.events().await;
        let offsets: Vec<i64> = events.iter().map(|event| event.offset).collect();
        assert_eq!((offsets, position), (vec![2, 3], at("e1", 3)));
        node.append_about(company, vec![Some(1)]).await;
        assert_eq!(client.events().await, (vec![], at("e1", 4)));
        // Seeing more means that what was left out has to be loaded.
        node.door.narrow(1, company, Some(Visibility::All));
        assert_eq!(client.watching().await, (false, at("e1", 4)));
        node.append_about(company, vec![Some(1)]).await;
        client.follow(4, 5).await;
        node.door.narrow(1, company, None);
        assert_eq!(client.closed().await, 4102);
    }

    async fn colleagues_see_each_other_type_and_nobody_else_does(place: Place) {
        let node = Node::start(&place, settings()).await;
        let (company, other) = (node.company().await, node.company().await);
        let conversation_id = conversation(&node.store, company).await;
        let mut watching = Vec::new();
        for (user, company) in [(1, company), (1, company), (2, company), (3, other)] {
            let mut client = Client::connect(&node, user).await;
            client.watch(company, None).await;
            watching.push(client);
        }
        let [author, own_tab, colleague, stranger] = &mut watching[..] else { panic!() };
        author.send(&ClientFrame::Typing { company_id: company, conversation_id }).await;
        let typing = Ephemeral::Typing { member_id: MemberId(1), conversation_id };
        let expected = ServerFrame::Ephemeral { company_id: company, ephemeral: typing };
        assert_eq!(colleague.frame().await, expected);
        let looking = ClientFrame::LookingAt { company_id: company, conversation_id: None };
        colleague.send(&looking).await;
        let looking = Ephemeral::LookingAt { member_id: MemberId(2), conversation_id: None };
        let expected = ServerFrame::Ephemeral { company_id: company, ephemeral: looking };
        // Its own typing did not come back to the author, nor to the author's other tab.
        assert_eq!(author.frame().await, expected);
        assert_eq!(own_tab.frame().await, expected);
        // A stranger can neither hear nor say anything about the company.
        stranger.send(&ClientFrame::Typing { company_id: company, conversation_id }).await;
        let ServerFrame::Error { code, .. } = stranger.frame().await else { panic!() };
        assert_eq!(code, "not_watching");
        stranger.send(&ClientFrame::Typing { company_id: other, conversation_id }).await;
        let ServerFrame::Error { code, .. } = stranger.frame().await else { panic!() };
        assert_eq!(code, "not_found");
    }
}

async fn conversation(store: &Store, company: CompanyId) -> ConversationId {
    use hub_domain::Content;
    use hub_domain::channel::{Capabilities, ChannelKind, InboundMessage, IntakeMode, Sender};
    use hub_store::records::{Incoming, Ingested, NewChannel};

    let channel = NewChannel {
        company_id: company,
        kind: ChannelKind::TelegramBot,
        name: "Бот".to_owned(),
        intake: IntakeMode::Polling,
        external_id: "1".to_owned(),
        username: None,
        capabilities: Capabilities {
            text_limit: 4096,
            caption_limit: 1024,
            media: Vec::new(),
            download_limit_bytes: 20_000_000,
            reply: true,
            edit: true,
            delete: true,
            reactions: true,
            delivered_receipts: false,
            read_receipts: false,
            write_first: false,
            sends_per_second: 25,
        },
        secret_sealed: "v1:sealed".to_owned(),
        webhook_secret_sealed: "v1:sealed".to_owned(),
    };
    let channel_id = store
        .write_system(move |tx| {
            let now = tx.now();
            Box::pin(async move { tx.db().insert_channel(&channel, 0, now).await })
        })
        .await
        .unwrap();
    let message = InboundMessage {
        external_id: "1:1".to_owned(),
        sender: Sender {
            external_id: "1".to_owned(),
            chat_id: "1".to_owned(),
            ..Sender::default()
        },
        by_us: false,
        ordinal: 1,
        sent_at: START,
        edited_at: None,
        content: Content::text("здравствуйте"),
        attachments: Vec::new(),
        album_id: None,
        reply_to: None,
        forwarded_from: None,
        verified_phone: None,
        raw: None,
    };
    let incoming = Incoming {
        channel_id,
        message,
        download_limit_bytes: 0,
        answer_button: None,
        uploaded: Vec::new(),
    };
    match store.ingest(company, vec![incoming]).await.unwrap()[..] {
        [Ingested::Stored { conversation_id, .. }] => conversation_id,
        _ => panic!("it was not stored"),
    }
}
