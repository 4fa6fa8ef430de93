//! Every route as everybody: nobody, a stranger, an operator of another company, an operator, an
//! administrator. The routes come from the OpenAPI document, which is made from the router: a route
//! that is not named here fails the test.

use std::collections::BTreeSet;

use hub_domain::Role;
use hub_tests::{Browser, TestApp, TestCompany, on_both_engines};
use reqwest::Method;
use serde_json::{Value, json};

/// Anybody may ask: each proves itself otherwise, or tells nothing.
const PUBLIC: [&str; 10] = [
    "get_health",
    "get_readiness",
    "get_metrics",
    "get_openapi",
    "get_setup",
    "set_up",
    "request_code",
    "sign_in",
    "sign_in_with_link",
    "receive_webhook",
];
/// Whoever is signed in.
const SIGNED_IN: [&str; 6] = [
    "get_session",
    "sign_out",
    "change_profile",
    "get_private_token",
    "reissue_private_token",
    "reveal_private_token",
];
const ADMINISTRATORS: [&str; 14] = [
    "change_company",
    "connect_widget",
    "get_widget",
    "change_widget",
    "renew_widget_secret",
    "check_channel",
    "connect_channel",
    "change_channel",
    "delete_channel",
    "disable_channel",
    "enable_channel",
    "list_deliveries",
    "count_deliveries",
    "replay_delivery",
];

#[derive(Debug)]
struct Operation {
    id: String,
    method: Method,
    path: String,
}

/// The operations of a company, from the document that the server hands out.
async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.browser().get("/api/v1/openapi.json").await.expect(200);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, methods) in document.json["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an operation has an id").to_owned();
            assert!(seen.insert(id.clone()), "{id} twice");
            if PUBLIC.contains(&id.as_str()) || SIGNED_IN.contains(&id.as_str()) {
                continue;
            }
            assert!(
                path.starts_with("/api/v1/companies/{company_id}"),
                "{id}: neither public nor of a company; say here who may ask"
            );
            let method = method.to_uppercase().parse().expect("a method");
            found.push(Operation { id, method, path: path.clone() });
        }
    }
    for id in PUBLIC.iter().chain(&SIGNED_IN).chain(&ADMINISTRATORS) {
        assert!(seen.contains(*id), "{id} is gone");
    }
    found
}

/// What the addresses are filled with.
struct Ids {
    channel: i64,
    conversation: i64,
    message: i64,
    attachment: i64,
    quick_reply: i64,
    contact: i64,
}

impl Ids {
    fn fill(&self, company: i64, path: &str) -> String {
        path.replace("{company_id}", &company.to_string())
            .replace("{channel_id}", &self.channel.to_string())
            .replace("{conversation_id}", &self.conversation.to_string())
            .replace("{message_id}", &self.message.to_string())
            .replace("{attachment_id}", &self.attachment.to_string())
            .replace("{contact_id}", &self.contact.to_string())
            .replace("{quick_reply_id}", &self.quick_reply.to_string())
            .replace("{delivery_id}", "1")
    }
}

/// A body that is good enough to get past its form.
fn body_of(operation: &str) -> Option<Value> {
    Some(match operation {
        "check_channel" | "connect_channel" => {
            json!({ "kind": "telegram_bot", "credential": "5:x" })
        }
        "change_channel" | "change_company" | "change_contact" => json!({ "name": "Имя" }),
        "change_conversations" => {
            json!({ "conversation_ids": [1], "change": { "kind": "mark_answered" } })
        }
        "change_preferences" => json!({ "chat_order": "created" }),
        "connect_widget" => json!({ "name": "Сайт" }),
        "change_widget" => json!({ "greeting": "Здравствуйте" }),
        "assign_conversation" => json!({ "member_id": null }),
        "set_conversation_state" => json!({ "state": "open" }),
        "move_read_marker" => json!({ "position": 1 }),
        "send_message" => json!({ "client_message_id": "walk", "text": "Здравствуйте" }),
        "add_note" => json!({ "client_message_id": "note", "text": "Про себя" }),
        "save_draft" => json!({ "text": "Начато" }),
        "add_quick_reply" | "change_quick_reply" => json!({ "name": "Цены", "text": "Вот" }),
        "edit_message" => json!({ "text": "Иначе" }),
        _ => return None,
    })
}

async fn ask(browser: &Browser, operation: &Operation, path: &str) -> hub_tests::Answer {
    let mut browser = browser.clone();
    let mut request = browser.request(operation.method.clone(), path);
    if operation.id == "upload_file" {
        let part = reqwest::multipart::Part::bytes(b"hello".as_slice()).file_name("a.txt");
        let form = reqwest::multipart::Form::new().text("channel_id", "1").part("file", part);
        request = request.multipart(form);
    } else if operation.id == "put_quick_reply_file" {
        request = browser.request(operation.method.clone(), &format!("{path}?name=a.txt"));
        request = request.body("hello");
    } else if let Some(body) = body_of(&operation.id) {
        request = request.json(&body);
    }
    browser.send(request).await
}

/// A company with something of everything, and an operator who wrote the message and sent the file.
async fn company_with_a_conversation(app: &TestApp) -> (TestCompany, Browser, Ids) {
    let mut company = app.company("Точка роста", "79261234567").await;
    let channel = company.connect("100").await;
    let client = app.fake.client("555", "Катя");
    let conversation = company.client_says(app, "100", &client, "Добрый день").await;
    let contact = conversation["contact"]["id"].as_i64().expect("an id");
    let conversation = conversation["id"].as_i64().expect("an id");
    let path = company.path(&format!("/conversations/{conversation}/messages"));
    let mut operator = company.member(app, "79261234570", Role::Operator).await;
    let sent = operator
        .post(&path, json!({ "client_message_id": "first", "text": "Здравствуйте" }))
        .await
        .expect(202);
    let uploaded = operator
        .upload(company.id, channel, "a.txt", "text/plain", b"hello".to_vec())
        .await
        .expect(201);
    let quick_reply = operator
        .post(&company.path("/quick-replies"), json!({ "name": "Цены", "text": "Вот" }))
        .await
        .expect(201);
    let ids = Ids {
        channel,
        conversation,
        message: sent.id("/id"),
        attachment: uploaded.id("/id"),
        quick_reply: quick_reply.id("/id"),
        contact,
    };
    (company, operator, ids)
}

on_both_engines! {
    async fn everybody_gets_what_is_theirs_and_strangers_learn_nothing(database: Database) {
        let app = TestApp::start(database).await;
        let (company, operator, ids) = company_with_a_conversation(&app).await;
        let other = app.company("Соседи", "79261234568").await;
        let neighbour = other.member(&app, "79261234569", Role::Operator).await;
        let neighbours_boss = other.administrator.clone();
        let administrator = company.administrator.clone();
        let nobody = app.browser();

        for operation in operations(&app).await {
            let id = operation.id.as_str();
            let path = ids.fill(company.id, &operation.path);
            let for_administrators = ADMINISTRATORS.contains(&id);

            ask(&nobody, &operation, &path).await.expect_refusal(401, "unauthenticated");
            for stranger in [&neighbour, &neighbours_boss] {
                ask(stranger, &operation, &path).await.expect_refusal(404, "not_found");
            }
            let missing = ids.fill(999_999, &operation.path);
            ask(&administrator, &operation, &missing).await.expect_refusal(404, "not_found");

            // What belongs to this company, asked for under the other one's address.
            let theirs = ids.fill(other.id, &operation.path);
            let names_something = operation.path.matches('{').count() > 1;
            if names_something {
                let asked = ask(&neighbours_boss, &operation, &theirs).await;
                asked.expect_refusal(404, "not_found");
            }

            if for_administrators {
                ask(&operator, &operation, &path).await.expect_refusal(403, "forbidden");
            }
        }
        // Last, because it changes things.
        for operation in operations(&app).await {
            let path = ids.fill(company.id, &operation.path);
            let mut askers = vec![("administrator", &administrator)];
            if !ADMINISTRATORS.contains(&operation.id.as_str()) {
                askers.push(("operator", &operator));
            }
            for (who, browser) in askers {
                let answer = ask(browser, &operation, &path).await;
                let allowed = !matches!(answer.status.as_u16(), 401 | 403) && !answer.status.is_server_error();
                assert!(allowed, "{who} {}: {} {}", operation.id, answer.status, answer.json);
            }
        }
    }

    async fn a_session_that_ended_opens_nothing(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, _, ids) = company_with_a_conversation(&app).await;
        let kept = company.administrator.clone();
        company.administrator.delete("/api/v1/session").await.expect(204);
        for operation in operations(&app).await {
            let path = ids.fill(company.id, &operation.path);
            ask(&kept, &operation, &path).await.expect_refusal(401, "unauthenticated");
        }
    }

    async fn without_the_csrf_token_a_cookie_changes_nothing(database: Database) {
        let app = TestApp::start(database).await;
        let (company, _, ids) = company_with_a_conversation(&app).await;
        let mut bare = company.administrator.clone();
        bare.csrf_token = None;
        for operation in operations(&app).await {
            if operation.method.is_safe() {
                continue;
            }
            let path = ids.fill(company.id, &operation.path);
            ask(&bare, &operation, &path).await.expect_refusal(403, "csrf");
        }
    }
}
