//! Site widgets as visitors meet them: on foreign pages, over many devices, through restarts, and never
//! beyond their own conversation.

use futures_util::{SinkExt as _, StreamExt as _};
use hub_domain::CompanyId;
use hub_tests::{Answer, Browser, Database, TestApp, TestCompany, eventually, on_both_engines};
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const SITE: &str = "https://shop.example";

/// A company with a widget, and what its script tag names.
struct Widget {
    company: TestCompany,
    channel: i64,
    key: String,
}

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).with_real_drivers("http://127.0.0.1:9").start().await
}

async fn widget(app: &TestApp, settings: Value) -> Widget {
    let mut company = app.company("Точка роста", "79261234567").await;
    let body = json!({ "name": "Сайт", "settings": settings });
    let path = company.path("/widgets");
    let made = company.administrator.post(&path, body).await.expect(201);
    let widget = Widget { channel: made.id("/id"), key: text(&made.json["external_id"]), company };
    let path = format!("/widget/v1/{}/config", widget.key);
    eventually("the widget works", || {
        let (mut browser, path) = (app.browser(), path.clone());
        async move { (browser.get(&path).await.status == 200).then_some(()) }
    })
    .await;
    widget
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A page on a foreign site with somebody at it.
#[derive(Clone)]
struct Page {
    browser: Browser,
    base: String,
    origin: Option<String>,
    token: String,
}

impl Page {
    fn new(app: &TestApp, widget: &Widget) -> Self {
        let base = format!("/widget/v1/{}", widget.key);
        Self { browser: app.browser(), base, origin: Some(SITE.to_owned()), token: String::new() }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.browser.request(method, &format!("{}{path}", self.base));
        if let Some(origin) = &self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = self.browser.send(request).await;
        assert!(self.browser.cookies.is_empty(), "a widget sets no cookies");
        answer
    }

    async fn visitor(app: &TestApp, widget: &Widget) -> Self {
        let mut page = Self::new(app, widget);
        let session = page.ask(Method::POST, "/session", Some(json!({}))).await.expect(200);
        page.token = text(&session.json["token"]);
        page
    }

    async fn writes(&mut self, id: &str, words: &str) -> Answer {
        let page = json!({ "url": "https://shop.example/course?utm=1#x", "title": "Курс" });
        let body = json!({ "client_message_id": id, "text": words, "page": page });
        self.ask(Method::POST, "/messages", Some(body)).await
    }

    async fn reads(&mut self) -> Value {
        self.ask(Method::GET, "/messages", None).await.expect(200).json
    }

    async fn texts(&mut self) -> Vec<String> {
        let page = self.reads().await;
        page["items"].as_array().expect("a list").iter().map(|item| text(&item["text"])).collect()
    }

    async fn sends_file(&mut self, name: &str, mime_type: &str, bytes: Vec<u8>) -> Answer {
        let request = self
            .browser
            .request(Method::POST, &format!("{}/files?name={name}", self.base))
            .header(header::ORIGIN, SITE)
            .header(header::CONTENT_TYPE, mime_type)
            .bearer_auth(&self.token)
            .body(bytes);
        self.browser.send(request).await
    }
}

/// The live connection of a visitor.
struct Live {
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
}

impl Live {
    async fn open(app: &TestApp, widget: &Widget, token: &str, position: Value) -> Self {
        let url = format!("{}/widget/v1/{}/live", app.base.replace("http", "ws"), widget.key);
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("origin", SITE.parse().expect("a header"));
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("connected");
        let mut live = Self { socket };
        live.say(json!({ "type": "watch", "token": token, "position": position })).await;
        live
    }

    async fn say(&mut self, frame: Value) {
        self.socket.send(Frame::text(frame.to_string())).await.expect("sent");
    }

    /// The next frame that is no heartbeat, or the code with which the connection ends.
    async fn hears(&mut self) -> Result<Value, u16> {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Frame::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text).expect("JSON");
                        if frame["type"] != "heartbeat" {
                            return Ok(frame);
                        }
                    }
                    Some(Ok(Frame::Close(Some(close)))) => return Err(close.code.into()),
                    Some(Ok(_)) => {}
                    other => panic!("the connection broke: {other:?}"),
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), next).await.expect("in time")
    }

    /// Frames until one holds a message of this text.
    async fn hears_text(&mut self, words: &str) -> Value {
        loop {
            let frame = self.hears().await.expect("no end");
            let items = frame["items"].as_array().cloned().unwrap_or_default();
            if let Some(item) = items.iter().find(|item| item["message"]["text"] == words) {
                let mut found = item["message"].clone();
                found["position_after"] = frame["position"].clone();
                return found;
            }
        }
    }
}

async fn conversation(company: &mut TestCompany, last: &str) -> Value {
    let path = company.path("/conversations?filter=all");
    let last = last.to_owned();
    eventually("the conversation is in the chat list", || {
        let (mut browser, path, last) = (company.administrator.clone(), path.clone(), last.clone());
        async move {
            let list = browser.get(&path).await.expect(200);
            let items = list.json["items"].as_array().cloned().unwrap_or_default();
            items.into_iter().find(|item| item["last_message"]["text"] == last.as_str())
        }
    })
    .await
}

async fn answer(company: &mut TestCompany, conversation: &Value, id: &str, words: &str) -> i64 {
    let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
    let body = json!({ "client_message_id": id, "text": words });
    company.administrator.post(&path, body).await.expect(202).id("/id")
}

async fn status_becomes(company: &TestCompany, conversation: &Value, message: i64, wanted: &str) {
    let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
    eventually("the status is as it should be", || {
        let (mut browser, path) = (company.administrator.clone(), path.clone());
        async move {
            let page = browser.get(&path).await.expect(200);
            let items = page.json["items"].as_array().cloned().unwrap_or_default();
            let found = items.into_iter().find(|item| item["id"] == message)?;
            (found["status"] == wanted).then_some(())
        }
    })
    .await;
}

on_both_engines! {
    async fn a_visitor_writes_and_reads_the_answer_live_with_receipts(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        assert_eq!(page.texts().await, Vec::<String>::new());
        let written = page.writes("one", "Добрый день").await.expect(201);
        assert_eq!(written.json["client_message_id"], "one");
        let chat = conversation(&mut widget.company, "Добрый день").await;
        assert_eq!(chat["contact"]["name"], "Посетитель №1");
        assert_eq!(chat["unanswered_count"], 1);

        let position = page.reads().await["position"].clone();
        let mut live = Live::open(&app, &widget, &page.token, position).await;
        assert_eq!(live.hears().await.unwrap()["recovered"], true);
        let message = answer(&mut widget.company, &chat, "first", "Здравствуйте").await;
        let shown = live.hears_text("Здравствуйте").await;
        assert_eq!(shown["author"], "Марина");
        assert_eq!(shown["from"], "operator");
        live.say(json!({ "type": "delivered", "through": shown["position"] })).await;
        status_becomes(&widget.company, &chat, message, "delivered").await;
        live.say(json!({ "type": "read", "through": shown["position"] })).await;
        status_becomes(&widget.company, &chat, message, "read").await;

        let path = widget.company.path(&format!("/conversations/{}/visitor", chat["id"]));
        let visitor = widget.company.administrator.get(&path).await.expect(200).json;
        assert_eq!(visitor["page_url"], "https://shop.example/course?utm=1");
        assert_eq!(visitor["page_title"], "Курс");

        let path = widget.company.path(&format!("/conversations/{}/messages/{message}", chat["id"]));
        widget.company.administrator.patch(&path, json!({ "text": "Добрый!" })).await.expect(200);
        assert_eq!(live.hears_text("Добрый!").await["edited"], true);
        widget.company.administrator.delete(&path).await.expect(200);
        let gone = live.hears_text("").await;
        assert_eq!((gone["deleted"].clone(), gone["text"].clone()), (json!(true), json!("")));
    }

    async fn nothing_is_stored_before_the_first_message(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        for _ in 0..3 {
            let mut page = Page::visitor(&app, &widget).await;
            page.reads().await;
        }
        let path = widget.company.path("/conversations?filter=all");
        let list = widget.company.administrator.get(&path).await.expect(200);
        assert_eq!(list.json["items"], json!([]));
    }

    async fn a_message_sent_again_is_the_first_one_and_another_text_is_refused(database: Database) {
        let app = start(database).await;
        let widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        let first = page.writes("one", "Добрый день").await.expect(201);
        let tries: Vec<_> = (0..5)
            .map(|_| {
                let mut page = page.clone();
                async move { page.writes("one", "Добрый день").await }
            })
            .collect();
        for again in futures_util::future::join_all(tries).await {
            assert_eq!(again.expect(200).json["id"], first.json["id"]);
        }
        let other = page.writes("one", "Другое").await;
        other.expect_refusal(409, "client_message_id_conflict");
        assert_eq!(page.texts().await, ["Добрый день"]);
        // The same number of another visitor is another message.
        let mut neighbour = Page::visitor(&app, &widget).await;
        neighbour.writes("one", "И вам").await.expect(201);
        assert_eq!(neighbour.texts().await, ["И вам"]);
    }

    async fn a_visitor_never_reads_another_ones_conversation(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut anna = Page::visitor(&app, &widget).await;
        let mut boris = Page::visitor(&app, &widget).await;
        anna.writes("one", "Моя тайна").await.expect(201);
        boris.writes("one", "Привет").await.expect(201);
        let position = boris.reads().await["position"].clone();
        let mut live = Live::open(&app, &widget, &boris.token, position).await;
        live.hears().await.unwrap();

        let secret = conversation(&mut widget.company, "Моя тайна").await;
        let own = conversation(&mut widget.company, "Привет").await;
        answer(&mut widget.company, &secret, "to anna", "Только Анне").await;
        anna.writes("two", "Спасибо").await.expect(201);
        answer(&mut widget.company, &own, "to boris", "Борису").await;
        let frame = loop {
            let frame = live.hears().await.unwrap();
            let shown = frame.to_string();
            assert!(!shown.contains("Анне") && !shown.contains("Спасибо"), "{shown}");
            if shown.contains("Борису") {
                break frame;
            }
        };
        assert!(frame["position"]["offset"].as_i64().is_some());
        assert_eq!(boris.texts().await, ["Привет", "Борису"]);

        // Nor with a token that is somebody's on another widget, or nobody's.
        let (id, _) = anna.token.split_once('.').unwrap();
        for forged in ["", "nonsense", id, &format!("{id}..AAAA"), &format!("{}x", anna.token)] {
            let mut page = Page { token: forged.to_owned(), ..boris.clone() };
            let refused = page.ask(Method::GET, "/messages", None).await;
            refused.expect_refusal(401, "visitor_token_invalid");
        }
        let mut live = Live::open(&app, &widget, "nonsense", Value::Null).await;
        assert_eq!(live.hears().await, Err(4100));
    }

    async fn a_file_opens_for_its_visitor_only_and_goes_both_ways(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
        let file = page.sends_file("photo.txt", "text/plain", png.to_vec()).await.expect(201).json;
        assert_eq!(file["kind"], "photo");
        let send = |file: &Value| {
            json!({ "client_message_id": "one", "files": [{ "id": file["id"], "pass": file["pass"] }] })
        };
        let mut thief = Page::visitor(&app, &widget).await;
        let stolen = thief.ask(Method::POST, "/messages", Some(send(&file))).await;
        stolen.expect_refusal(404, "not_found");
        let sent = page.ask(Method::POST, "/messages", Some(send(&file))).await.expect(201).json;
        let again = page.ask(Method::POST, "/messages", Some(send(&file))).await.expect(200).json;
        assert_eq!(sent["id"], again["id"]);
        let url = text(&sent["files"][0]["url"]);
        let read = app.browser().get(&url).await.expect(200);
        assert_eq!((&read.bytes[..], &read.headers["content-type"]), (&png[..], &"image/png".parse().unwrap()));
        assert_eq!(read.headers["cross-origin-resource-policy"], "cross-origin");
        let next = file["id"].as_i64().unwrap() + 1;
        let other = url.replace(&format!("/files/{}/", file["id"]), &format!("/files/{next}/"));
        app.browser().get(&other).await.expect_refusal(404, "not_found");

        let chat = conversation(&mut widget.company, "").await;
        assert_eq!(chat["last_message"]["attachment_kind"], "photo");
        let (id, channel) = (widget.company.id, widget.channel);
        let administrator = &mut widget.company.administrator;
        let pdf = administrator.upload(id, channel, "a.pdf", "application/pdf", b"%PDF-1.4".to_vec()).await;
        let body = json!({ "client_message_id": "two", "attachment_ids": [pdf.expect(201).id("/id")] });
        let path = widget.company.path(&format!("/conversations/{}/messages", chat["id"]));
        widget.company.administrator.post(&path, body).await.expect(202);
        let url = eventually("the file is there", || {
            let mut page = page.clone();
            async move { page.reads().await["items"][1]["files"][0]["url"].as_str().map(str::to_owned) }
        })
        .await;
        let read = app.browser().get(&url).await.expect(200);
        assert!(read.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    }

    async fn bad_input_is_refused_with_a_code(database: Database) {
        let app = start(database).await;
        let widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("", "текст").await.expect_refusal(422, "client_message_id_invalid");
        page.writes("one", "  ").await.expect_refusal(422, "text_empty");
        page.writes("one", &"ю".repeat(4097)).await.expect_refusal(422, "text_too_long");
        page.writes("nul", "до\0после \u{202E}").await.expect(201);
        assert_eq!(page.texts().await.len(), 1);
        assert!(!page.texts().await[0].contains('\0'));
        page.sends_file("virus.exe", "image/png", vec![1]).await.expect_refusal(415, "file_kind_refused");
        page.sends_file("empty.png", "image/png", vec![]).await.expect_refusal(422, "file_empty");
        let big = vec![0; 20 * 1024 * 1024 + 1];
        page.sends_file("big.bin", "application/octet-stream", big).await.expect_refusal(413, "file_too_big");
        let unknown = app.browser().get("/widget/v1/0000000000000000/config").await;
        unknown.expect_refusal(404, "not_found");
        let mut live = Live::open(&app, &widget, &page.token, Value::Null).await;
        live.hears().await.unwrap();
        live.say(json!({ "type": "read", "through": "all" })).await;
        assert_eq!(live.hears().await, Err(4101));
    }

    async fn a_foreign_site_is_refused_and_an_allowed_one_is_told_so(database: Database) {
        let app = start(database).await;
        let widget = widget(&app, json!({ "allowed_origins": [SITE] })).await;
        let mut page = Page::visitor(&app, &widget).await;
        let config = page.ask(Method::GET, "/config", None).await.expect(200);
        assert_eq!(config.headers["access-control-allow-origin"], SITE);
        assert!(config.headers.get("access-control-allow-credentials").is_none());
        let preflight = page.ask(Method::OPTIONS, "/messages", None).await.expect(204);
        assert_eq!(preflight.headers["access-control-allow-headers"], "authorization, content-type");
        page.writes("one", "Добрый день").await.expect(201);
        for origin in [Some("https://evil.example".to_owned()), Some("null".to_owned()), None] {
            let mut foreign = Page { origin, ..page.clone() };
            foreign.writes("two", "Чужой").await.expect_refusal(403, "origin_not_allowed");
        }
        let mut foreign = Page { origin: Some("https://evil.example".to_owned()), ..page.clone() };
        foreign.ask(Method::GET, "/messages", None).await.expect_refusal(403, "origin_not_allowed");
        let mut own = Page { origin: Some(app.base.clone()), ..page.clone() };
        own.writes("three", "С примера сайта").await.expect(201);
        let url = format!("{}/widget/v1/{}/live", app.base.replace("http", "ws"), widget.key);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
        assert!(refused.to_string().contains("403"), "{refused}");
    }

    async fn a_flood_is_bounded_for_the_visitor_and_for_the_network(database: Database) {
        let app = TestApp::builder(database)
            .with_real_drivers("http://127.0.0.1:9")
            .set("widget.messages_per_visitor_per_minute", "3")
            .set("widget.messages_per_network_per_minute", "5")
            .set("widget.visitors_per_network_per_hour", "3")
            .set("widget.connections_per_network", "2")
            .start()
            .await;
        let widget = widget(&app, json!({})).await;
        let mut first = Page::visitor(&app, &widget).await;
        let mut second = Page::visitor(&app, &widget).await;
        let mut stored = 0;
        for number in 0..20 {
            let answer = first.writes(&format!("m{number}"), "спам").await;
            if answer.status == 201 {
                stored += 1;
            } else {
                assert!(answer.expect_refusal(429, "rate_limited").headers.contains_key("retry-after"));
            }
        }
        assert_eq!(stored, 3);
        for number in 0..20 {
            let answer = second.writes(&format!("m{number}"), "спам").await;
            assert!(matches!(answer.status.as_u16(), 201 | 429));
        }
        assert!(first.texts().await.len() + second.texts().await.len() <= 5);
        Page::visitor(&app, &widget).await;
        let mut fourth = Page::new(&app, &widget);
        let refused = fourth.ask(Method::POST, "/session", Some(json!({}))).await;
        refused.expect_refusal(429, "rate_limited");
        let _a = Live::open(&app, &widget, &first.token, Value::Null).await;
        let _b = Live::open(&app, &widget, &first.token, Value::Null).await;
        let url = format!("{}/widget/v1/{}/live", app.base.replace("http", "ws"), widget.key);
        let refused = tokio_tungstenite::connect_async(url).await.unwrap_err();
        assert!(refused.to_string().contains("429"), "{refused}");
    }

    async fn a_visitor_goes_on_from_its_position_or_is_told_to_load(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("one", "Добрый день").await.expect(201);
        let chat = conversation(&mut widget.company, "Добрый день").await;
        let position = page.reads().await["position"].clone();
        answer(&mut widget.company, &chat, "a", "Пока вас не было").await;
        eventually("it is sent", || {
            let mut page = page.clone();
            async move { (page.texts().await.len() == 2).then_some(()) }
        })
        .await;
        let mut live = Live::open(&app, &widget, &page.token, position.clone()).await;
        assert_eq!(live.hears().await.unwrap()["recovered"], true);
        let missed = live.hears_text("Пока вас не было").await;
        // Exactly once: what follows is new.
        answer(&mut widget.company, &chat, "b", "Теперь").await;
        let next = live.hears_text("Теперь").await;
        assert!(next["position_after"]["offset"].as_i64() > missed["position_after"]["offset"].as_i64());

        let mut strange = position.clone();
        strange["epoch"] = json!("another");
        let mut live = Live::open(&app, &widget, &page.token, strange).await;
        assert_eq!(live.hears().await.unwrap()["recovered"], false);
        let company = CompanyId(widget.company.id);
        app.app
            .store
            .write(company, move |tx| {
                Box::pin(async move { tx.db().set_epoch(company, "restored").await })
            })
            .await
            .map_err(|error: hub_store::StoreError| error.to_string())
            .unwrap();
        let told = live.hears().await.unwrap();
        assert_eq!((&told["type"], &told["recovered"]), (&json!("watching"), &json!(false)));
        assert_eq!(told["position"]["epoch"], "restored");
    }

    async fn a_shutdown_tells_visitors_to_come_again(database: Database) {
        let app = start(database).await;
        let widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("one", "Добрый день").await.expect(201);
        let mut live = Live::open(&app, &widget, &page.token, Value::Null).await;
        live.hears().await.unwrap();
        app.app.lifecycle.drain();
        assert_eq!(live.hears().await, Err(4000));
    }

    async fn what_a_visitor_told_in_the_form_finds_them(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("1", "Здравствуйте").await.expect(201);
        let body = json!({
            "client_message_id": "2", "text": "Перезвоните",
            "profile": { "name": "Катя Орлова", "phone": "8 (926) 418-07-53", "email": "katya@example.org" },
        });
        page.ask(Method::POST, "/messages", Some(body)).await.expect(201);
        for asked in ["%2B7+926+418", "0753", "katya%40example.org", "%D0%9E%D0%A0%D0%9B"] {
            let path = widget.company.path(&format!("/contacts?query={asked}"));
            let found = widget.company.administrator.get(&path).await.expect(200);
            assert_eq!(found.json["items"][0]["contact"]["name"], "Катя Орлова", "{asked}");
            // Nobody vouches for the number: it is no part of the card.
            assert_eq!(found.json["items"][0]["contact"]["phone"], Value::Null);
        }
    }

    async fn notes_and_phones_never_reach_a_visitor(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("one", "Добрый день").await.expect(201);
        let chat = conversation(&mut widget.company, "Добрый день").await;
        let position = page.reads().await["position"].clone();
        let mut live = Live::open(&app, &widget, &page.token, position).await;
        live.hears().await.unwrap();
        // A system line stands in the conversation like a note does.
        let path = widget.company.path(&format!("/conversations/{}/assignee", chat["id"]));
        let members = widget.company.administrator.get(&widget.company.path("/members")).await.expect(200);
        let body = json!({ "member_id": members.json["items"][0]["id"] });
        widget.company.administrator.put(&path, body).await.expect(200);
        let (company, conversation_id) = (CompanyId(widget.company.id), chat["id"].as_i64().unwrap());
        add_note(&app, company, conversation_id, "Скандалист").await;
        answer(&mut widget.company, &chat, "a", "Здравствуйте").await;
        let shown = live.hears_text("Здравствуйте").await;
        let page = page.reads().await;
        assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
        for shown in [shown.to_string(), page.to_string()] {
            assert!(!shown.contains("Скандалист") && !shown.contains("7926"), "{shown}");
        }
    }

    async fn a_user_of_the_site_has_one_conversation_on_every_device(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({ "form": { "name": "required" } })).await;
        let path = widget.company.path(&format!("/channels/{}/widget", widget.channel));
        let secret = text(&widget.company.administrator.get(&path).await.expect(200).json["secret"]);
        let expires = app.app.clock.now().as_millis() / 1000 + 600;
        let claims = json!({ "sub": "user-42", "exp": expires, "name": "Катя", "phone": "+7 926 000-11-22" });
        let identity = sign(&secret, &claims);
        let mut devices = Vec::new();
        for _ in 0..2 {
            let mut page = Page::new(&app, &widget);
            let body = json!({ "identity": identity });
            let session = page.ask(Method::POST, "/session", Some(body)).await.expect(200);
            page.token = text(&session.json["token"]);
            devices.push(page);
        }
        devices[0].writes("one", "С телефона").await.expect(201);
        devices[1].writes("two", "С компьютера").await.expect(201);
        assert_eq!(devices[0].texts().await, ["С телефона", "С компьютера"]);
        let chat = conversation(&mut widget.company, "С компьютера").await;
        assert_eq!(chat["contact"]["name"], "Катя");
        assert_eq!(chat["contact"]["phone"], "79260001122");

        let mut page = Page::new(&app, &widget);
        let forged = json!({ "identity": sign("another secret", &claims) });
        let refused = page.ask(Method::POST, "/session", Some(forged)).await;
        refused.expect_refusal(401, "identity_not_believed");
        let renewed = widget.company.administrator.post(&format!("{path}/secret"), json!({})).await;
        assert_ne!(renewed.expect(200).json["secret"], secret.as_str());
        let old = page.ask(Method::POST, "/session", Some(json!({ "identity": identity }))).await;
        old.expect_refusal(401, "identity_not_believed");

        // Whom the site does not vouch for is asked by the form.
        let mut stranger = Page::visitor(&app, &widget).await;
        stranger.writes("one", "Кто я?").await.expect_refusal(422, "invalid_request");
        let body = json!({ "client_message_id": "one", "text": "Я Олег", "profile": { "name": "Олег" } });
        stranger.ask(Method::POST, "/messages", Some(body)).await.expect(201);
        assert_eq!(conversation(&mut widget.company, "Я Олег").await["contact"]["name"], "Олег");
    }

    async fn settings_are_checked_and_kept(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let path = widget.company.path(&format!("/channels/{}/widget", widget.channel));
        let administrator = &mut widget.company.administrator;
        for (settings, code) in [
            (json!({ "colour": "#ffff00" }), "colour_too_light"),
            (json!({ "colour": "yellow" }), "widget_setting_invalid"),
            (json!({ "allowed_origins": ["not a site"] }), "origin_invalid"),
            (json!({ "greeting": "ю".repeat(501) }), "widget_setting_invalid"),
            (json!({ "unknown": 1 }), "invalid_request"),
        ] {
            administrator.put(&path, settings).await.expect_refusal(422, code);
        }
        let settings = json!({ "title": "Школа", "colour": "#2F6F5B", "allowed_origins": ["shop.ru/"] });
        let kept = administrator.put(&path, settings).await.expect(200).json;
        assert_eq!(kept["settings"]["colour"], "#2f6f5b");
        assert_eq!(kept["settings"]["allowed_origins"], json!(["https://shop.ru"]));
        assert!(text(&kept["script"]).contains(&format!("data-channel=\"{}\"", widget.key)));
        let config = app.browser().get(&format!("/widget/v1/{}/config", widget.key)).await.expect(200);
        assert_eq!(config.json["title"], "Школа");
        assert!(config.json.get("secret").is_none());
        administrator
            .post(&path.replace("/widget", "/disable"), json!({}))
            .await
            .expect(200);
        let off = app.browser().get(&format!("/widget/v1/{}/config", widget.key)).await;
        off.expect_refusal(409, "channel_disabled");
    }

    async fn a_deleted_widget_is_known_to_no_page_and_keeps_what_was_written(database: Database) {
        let app = start(database).await;
        let mut widget = widget(&app, json!({})).await;
        let mut page = Page::visitor(&app, &widget).await;
        page.writes("one", "Есть места?").await.expect(201);
        let own = widget.company.path(&format!("/channels/{}", widget.channel));
        widget.company.administrator.delete(&own).await.expect(200);

        let config = format!("/widget/v1/{}/config", widget.key);
        app.browser().get(&config).await.expect_refusal(404, "not_found");
        page.writes("two", "Вы здесь?").await.expect_refusal(404, "not_found");
        let settings = format!("{own}/widget");
        let administrator = &mut widget.company.administrator;
        administrator.get(&settings).await.expect_refusal(409, "channel_deleted");
        let renew = format!("{settings}/secret");
        administrator.post(&renew, json!({})).await.expect_refusal(409, "channel_deleted");
        conversation(&mut widget.company, "Есть места?").await;
    }
}

async fn add_note(app: &TestApp, company: CompanyId, conversation: i64, words: &str) {
    use hub_domain::content::Content;
    use hub_domain::event::{Changes, EventType, Origin};
    use hub_domain::{ConversationId, Direction};
    use hub_store::records::NewMessage;

    let words = words.to_owned();
    app.app
        .store
        .write(company, move |tx| {
            Box::pin(async move {
                let id = ConversationId(conversation);
                let found = tx.db().conversation_of_company(company, id).await?;
                let channel_id = found.expect("it is there").channel_id;
                let (position, now) = (tx.next_offset()?, tx.now());
                let id = tx
                    .db()
                    .insert_message(&NewMessage {
                        company_id: company,
                        channel_id,
                        conversation_id: id,
                        direction: Direction::Note,
                        author_member_id: None,
                        client_message_id: None,
                        intention_hash: None,
                        content: Content::text(words),
                        reply_to: None,
                        status: None,
                        position,
                        sent_at: now,
                        version: position,
                    })
                    .await?;
                let message = tx.db().message(company, id).await?;
                let changes = Changes { message, ..Changes::default() };
                tx.append(EventType::MessageCreated, Origin::System, Some(channel_id), changes)
                    .await
            })
        })
        .await
        .map_err(|error: hub_store::StoreError| error.to_string())
        .expect("a note");
}

/// What the server of a site does: a JWT of HS256.
fn sign(secret: &str, claims: &Value) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let header = BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", BASE64.encode(claims.to_string()));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}
