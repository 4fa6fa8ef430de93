//! Files: uploaded, bounded, sniffed, and never able to run.

use hub_domain::AttachmentKind;
use hub_tests::{Browser, TestApp, TestCompany, eventually, on_both_engines};
use reqwest::Method;
use serde_json::{Value, json};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

async fn company(app: &TestApp) -> (TestCompany, i64) {
    let mut company = app.company("Точка роста", "79261234567").await;
    let channel = company.connect("100").await;
    (company, channel)
}

async fn content(browser: &mut Browser, path: &str, range: Option<&str>) -> hub_tests::Answer {
    let mut request = browser.request(Method::GET, path);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    browser.send(request).await
}

on_both_engines! {
    async fn an_uploaded_file_is_what_it_contains_and_reaches_the_client(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel) = company(&app).await;
        let (id, browser) = (company.id, &mut company.administrator);
        // The name and the browser say one thing, the bytes another: the bytes are right.
        let photo = browser.upload(id, channel, "../x/фото.txt", "text/plain", PNG.to_vec()).await;
        let photo = photo.expect(201);
        assert_eq!(photo.json["kind"], "photo");
        assert_eq!(photo.json["mime_type"], "image/png");
        assert_eq!(photo.json["file_name"], "фото.txt");
        assert_eq!((&photo.json["width"], &photo.json["height"]), (&json!(1), &json!(1)));

        let client = app.fake.client("555", "Катя");
        let conversation = company.client_says(&app, "100", &client, "Добрый день").await;
        let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
        let body = json!({ "client_message_id": "one", "attachment_ids": [photo.id("/id")] });
        let sent = company.administrator.post(&path, body.clone()).await.expect(202);
        assert_eq!(sent.json["attachments"][0]["id"], photo.id("/id"));
        assert_eq!(sent.json["attachments"][0]["width"], 1, "its place is known before it is here");
        let sent = app.fake.wait_for_sent(1).await;
        assert_eq!(sent[0].message.attachment.as_ref().unwrap().bytes, PNG);
        let mut body = body;
        body["client_message_id"] = json!("two");
        let twice = company.administrator.post(&path, body).await;
        twice.expect_refusal(404, "not_found");
    }

    async fn a_file_is_read_back_whole_and_in_parts(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel) = company(&app).await;
        let bytes: Vec<u8> = b"%PDF-1.4 ".iter().copied().chain((0..200_000).map(|n| n as u8)).collect();
        let uploaded = company
            .administrator
            .upload(company.id, channel, "a.pdf", "application/pdf", bytes.clone())
            .await
            .expect(201);
        let path = company.path(&format!("/attachments/{}/content", uploaded.id("/id")));
        let browser = &mut company.administrator;
        let whole = content(browser, &path, None).await.expect(200);
        assert_eq!(whole.bytes, bytes);
        let part = content(browser, &path, Some("bytes=10-19")).await.expect(206);
        assert_eq!(part.bytes, bytes[10..20]);
        assert_eq!(part.headers["content-range"], format!("bytes 10-19/{}", bytes.len()).as_str());
        let beyond = content(browser, &path, Some("bytes=900000-")).await.expect(416);
        assert_eq!(beyond.headers["content-range"], format!("bytes */{}", bytes.len()).as_str());

        assert_eq!(whole.headers["content-type"], "application/octet-stream");
        let disposition = whole.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert_eq!(whole.headers["x-content-type-options"], "nosniff");
        assert_eq!(whole.headers["content-security-policy"], "default-src 'none'; sandbox");
    }

    async fn what_could_run_in_a_browser_is_only_ever_downloaded(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel) = company(&app).await;
        for (name, mime_type, bytes) in [
            ("a.html", "text/html", "<script>alert(1)</script>"),
            ("a.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
            ("a.js", "application/javascript", "alert(1)"),
        ] {
            let uploaded = company
                .administrator
                .upload(company.id, channel, name, mime_type, bytes.as_bytes().to_vec())
                .await
                .expect(201);
            let path = company.path(&format!("/attachments/{}/content", uploaded.id("/id")));
            let read = content(&mut company.administrator, &path, None).await.expect(200);
            assert_eq!(read.headers["content-type"], "application/octet-stream", "{name}");
            assert!(read.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        }
    }

    async fn a_file_that_is_refused_leaves_nothing_behind(database: Database) {
        let app = TestApp::builder(database).set("files.max_upload_bytes", "100000").start().await;
        let mut capabilities = app.fake.driver().capabilities();
        capabilities.media.retain(|limit| limit.kind != AttachmentKind::Sticker);
        app.fake.set_capabilities(capabilities);
        let (mut company, channel) = company(&app).await;
        let id = company.id;
        let browser = &mut company.administrator;
        let big = browser.upload(id, channel, "a", "text/plain", vec![b'x'; 100_001]).await;
        let big = big.expect_refusal(413, "file_too_big");
        assert_eq!(big.json["errors"][0]["params"]["limit_bytes"], 100_000);
        let huge = browser.upload(id, channel, "a", "text/plain", vec![b'x'; 10_000_000]).await;
        huge.expect_refusal(413, "file_too_big");
        let empty = browser.upload(id, channel, "a", "text/plain", Vec::new()).await;
        empty.expect_refusal(422, "file_empty");
        let nowhere = browser.upload(id, 999_999, "a", "text/plain", b"x".to_vec()).await;
        nowhere.expect_refusal(404, "not_found");
        let path = company.path("/files");
        let browser = &mut company.administrator;
        for (kind, code) in [("sticker", "file_kind_refused"), ("x", "invalid_request")] {
            let file = reqwest::multipart::Part::bytes(b"%PDF-1.4".as_slice()).file_name("a.pdf");
            let form = reqwest::multipart::Form::new()
                .text("channel_id", channel.to_string())
                .text("kind", kind)
                .part("file", file);
            let request = browser.request(Method::POST, &path).multipart(form);
            let refused = browser.send(request).await;
            assert_eq!(refused.code(), code, "{kind}: {}", refused.json);
        }
        let json = browser.post(&path, json!({})).await;
        json.expect_refusal(415, "unsupported_media_type");
        let files = app.data_dir().join("files");
        assert_eq!(count_files(&files), 0);
    }

    async fn a_clients_file_is_fetched_and_an_unavailable_one_can_be_asked_for_again(database: Database) {
        use hub_domain::channel::DriverError;
        let app = TestApp::start(database).await;
        let (company, _) = company(&app).await;
        let client = app.fake.client("555", "Катя");
        let refused = DriverError::Refused { code: "file_unavailable", detail: "gone".into() };
        app.fake.fail_file("ref-1", refused);
        app.fake.deliver("100", client.sends_file(AttachmentKind::Photo, "ref-1", "a.png", "image/png", "Смотрите"));
        let path = company.path("/conversations?filter=all");
        let attachment = |state: &'static str| {
            let (company, path) = (&company, path.clone());
            eventually("the attachment changes", move || {
                let (mut browser, path) = (company.administrator.clone(), path.clone());
                async move {
                    let list = browser.get(&path).await.expect(200);
                    let conversation = list.json["items"][0]["id"].as_i64()?;
                    let id = company.id;
                    let path = format!("/api/v1/companies/{id}/conversations/{conversation}/messages");
                    let page = browser.get(&path).await.expect(200);
                    let attachment = page.json["items"][0]["attachments"][0].clone();
                    (attachment["state"] == state).then_some(attachment)
                }
            })
        };
        let unavailable: Value = attachment("unavailable").await;
        let own = company.path(&format!("/attachments/{}", unavailable["id"]));
        let mut browser = company.administrator.clone();
        browser.get(&format!("{own}/content")).await.expect_refusal(409, "file_not_ready");
        assert_eq!(unavailable["width"], Value::Null);
        app.fake.put_file("ref-1", PNG);
        browser.post(&format!("{own}/fetch"), json!({})).await.expect(202);
        assert_eq!(attachment("ready").await["width"], 1, "the provider had not told");
        let read = browser.get(&format!("{own}/content")).await.expect(200);
        assert_eq!(read.bytes, PNG);
        let again = browser.post(&format!("{own}/fetch"), json!({})).await;
        again.expect_refusal(409, "status_conflict");
    }

    async fn a_file_that_was_not_sent_yet_is_its_uploaders_alone(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel) = company(&app).await;
        let uploaded = company
            .administrator
            .upload(company.id, channel, "a.txt", "text/plain", b"hello".to_vec())
            .await
            .expect(201);
        let path = company.path(&format!("/attachments/{}/content", uploaded.id("/id")));
        let mut operator = company.member(&app, "79261234570", hub_domain::Role::Operator).await;
        operator.get(&path).await.expect_refusal(404, "not_found");
        company.administrator.get(&path).await.expect(200);
    }
}

fn count_files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}
