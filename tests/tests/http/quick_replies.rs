//! Quick replies: any member's to write, every member's to use.

use hub_domain::Role;
use hub_tests::{TestApp, on_both_engines};
use reqwest::Method;
use serde_json::json;

on_both_engines! {
    async fn what_one_member_saves_every_colleague_finds_and_may_change(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let path = company.path("/quick-replies");
        let body = json!({ "name": " Цены ", "text": "Да, @name@, вот они" });
        let saved = operator.post(&path, body).await.expect(201);
        assert_eq!(saved.json["name"], "Цены");
        let one = format!("{path}/{}", saved.id("/id"));
        let body = json!({ "name": "Цены 2026", "text": "Вот" });
        company.administrator.put(&one, body).await.expect(200);
        let list = operator.get(&path).await.expect(200);
        assert_eq!(list.json["items"][0]["name"], "Цены 2026");
        operator.delete(&one).await.expect(200);
        let list = company.administrator.get(&path).await.expect(200);
        assert_eq!(list.json["items"].as_array().map(Vec::len), Some(0));
        company.administrator.delete(&one).await.expect_refusal(404, "not_found");
    }

    async fn a_file_goes_with_it_and_ends_with_it(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let path = company.path("/quick-replies");
        let browser = &mut company.administrator;
        let saved = browser.post(&path, json!({ "name": "Договор", "text": "Вот" })).await;
        let file = format!("{path}/{}/file", saved.expect(201).id("/id"));
        let put = browser
            .request(Method::PUT, &format!("{file}?name=..%2FДоговор.pdf"))
            .header("content-type", "application/pdf")
            .body("%PDF-1.4 договор");
        let put = browser.send(put).await.expect(200);
        assert_eq!(put.json["file"]["name"], "Договор.pdf");
        assert_eq!(put.json["file"]["mime_type"], "application/pdf");
        let got = browser.get(&file).await.expect(200);
        assert_eq!(&got.bytes[..], "%PDF-1.4 договор".as_bytes());
        assert_eq!(got.headers["x-content-type-options"], "nosniff");

        let empty = browser.request(Method::PUT, &format!("{file}?name=a"));
        browser.send(empty).await.expect_refusal(422, "file_empty");
        browser.get(&file).await.expect(200);
        let without = browser.delete(&file).await.expect(200);
        assert!(without.json["file"].is_null());
        browser.get(&file).await.expect_refusal(404, "not_found");
    }

    async fn what_is_empty_or_too_long_is_refused_by_its_field(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let path = company.path("/quick-replies");
        let (long_name, long_text) = ("я".repeat(121), "я".repeat(4097));
        for (name, text, code, field) in [
            (" ", "Вот", "quick_reply_name_invalid", "name"),
            (long_name.as_str(), "Вот", "quick_reply_name_invalid", "name"),
            ("Цены", " \n ", "quick_reply_empty", "text"),
            ("Цены", long_text.as_str(), "quick_reply_too_long", "text"),
        ] {
            let answer = company.administrator.post(&path, json!({ "name": name, "text": text }));
            let answer = answer.await.expect_refusal(422, code);
            assert_eq!(answer.json["errors"][0]["field"], field);
        }
    }
}
