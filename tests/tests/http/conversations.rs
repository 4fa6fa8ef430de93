//! The chat list and what is done to a conversation.

use hub_domain::Role;
use hub_tests::{TestApp, TestCompany, on_both_engines};
use serde_json::{Value, json};

/// A company with three clients who wrote one after another. Returns their conversations' ids.
async fn three_clients(app: &TestApp) -> (TestCompany, Vec<i64>) {
    let mut company = app.company("Точка роста", "79261234567").await;
    company.connect("100").await;
    let mut ids = Vec::new();
    for name in ["Аня", "Боря", "Вера"] {
        let client = app.fake.client(name, name);
        let text = format!("{name} пишет");
        let conversation = company.client_says(app, "100", &client, &text).await;
        ids.push(conversation["id"].as_i64().expect("an id"));
    }
    (company, ids)
}

async fn listed(company: &mut TestCompany, query: &str) -> (Vec<i64>, Value) {
    let path = company.path(&format!("/conversations{query}"));
    let answer = company.administrator.get(&path).await.expect(200);
    let items = answer.json["items"].as_array().expect("a list");
    let ids = items.iter().map(|item| item["id"].as_i64().expect("an id")).collect();
    (ids, answer.json)
}

on_both_engines! {
    async fn the_list_is_by_latest_activity_and_pages_through_everything_once(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let newest_first: Vec<i64> = ids.iter().rev().copied().collect();
        let (all, answer) = listed(&mut company, "").await;
        assert_eq!(all, newest_first);
        assert_eq!(answer["next_cursor"], Value::Null);
        assert!(answer["position"]["offset"].as_i64().unwrap() > 0);

        let (mut seen, mut query) = (Vec::new(), "?limit=1".to_owned());
        loop {
            let (page, answer) = listed(&mut company, &query).await;
            seen.extend(page);
            let Some(cursor) = answer["next_cursor"].as_str() else { break };
            query = format!("?limit=1&cursor={cursor}");
        }
        assert_eq!(seen, newest_first);

        // Up again from the end, and by the keys that rows themselves tell.
        let (_, last) = listed(&mut company, &format!("?cursor=activity.{}", i64::MAX)).await;
        assert_eq!(last["items"][2]["id"], ids[0]);
        let mut cursor = format!("activity.{}", last["items"][2]["activity"]);
        let mut up = vec![ids[0]];
        loop {
            let (page, answer) = listed(&mut company, &format!("?limit=1&above={cursor}")).await;
            assert!(answer["next_cursor"].is_string(), "there is something below");
            up.splice(0..0, page);
            let Some(above) = answer["previous_cursor"].as_str() else { break };
            above.clone_into(&mut cursor);
        }
        assert_eq!(up, newest_first);

        let client = app.fake.client("Аня", "Аня");
        company.client_says(&app, "100", &client, "Ещё раз").await;
        assert_eq!(listed(&mut company, "").await.0, [ids[0], ids[2], ids[1]]);
        assert_eq!(listed(&mut company, "?order=created").await.0, newest_first);
    }

    async fn a_list_is_narrowed_by_everything_at_once(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let second = company.connect("200").await;
        let client = app.fake.client("Гена", "Гена");
        let other = company.client_says(&app, "200", &client, "Другой бот").await;
        let other = other["id"].as_i64().expect("an id");
        let me = company.administrator.get("/api/v1/session").await.expect(200);
        let me = me.json["companies"][0]["member"]["id"].clone();
        let assignee = company.path(&format!("/conversations/{}/assignee", ids[0]));
        company.administrator.put(&assignee, json!({ "member_id": me })).await.expect(200);
        // The clients of the tests write on an old day; our answer is of today.
        let messages = company.path(&format!("/conversations/{}/messages", ids[1]));
        let answer = json!({ "client_message_id": "first", "text": "Здравствуйте" });
        company.administrator.post(&messages, answer).await.expect(202);

        for (query, expected) in [
            ("?unanswered=true".to_owned(), vec![other, ids[2], ids[0]]),
            ("?unanswered=true&assignee=nobody".to_owned(), vec![other, ids[2]]),
            (format!("?unanswered=true&assignee=nobody&channel_id={second}"), vec![other]),
            (format!("?assignee=somebody&channel_id={second}"), vec![]),
            (format!("?assignee={me}&channel_id=1,{second}"), vec![ids[0]]),
            ("?filter=active".to_owned(), vec![ids[1]]),
            ("?filter=active&assignee=me".to_owned(), vec![]),
            (format!("?filter=active&channel_id=1,{second}"), vec![ids[1]]),
            ("?filter=archived&unanswered=true".to_owned(), vec![]),
        ] {
            assert_eq!(listed(&mut company, &query).await.0, expected, "{query}");
            let path = company.path(&format!("/conversations/counts{query}"));
            let counts = company.administrator.get(&path).await.expect(200).json;
            let section = if query.contains("active") {
                "active"
            } else if query.contains("archived") {
                "archived"
            } else {
                "open"
            };
            assert_eq!(counts[section], expected.len(), "{query}");
        }
    }

    async fn many_are_changed_at_once_and_each_is_answered_for(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let other = app.company("Соседи", "79261234568").await;
        let mut neighbour = other.administrator.clone();
        let path = company.path("/conversations/changes");
        let browser = &mut company.administrator;
        let asked = json!([ids[2], 999_999, ids[0]]);
        let archive = json!({ "conversation_ids": asked, "change": { "kind": "archive" } });
        let answer = browser.post(&path, archive.clone()).await.expect(200);
        let items = answer.json["items"].as_array().expect("a list");
        let told: Vec<&Value> = items.iter().map(|item| &item["conversation_id"]).collect();
        assert_eq!(json!(told), asked);
        assert_eq!(items[0]["conversation"]["state"], "archived");
        assert_eq!(items[1]["conversation"], Value::Null);
        assert_eq!(items[1]["refusal"]["code"], "not_found");
        assert_eq!(items[2]["conversation"]["state"], "archived");
        // Somebody else's are not found one by one, as if they did not exist.
        let theirs = other.path("/conversations/changes");
        let answer = neighbour.post(&theirs, archive).await.expect(200);
        for item in answer.json["items"].as_array().expect("a list") {
            assert_eq!(item["refusal"]["code"], "not_found");
        }

        let me = browser.get("/api/v1/session").await.expect(200);
        let me = me.json["companies"][0]["member"]["id"].clone();
        for (change, field, value) in [
            (json!({ "kind": "reopen" }), "state", json!("open")),
            (json!({ "kind": "assign", "member_id": me }), "assignee_id", me),
            (json!({ "kind": "assign", "member_id": null }), "assignee_id", Value::Null),
            (json!({ "kind": "mark_answered" }), "unanswered_count", json!(0)),
        ] {
            let body = json!({ "conversation_ids": ids, "change": change });
            let answer = browser.post(&path, body).await.expect(200);
            for item in answer.json["items"].as_array().expect("a list") {
                assert_eq!(item["conversation"][field], value, "{change}");
            }
        }

        let many: Vec<i64> = (1..=201).collect();
        for ids in [json!([]), json!([1, 1]), json!(many)] {
            let body = json!({ "conversation_ids": ids, "change": { "kind": "archive" } });
            let refused = browser.post(&path, body).await.expect_refusal(422, "invalid_request");
            assert_eq!(refused.json["errors"][0]["field"], "conversation_ids");
        }
        let nobody = json!({ "kind": "assign", "member_id": 999_999 });
        let body = json!({ "conversation_ids": [1], "change": nobody });
        browser.post(&path, body).await.expect_refusal(404, "not_found");
        let forgotten = json!({ "conversation_ids": [1], "change": { "kind": "assign" } });
        browser.post(&path, forgotten).await.expect_refusal(422, "invalid_request");
    }

    async fn the_order_of_chats_is_each_members_own(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let path = company.path("/preferences");
        let chosen = operator.patch(&path, json!({ "chat_order": "created" })).await.expect(200);
        assert_eq!(chosen.json, json!({ "chat_order": "created" }));
        let kept = operator.patch(&path, json!({})).await.expect(200);
        assert_eq!(kept.json, chosen.json);
        for (browser, order) in [(&mut operator, "created"), (&mut company.administrator, "activity")] {
            let session = browser.get("/api/v1/session").await.expect(200);
            assert_eq!(session.json["companies"][0]["preferences"]["chat_order"], order);
        }
        let refused = operator.patch(&path, json!({ "chat_order": "size" })).await;
        refused.expect_refusal(422, "invalid_request");
    }

    async fn each_filter_shows_its_own_and_the_counts_agree(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let me = company.administrator.get("/api/v1/session").await.expect(200);
        let me = me.json["companies"][0]["member"]["id"].clone();
        let at = |id: i64, rest: &str| company.path(&format!("/conversations/{id}/{rest}"));
        let (assignee, state, answered) =
            (at(ids[0], "assignee"), at(ids[1], "state"), at(ids[2], "answered"));
        let browser = &mut company.administrator;
        let assigned = browser.put(&assignee, json!({ "member_id": me })).await.expect(200);
        assert_eq!(assigned.json["assignee_id"], me);
        let archived = browser.put(&state, json!({ "state": "archived" })).await.expect(200);
        assert_eq!(archived.json["state"], "archived");
        let done = browser.post(&answered, json!({})).await.expect(200);
        assert_eq!(done.json["unanswered_count"], 0);

        assert_eq!(listed(&mut company, "?filter=open").await.0, [ids[2], ids[0]]);
        assert_eq!(listed(&mut company, "?filter=mine").await.0, [ids[0]]);
        assert_eq!(listed(&mut company, "?filter=archived").await.0, [ids[1]]);
        assert_eq!(listed(&mut company, "?filter=unassigned").await.0, [ids[2]]);
        assert_eq!(listed(&mut company, "?unanswered=true").await.0, [ids[0]]);
        assert_eq!(listed(&mut company, "?filter=all").await.0.len(), 3);
        let path = company.path("/conversations/counts");
        let counts = company.administrator.get(&path).await.expect(200).json;
        for (filter, count) in
            [
                ("open", 2),
                ("mine", 1),
                ("archived", 1),
                ("unassigned", 1),
                ("active", 0),
                ("unanswered", 1),
                ("unanswered_mine", 1),
            ]
        {
            assert_eq!(counts[filter], count, "{filter}");
        }
    }

    async fn a_query_that_makes_no_sense_is_refused_with_the_field(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        for (query, field) in [
            ("?filter=nonsense", "filter"),
            ("?cursor=x", "cursor"),
            ("?cursor=created.5", "cursor"),
            ("?order=created&above=activity.5", "above"),
            ("?cursor=activity.5&above=activity.5", "above"),
            ("?order=size", "order"),
            ("?assignee=anna", "assignee"),
            ("?channel_id=1,x", "channel_id"),
            ("?limit=0", "limit"),
            ("?limit=201", "limit"),
        ] {
            let path = company.path(&format!("/conversations{query}"));
            let refused = company.administrator.get(&path).await;
            let refused = refused.expect_refusal(400, "invalid_request");
            assert_eq!(refused.json["errors"][0]["field"], field);
        }
    }

    async fn a_read_marker_never_goes_back_and_is_each_members_own(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let path = company.path(&format!("/conversations/{}", ids[0]));
        let last = company.administrator.get(&path).await.expect(200);
        assert_eq!(last.json["read_marker"], Value::Null);
        let last = last.json["conversation"]["last_incoming_position"].as_i64().unwrap();
        let marker = format!("{path}/read-marker");
        let browser = &mut company.administrator;
        let moved = browser.put(&marker, json!({ "position": last })).await.expect(200);
        assert_eq!(moved.json["position"], last);
        let back = browser.put(&marker, json!({ "position": last - 1 })).await.expect(200);
        assert_eq!(back.json["position"], last);
        let list = company.path("/conversations");
        let list = company.administrator.get(&list).await.expect(200);
        assert_eq!(list.json["read_markers"][0]["position"], last);
        let theirs = operator.get(&path).await.expect(200);
        assert_eq!(theirs.json["read_marker"], Value::Null);
    }

    async fn somebody_of_another_company_cannot_be_made_responsible(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, ids) = three_clients(&app).await;
        let other = app.company("Соседи", "79261234568").await;
        let mut stranger = other.administrator.clone();
        let theirs = stranger.get("/api/v1/session").await.expect(200);
        let theirs = theirs.json["companies"][0]["member"]["id"].clone();
        let path = company.path(&format!("/conversations/{}/assignee", ids[0]));
        let refused = company.administrator.put(&path, json!({ "member_id": theirs })).await;
        assert!(matches!(refused.status.as_u16(), 404 | 422), "{}", refused.json);
        let missing = company.administrator.put(&path, json!({})).await;
        missing.expect_refusal(422, "invalid_request");
    }
}
