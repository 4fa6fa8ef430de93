//! A company to test with: its administrator in a browser, colleagues, a connected channel, clients.

use channel_testkit::FakeClient;
use hub_domain::{CompanyId, Role};
use hub_server::actions::bootstrap::{Bootstrap, bootstrap};
use hub_server::actions::set_up::{add_member, find_or_create_user};
use hub_server::actions::sign_in::make_sign_in_link;
use hub_server::error::ApiError;
use serde_json::{Value, json};

use crate::{Browser, TestApp, eventually};

/// A company and its administrator, signed in.
pub struct TestCompany {
    pub id: i64,
    pub administrator: Browser,
}

impl TestCompany {
    pub(crate) async fn create(app: &TestApp, name: &str, phone: &str) -> Self {
        let mut administrator = app.browser();
        let answer = if let Some(token) = app.set_up_token().await {
            let body = json!({ "company_name": name, "name": "Марина", "phone": phone });
            administrator.post(&format!("/api/v1/setup/{token}"), body).await.expect(201)
        } else {
            let request = Bootstrap {
                company_name: name.to_owned(),
                phone: phone.to_owned(),
                name: "Марина".to_owned(),
            };
            let done = bootstrap(&app.app.store, 1, request).await.expect("it is made");
            follow_link(&mut administrator, &done.sign_in_path).await
        };
        administrator.signed_in(&answer);
        let companies = answer.json["companies"].as_array().expect("a list");
        let own = companies.iter().find(|entry| entry["company"]["name"] == name);
        let id = own.and_then(|entry| entry["company"]["id"].as_i64()).expect("the company");
        Self { id, administrator }
    }

    /// The address of something of this company.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/companies/{}{rest}", self.id)
    }

    /// A colleague, signed in. Invitations are not part of the product yet.
    pub async fn member(&self, app: &TestApp, phone: &str, role: Role) -> Browser {
        let phone = phone.to_owned();
        let path = app
            .app
            .store
            .write(CompanyId(self.id), move |tx| {
                Box::pin(async move {
                    let user = find_or_create_user(tx, &phone, "Олег").await?;
                    add_member(tx, user, role).await?;
                    make_sign_in_link(tx, 1, user).await
                })
            })
            .await
            .map_err(|error: ApiError| error.to_string())
            .expect("a colleague is made");
        let mut browser = app.browser();
        let answer = follow_link(&mut browser, &path).await;
        browser.signed_in(&answer);
        browser
    }

    /// Connects an account of the fake provider and waits until it works. Returns the channel's id.
    pub async fn connect(&mut self, account: &str) -> i64 {
        self.connect_by(account, "polling").await
    }

    /// Connects by `polling` or `webhook`.
    pub async fn connect_by(&mut self, account: &str, intake: &str) -> i64 {
        let credential = format!("{account}:secret");
        let body = json!({ "kind": "telegram_bot", "credential": credential, "intake": intake });
        let answer = self.administrator.post(&self.path("/channels"), body).await.expect(201);
        let id = answer.id("/id");
        let path = self.path("/channels");
        eventually("the channel works", || {
            let (mut browser, path) = (self.administrator.clone(), path.clone());
            async move {
                let channels = browser.get(&path).await.expect(200);
                let items = channels.json["items"].as_array().cloned().unwrap_or_default();
                let channel = items.into_iter().find(|channel| channel["id"] == id)?;
                (channel["state"] == "enabled").then_some(())
            }
        })
        .await;
        id
    }

    /// A client writes; answers with the conversation once it is in the chat list.
    pub async fn client_says(
        &mut self,
        app: &TestApp,
        account: &str,
        client: &FakeClient,
        text: &str,
    ) -> Value {
        app.fake.deliver(account, client.says(text));
        let path = self.path("/conversations?filter=all");
        eventually("the message is in the chat list", || {
            let (mut browser, path) = (self.administrator.clone(), path.clone());
            async move {
                let list = browser.get(&path).await.expect(200);
                let items = list.json["items"].as_array().cloned().unwrap_or_default();
                items.into_iter().find(|item| item["last_message"]["text"] == text)
            }
        })
        .await
    }
}

async fn follow_link(browser: &mut Browser, path: &str) -> crate::Answer {
    let token = path.rsplit('/').next().expect("a token");
    browser.post("/api/v1/session/link", json!({ "token": token })).await.expect(200)
}
