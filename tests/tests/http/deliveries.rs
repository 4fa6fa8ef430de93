//! What goes out, as members and administrators are told of it.

use hub_domain::Role;
use hub_domain::attachment::AttachmentKind;
use hub_domain::channel::DriverError;
use hub_tests::{Answer, Browser, TestApp, TestCompany, eventually, on_both_engines};
use serde_json::{Value, json};

fn bad_gateway() -> DriverError {
    DriverError::Retry {
        code: "provider_error",
        detail: "Bad Gateway".into(),
        retry_after_ms: None,
        whole_account: false,
    }
}

/// A company with one conversation; the path of its messages.
async fn conversation(app: &TestApp) -> (TestCompany, String) {
    let mut company = app.company("Точка роста", "79261234567").await;
    company.connect("100").await;
    let client = app.fake.client("555", "Катя");
    let conversation = company.client_says(app, "100", &client, "Добрый день").await;
    let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
    (company, path)
}

/// The list at `path`, once it is as wanted.
async fn list_until(
    browser: &Browser,
    path: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    eventually("the list is as wanted", || {
        let (mut browser, wanted) = (browser.clone(), &wanted);
        async move {
            let list = browser.get(path).await.expect(200);
            let items = list.json["items"].as_array()?.clone();
            wanted(&items).then_some(items)
        }
    })
    .await
}

async fn send(browser: &mut Browser, path: &str, id: &str) -> Answer {
    let body = json!({ "client_message_id": id, "text": "Здравствуйте" });
    browser.post(path, body).await.expect(202)
}

on_both_engines! {
    async fn what_a_channel_could_not_deliver_is_listed_and_replayed(database: Database) {
        let app = TestApp::builder(database).set("delivery.retry_schedule", "").start().await;
        let (mut company, path) = conversation(&app).await;
        app.fake.fail_next_send(bad_gateway());
        let message = send(&mut company.administrator, &path, "one").await;

        let dead = company.path("/deliveries?state=dead");
        let items = list_until(&company.administrator, &dead, |items| !items.is_empty()).await;
        let item = &items[0];
        assert_eq!(item["kind"], "send_message");
        assert_eq!(item["error_code"], "provider_error");
        assert_eq!(item["attempts"].as_array().unwrap().len(), 1);
        assert!(item["finished_at"].is_string(), "since when it is dead: {item}");
        let subject = &item["subject"];
        assert_eq!(subject["message_id"], message.json["id"]);
        assert_eq!(subject["conversation_id"], message.json["conversation_id"]);
        assert_eq!(subject["contact_name"], "Катя");
        assert!(subject["channel_name"].as_str().is_some_and(|name| !name.is_empty()), "{subject}");
        let counts = company.path("/deliveries/counts");
        let counted = company.administrator.get(&counts).await.expect(200);
        assert_eq!(counted.json["dead"], 1);

        let replay = company.path(&format!("/deliveries/{}/replay", item["id"]));
        let replayed = company.administrator.post(&replay, json!({})).await.expect(202);
        assert_eq!(replayed.json["subject"]["contact_name"], "Катя");
        app.fake.wait_for_sent(1).await;
        let again = company.administrator.post(&replay, json!({})).await;
        again.expect_refusal(409, "status_conflict");
        let counted = company.administrator.get(&counts).await.expect(200);
        assert_eq!(counted.json["dead"], 0);
    }

    async fn the_list_goes_on_at_its_cursor(database: Database) {
        let app = TestApp::builder(database).set("delivery.retry_schedule", "").start().await;
        let (mut company, path) = conversation(&app).await;
        let dead = company.path("/deliveries");
        let mut all = Vec::new();
        for (index, id) in ["one", "two", "three"].into_iter().enumerate() {
            app.fake.fail_next_send(bad_gateway());
            send(&mut company.administrator, &path, id).await;
            let wanted = |items: &[Value]| items.len() == index + 1;
            all = list_until(&company.administrator, &dead, wanted).await;
        }
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = company.path(&format!("/deliveries?limit=2{cursor}"));
            let page = company.administrator.get(&path).await.expect(200);
            found.extend(page.json["items"].as_array().unwrap().clone());
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, all);
        let path = company.path("/deliveries?cursor=nonsense");
        company.administrator.get(&path).await.expect_refusal(400, "invalid_request");
    }

    async fn a_member_sees_what_was_done_for_a_message_attempt_by_attempt(database: Database) {
        let app = TestApp::builder(database).set("delivery.retry_schedule", "0").start().await;
        let (company, path) = conversation(&app).await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        app.fake.fail_next_send(bad_gateway());
        let message = send(&mut operator, &path, "one").await.id("/id");
        app.fake.wait_for_sent(1).await;
        let own = format!("{path}/{message}");
        let timeline = format!("{own}/deliveries");
        let items = list_until(&operator, &timeline, |items| items[0]["state"] == "done").await;
        assert_eq!(items.len(), 1);
        let attempts = items[0]["attempts"].as_array().unwrap();
        let told: Vec<_> = attempts
            .iter()
            .map(|it| (it["number"].as_i64(), it["outcome"].as_str(), it["error_code"].as_str()))
            .collect();
        let expected =
            [(Some(1), Some("retry"), Some("provider_error")), (Some(2), Some("done"), None)];
        assert_eq!(told, expected);
        for attempt in attempts {
            assert!(attempt["started_at"].is_string() && attempt["finished_at"].is_string());
        }
        assert!(attempts[0]["retry_at"].is_string(), "{attempts:?}");

        operator.patch(&own, json!({ "text": "Добрый день" })).await.expect(200);
        let items = list_until(&operator, &timeline, |items| items.len() == 2).await;
        assert_eq!(items[1]["kind"], "edit_message", "oldest first");

        let missing = operator.get(&format!("{path}/999999/deliveries")).await;
        missing.expect_refusal(404, "not_found");
        let elsewhere = company.path(&format!("/conversations/999999/messages/{message}/deliveries"));
        operator.get(&elsewhere).await.expect_refusal(404, "not_found");
    }

    async fn fetching_the_files_of_a_message_is_part_of_its_timeline(database: Database) {
        let app = TestApp::start(database).await;
        let (company, path) = conversation(&app).await;
        let client = app.fake.client("555", "Катя");
        app.fake.put_file("ref-1", &b"jpg"[..]);
        let photo =
            client.sends_file(AttachmentKind::Photo, "ref-1", "a.png", "image/png", "Смотрите");
        app.fake.deliver("100", photo);
        let messages = list_until(&company.administrator, &path, |items| items.len() == 2).await;
        let timeline = format!("{path}/{}/deliveries", messages[1]["id"]);
        let done = |items: &[Value]| items.len() == 1 && items[0]["state"] == "done";
        let items = list_until(&company.administrator, &timeline, done).await;
        assert_eq!(items[0]["kind"], "fetch_attachment");
        assert_eq!(items[0]["subject"]["file_name"], "a.png");
        assert_eq!(items[0]["subject"]["message_id"], messages[1]["id"]);
    }

    async fn a_dead_letter_that_was_sent_again_by_hand_is_no_dead_letter(database: Database) {
        let app = TestApp::builder(database).set("delivery.retry_schedule", "").start().await;
        let (mut company, path) = conversation(&app).await;
        app.fake.fail_next_send(bad_gateway());
        let message = send(&mut company.administrator, &path, "one").await.id("/id");
        let dead = company.path("/deliveries?state=dead");
        list_until(&company.administrator, &dead, |items| items.len() == 1).await;
        let retry = format!("{path}/{message}/retry");
        company.administrator.post(&retry, json!({})).await.expect(200);
        app.fake.wait_for_sent(1).await;
        list_until(&company.administrator, &dead, <[Value]>::is_empty).await;

        app.fake.fail_next_send(bad_gateway());
        let message = send(&mut company.administrator, &path, "two").await.id("/id");
        list_until(&company.administrator, &dead, |items| items.len() == 1).await;
        company.administrator.delete(&format!("{path}/{message}")).await.expect(200);
        list_until(&company.administrator, &dead, <[Value]>::is_empty).await;
    }
}
