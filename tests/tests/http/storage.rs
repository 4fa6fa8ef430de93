//! Files in S3: the same promises as in a folder, over an outside service that fails now and then.

use hub_domain::AttachmentKind;
use hub_tests::hub::Database;
use hub_tests::process::Installation;
use hub_tests::{TestApp, TestAppBuilder, TestCompany, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::faults::When;
use simulator::s3::{BUCKET, KEY_ID, S3, S3Fault, SECRET_KEY};

/// Settings of an installation that keeps its files there, below a folder of their own.
fn settings(s3: &S3) -> [(&'static str, String); 4] {
    [
        ("files.url", format!("s3://{BUCKET}/uzel")),
        ("files.s3_endpoint", s3.endpoint()),
        ("files.s3_access_key_id", KEY_ID.to_owned()),
        ("files.s3_secret_access_key", SECRET_KEY.to_owned()),
    ]
}

fn on(s3: &S3) -> TestAppBuilder {
    settings(s3)
        .into_iter()
        .fold(TestApp::builder(Database::Sqlite), |app, (key, value)| app.set(key, &value))
}

async fn company(app: &TestApp) -> (TestCompany, i64) {
    let mut company = app.company("Точка роста", "79261234567").await;
    let channel = company.connect("100").await;
    (company, channel)
}

/// Three parts of an upload, of which no two are alike.
fn large_file() -> Vec<u8> {
    b"%PDF-1.4 ".iter().copied().chain((0..11_u32 << 20).map(|n| (n / 7919) as u8)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_to_s3_from_there_to_the_client_and_back_to_the_browser() {
    let s3 = S3::start().await.unwrap();
    let app = on(&s3).start().await;
    let (mut company, channel) = company(&app).await;
    let (id, bytes) = (company.id, large_file());
    let browser = &mut company.administrator;
    let file = browser.upload(id, channel, "a.pdf", "application/pdf", bytes.clone()).await;
    let file = file.expect(201);
    let stored = s3.objects();
    assert_eq!(stored.len(), 1);
    assert!(stored[0].0.starts_with(&format!("uzel/{id}/")), "{stored:?}");
    assert_eq!(stored[0].1, bytes.len());
    let parts = s3.operations().iter().filter(|name| **name == "UploadPart").count();
    assert_eq!((parts, s3.open_uploads()), (3, 0));

    let client = app.fake.client("555", "Катя");
    let conversation = company.client_says(&app, "100", &client, "Добрый день").await;
    let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
    let body = json!({ "client_message_id": "one", "attachment_ids": [file.id("/id")] });
    company.administrator.post(&path, body).await.expect(202);
    let sent = app.fake.wait_for_sent(1).await;
    assert!(sent[0].message.attachment.as_ref().unwrap().bytes == bytes);

    let path = company.path(&format!("/attachments/{}/content", file.id("/id")));
    let browser = &mut company.administrator;
    assert!(browser.get(&path).await.expect(200).bytes == bytes);
    let part = browser.request(Method::GET, &path).header("range", "bytes=5242870-5242889");
    let part = browser.send(part).await.expect(206);
    assert_eq!(part.bytes, bytes[5_242_870..5_242_890]);
    let range = format!("bytes 5242870-5242889/{}", bytes.len());
    assert_eq!(part.headers["content-range"], range.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_or_a_cut_connection_of_s3_costs_nobody_a_file() {
    let s3 = S3::start().await.unwrap();
    let app = on(&s3).start().await;
    let (mut company, channel) = company(&app).await;
    s3.fault(When::once("CreateMultipartUpload"), S3Fault::Refuse(503));
    s3.fault(When::once("UploadPart"), S3Fault::Cut);
    s3.fault(When::once("UploadPart").after(1), S3Fault::AcceptedThenCut);
    s3.fault(When::once("CompleteMultipartUpload"), S3Fault::Refuse(500));
    let (id, bytes) = (company.id, large_file());
    let browser = &mut company.administrator;
    let file = browser.upload(id, channel, "a.pdf", "application/pdf", bytes.clone()).await;
    let file = file.expect(201);
    assert_eq!((s3.objects().len(), s3.objects()[0].1), (1, bytes.len()));
    assert_eq!(s3.open_uploads(), 0);

    s3.fault(When::once("GetObject"), S3Fault::Refuse(503));
    s3.fault(When::once("GetObject").after(1), S3Fault::HalfOfTheBody);
    let path = company.path(&format!("/attachments/{}/content", file.id("/id")));
    let read = company.administrator.get(&path).await.expect(200);
    assert!(read.bytes == bytes, "the second half was asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_file_is_fetched_into_s3_and_tried_again_when_s3_is_away_for_long() {
    let s3 = S3::start().await.unwrap();
    let app = on(&s3).set("delivery.retry_schedule", "0").start().await;
    let (company, _) = company(&app).await;
    // Longer than one attempt is patient.
    s3.fault(When::times("CreateMultipartUpload", 7), S3Fault::Refuse(503));
    let client = app.fake.client("555", "Катя");
    app.fake.put_file("ref-1", b"%PDF-1.4 of a client".as_slice());
    let kind = AttachmentKind::Document;
    let file = client.sends_file(kind, "ref-1", "a.pdf", "application/pdf", "Смотрите");
    app.fake.deliver("100", file);
    let path = company.path("/conversations?filter=all");
    let attachment: Value = eventually("the file is there", || {
        let (mut browser, path) = (company.administrator.clone(), path.clone());
        async move {
            let list = browser.get(&path).await.expect(200);
            let path = format!(
                "/api/v1/companies/{}/conversations/{}/messages",
                company.id,
                list.json["items"][0]["id"].as_i64()?
            );
            let page = browser.get(&path).await.expect(200);
            let attachment = page.json["items"][0]["attachments"][0].clone();
            (attachment["state"] == "ready").then_some(attachment)
        }
    })
    .await;
    let path = company.path(&format!("/attachments/{}/content", attachment["id"]));
    let mut browser = company.administrator.clone();
    assert_eq!(browser.get(&path).await.expect(200).bytes, "%PDF-1.4 of a client");
    let asked = s3.operations().iter().filter(|name| **name == "CreateMultipartUpload").count();
    assert_eq!(asked, 8, "seven refusals, then one that worked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_nothing_in_s3() {
    let s3 = S3::start().await.unwrap();
    let app = on(&s3).set("files.max_upload_bytes", "6000000").start().await;
    let (mut company, channel) = company(&app).await;
    let (id, browser) = (company.id, &mut company.administrator);
    let big = browser.upload(id, channel, "a", "text/plain", vec![b'x'; 6_000_001]).await;
    big.expect_refusal(413, "file_too_big");
    let nowhere = browser.upload(id, 999_999, "a", "text/plain", b"x".to_vec()).await;
    nowhere.expect_refusal(404, "not_found");
    let empty = browser.upload(id, channel, "a", "text/plain", Vec::new()).await;
    empty.expect_refusal(422, "file_empty");
    assert_eq!((s3.objects(), s3.open_uploads()), (Vec::new(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_by_the_doctor_and_takes_no_file() {
    let s3 = S3::start().await.unwrap();
    let mut installation = Installation::new(Database::Sqlite, "s3", None);
    for (key, value) in settings(&s3) {
        installation.set(key, value);
    }
    let files = installation.doctor().await["files"].clone();
    assert_eq!(files, json!({ "verdict": "ok", "detail": format!("S3 bucket {BUCKET}") }));
    assert_eq!(s3.objects(), [], "the check leaves nothing");

    installation.set("files.s3_secret_access_key", "another");
    let files = installation.doctor().await["files"].clone();
    assert_eq!(files["verdict"], "failed");
    let detail = files["detail"].as_str().unwrap();
    assert!(detail.contains("SignatureDoesNotMatch"), "{detail}");
    assert!(!detail.contains("another"), "{detail}");

    let app = on(&s3).set("files.s3_secret_access_key", "another").start().await;
    let (mut company, channel) = company(&app).await;
    let id = company.id;
    let refused = company.administrator.upload(id, channel, "a", "text/plain", b"x".to_vec()).await;
    refused.expect_refusal(500, "internal");
    assert_eq!((s3.objects(), s3.open_uploads()), (Vec::new(), 0));
}
