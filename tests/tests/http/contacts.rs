//! Clients: their cards, written on by members, and the search for them.

use channel_testkit::FakeClient;
use hub_domain::channel::Sender;
use hub_domain::{ChannelId, CompanyId, Role};
use hub_server::background::index_contacts::ContactIndexer;
use hub_store::StoreError;
use hub_tests::{Browser, TestApp, TestCompany, on_both_engines};
use serde_json::{Value, json};

async fn with_katya(app: &TestApp) -> (TestCompany, FakeClient, Value) {
    let mut company = app.company("Точка роста", "79261234567").await;
    company.connect("100").await;
    let katya = app.fake.client("501", "Катя Орлова");
    let conversation = company.client_says(app, "100", &katya, "Здравствуйте").await;
    (company, katya, conversation)
}

fn card_of(company: &TestCompany, conversation: &Value) -> String {
    company.path(&format!("/contacts/{}", conversation["contact"]["id"]))
}

async fn names(company: &TestCompany, browser: &mut Browser, query: &str) -> Vec<String> {
    let path = company.path(&format!("/contacts?query={}", urlencode(query)));
    let found = browser.get(&path).await.expect(200);
    let items = found.json["items"].as_array().expect("a list").clone();
    items.iter().map(|item| item["contact"]["name"].as_str().expect("a name").to_owned()).collect()
}

fn urlencode(text: &str) -> String {
    reqwest::Url::parse_with_params("http://a/", [("q", text)])
        .expect("an address")
        .query()
        .expect("a query")
        .trim_start_matches("q=")
        .to_owned()
}

on_both_engines! {
    async fn what_a_member_writes_on_the_card_stays(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, katya, conversation) = with_katya(&app).await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let card = card_of(&company, &conversation);
        let body = json!({
            "name": "  Екатерина\u{a0}Орлова ", "phone": "8 (926) 418-07-53",
            "comment": " Дочь Соня\nЗвонить после 18:00 ", "comment_before": "",
        });
        let changed = operator.patch(&card, body).await.expect(200);
        let contact = &changed.json["items"][0]["contact"];
        assert_eq!(contact["name"], "Екатерина\u{a0}Орлова");
        assert_eq!(contact["phone"], "79264180753");
        assert_eq!(contact["comment"], "Дочь Соня\nЗвонить после 18:00");
        assert_eq!(contact["named_by_member"], true);

        let after = company.client_says(&app, "100", &katya, "Это я").await;
        assert_eq!(&after["contact"], contact, "the messenger's name does not come back");
        for query in ["екатерина", "926 418", "соня"] {
            assert_eq!(names(&company, &mut operator, query).await, ["Екатерина\u{a0}Орлова"]);
        }
        assert!(names(&company, &mut operator, "катя").await.is_empty());

        // Emptied, both are the messenger's again.
        let body = json!({ "name": "", "phone": " " });
        let emptied = operator.patch(&card, body).await.expect(200);
        assert_eq!(emptied.json["items"][0]["contact"]["phone"], Value::Null);
        let after = company.client_says(&app, "100", &katya, "Снова я").await;
        assert_eq!(after["contact"]["name"], "Катя Орлова");
        assert_eq!(names(&company, &mut operator, "катя").await, ["Катя Орлова"]);
    }

    async fn two_members_never_write_over_each_other_unknowingly(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, _, conversation) = with_katya(&app).await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let card = card_of(&company, &conversation);
        let comment = |before: &str, after: &str| json!({ "comment": after, "comment_before": before });
        company.administrator.patch(&card, comment("", "Дочь Соня")).await.expect(200);
        let refused = operator.patch(&card, comment("", "Звонить вечером")).await;
        let refused = refused.expect_refusal(409, "comment_conflict");
        assert_eq!(refused.json["errors"][0]["params"]["comment"], "Дочь Соня");
        // Sent again, or written alike by both, it is no quarrel.
        let again = company.administrator.patch(&card, comment("", "Дочь Соня")).await.expect(200);
        assert_eq!(again.json["items"][0]["contact"]["comment"], "Дочь Соня");
        operator.patch(&card, comment("Дочь Соня", "Звонить вечером")).await.expect(200);
        let bare = operator.patch(&card, json!({ "comment": "Ещё" })).await;
        let bare = bare.expect_refusal(422, "invalid_request");
        assert_eq!(bare.json["errors"][0]["field"], "comment_before");
    }

    async fn what_cannot_be_kept_is_refused_by_its_field(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, _, conversation) = with_katya(&app).await;
        let card = card_of(&company, &conversation);
        let (long_name, long_comment) = ("я".repeat(121), "я".repeat(2001));
        for (body, code, field) in [
            (json!({ "name": long_name }), "name_invalid", "name"),
            (json!({ "name": "а\nб" }), "name_invalid", "name"),
            (json!({ "phone": "нет" }), "contact_phone_invalid", "phone"),
            (json!({ "comment": long_comment, "comment_before": "" }), "comment_too_long", "comment"),
        ] {
            let refused = company.administrator.patch(&card, body).await.expect_refusal(422, code);
            assert_eq!(refused.json["errors"][0]["field"], field);
        }
        let none = company.path("/contacts/999999");
        company.administrator.patch(&none, json!({ "name": "А" })).await.expect_refusal(404, "not_found");
    }

    async fn chats_of_one_phone_stand_together(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, _, first) = with_katya(&app).await;
        let other = app.fake.client("502", "Екатерина");
        let second = company.client_says(&app, "100", &other, "Это Катя с другого номера").await;
        let stranger = app.fake.client("503", "Тимур");
        company.client_says(&app, "100", &stranger, "Добрый день").await;
        let chats = format!("{}/conversations", card_of(&company, &first));
        let alone = company.administrator.get(&chats).await.expect(200);
        assert_eq!(alone.json["items"].as_array().unwrap().len(), 1);
        for conversation in [&first, &second] {
            let card = card_of(&company, conversation);
            let body = json!({ "phone": "+7 926 418-07-53" });
            company.administrator.patch(&card, body).await.expect(200);
        }
        let both = company.administrator.get(&chats).await.expect(200);
        let ids: Vec<&Value> =
            both.json["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
        assert_eq!(ids, [&second["id"], &first["id"]], "the latest first");
    }

    async fn a_search_is_paged_and_bounded(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, _, _) = with_katya(&app).await;
        for name in ["Катерина", "Катюша Катина"] {
            let client = app.fake.client(name, name);
            company.client_says(&app, "100", &client, name).await;
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = company.path(&format!("/contacts?query=%D0%BA%D0%B0%D1%82&limit=1{cursor}"));
            let page = company.administrator.get(&path).await.expect(200);
            let items = page.json["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["contact"]["name"].as_str().unwrap().to_owned()));
            let Some(next) = page.json["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={}", urlencode(next));
        }
        seen.sort();
        assert_eq!(seen, ["Катерина", "Катюша Катина", "Катя Орлова"]);
        let browser = &mut company.administrator.clone();
        assert!(names(&company, browser, " — ").await.is_empty());
        for wrong in ["query=a&limit=0", "query=a&limit=51", "query=a&cursor=x", ""] {
            let path = company.path(&format!("/contacts?{wrong}"));
            company.administrator.get(&path).await.expect_refusal(400, "invalid_request");
        }
    }

    async fn clients_of_a_former_release_become_findable(database: Database) {
        let app = TestApp::start(database).await;
        let (company, _, katya) = with_katya(&app).await;
        let (store, node) = (&app.app.store, &app.app.node);
        let mut indexer = ContactIndexer::default();
        assert_eq!(indexer.run_once(store, node).await.expect("indexes"), 0, "Katya has terms");

        // As a node of that release adds a client.
        let channel = ChannelId(katya["channel_id"].as_i64().expect("an id"));
        let id = CompanyId(company.id);
        store
            .write::<_, StoreError, _>(id, move |tx| {
                Box::pin(async move {
                    let (now, activity) = (tx.now(), tx.next_offset()?);
                    let sender = Sender {
                        external_id: "old".to_owned(),
                        chat_id: "old".to_owned(),
                        name: "Старый клиент".to_owned(),
                        username: None,
                        language: None,
                    };
                    let mut db = tx.db();
                    let (contact, identity) =
                        db.insert_identity(id, channel, &sender, None, now).await?;
                    db.insert_conversation(id, channel, contact, identity, activity, now).await
                })
            })
            .await
            .expect("stores");
        let mut browser = company.administrator.clone();
        let mut other = ContactIndexer::default();
        assert_eq!(other.run_once(store, "another node").await.expect("looks"), 0, "has no lease");
        assert!(names(&company, &mut browser, "старый").await.is_empty());
        assert_eq!(indexer.run_once(store, node).await.expect("indexes"), 1);
        assert_eq!(names(&company, &mut browser, "старый").await, ["Старый клиент"]);
        assert_eq!(indexer.run_once(store, node).await.expect("indexes"), 0);
    }
}
