//! Files: downloaded, uploaded, referred to, given by an address.

use axum::routing::get;
use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use simulator::telegram::{BotSpec, FileSpec};

use crate::setting::{keys, set, setting};

#[tokio::test]
async fn a_file_of_a_client_is_downloaded_by_a_path_that_can_expire() {
    let it = setting().await;
    it.marta.photo(Some("look")).unwrap();
    let content = Bytes::from_static(b"\x00\x01 a bill");
    let file = FileSpec {
        bytes: Some(content.clone()),
        file_name: Some("Rechnung № 12 (копия).pdf".to_owned()),
        ..FileSpec::default()
    };
    it.marta.document(file, None).unwrap();
    let big = FileSpec { size_bytes: Some(73_400_320), ..FileSpec::default() };
    it.marta.document(big, None).unwrap();
    let updates = it.drain().await;
    let download = async |path: &Value| {
        let base = it.simulator.base_url();
        let url = format!("{base}/file/bot{}/{}", it.bot.token(), path.as_str().unwrap());
        let response = it.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };

    let sizes = updates[0]["message"]["photo"].as_array().unwrap();
    assert!(sizes.len() > 1);
    let largest =
        it.result("getFile", json!({ "file_id": sizes.last().unwrap()["file_id"] })).await;
    assert_eq!(keys(&largest), set(&["file_id", "file_unique_id", "file_size", "file_path"]));
    let (status, picture) = download(&largest["file_path"]).await;
    assert_eq!((status, picture.len() as u64), (200, largest["file_size"].as_u64().unwrap()));
    assert!(picture.starts_with(&[0xFF, 0xD8]), "a JPEG");

    let document = &updates[1]["message"]["document"];
    assert_eq!(document["file_name"], "Rechnung № 12 (копия).pdf");
    let file_id = json!({ "file_id": document["file_id"] });
    let path = it.result("getFile", file_id.clone()).await["file_path"].clone();
    assert_eq!(download(&path).await, (200, content));
    it.bot.expire_file_paths();
    assert_eq!(download(&path).await.0, 404);
    let fresh = it.result("getFile", file_id).await["file_path"].clone();
    assert_eq!(download(&fresh).await.0, 200);

    let too_big = json!({ "file_id": updates[2]["message"]["document"]["file_id"] });
    assert_eq!(
        it.refusal("getFile", too_big).await,
        (400, "Bad Request: file is too big".to_owned())
    );
    let wrong = it.refusal("getFile", json!({ "file_id": "AgACnonsense" })).await.1;
    assert_eq!(wrong, "Bad Request: wrong file_id or the file is temporarily unavailable");
    let stranger = it.simulator.telegram().create_bot(BotSpec::default());
    let url = format!("{}/bot{}/getFile", it.simulator.base_url(), stranger.token());
    let foreign =
        it.http.post(url).json(&json!({ "file_id": document["file_id"] })).send().await.unwrap();
    assert_eq!(foreign.status().as_u16(), 400, "an id belongs to its bot");
}

fn png(width: u32, height: u32, length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

#[tokio::test]
async fn uploads_are_kept_can_be_sent_again_and_are_bounded() {
    let it = setting().await.started().await;
    let sent =
        it.upload("sendPhoto", "photo", png(800, 600, 7000), "a.png").await["result"].clone();
    assert_eq!(keys(&sent), set(&["message_id", "from", "chat", "date", "photo"]));
    let size = &sent["photo"][0];
    assert_eq!(keys(size), set(&["file_id", "file_unique_id", "file_size", "width", "height"]));
    assert_eq!(
        (&size["width"], &size["height"], &size["file_size"]),
        (&json!(800), &json!(600), &json!(7000))
    );
    let again =
        it.result("sendPhoto", json!({ "chat_id": it.marta.id(), "photo": size["file_id"] })).await;
    assert_eq!(again["photo"][0]["file_unique_id"], size["file_unique_id"]);
    assert_eq!(it.bot.file_bytes(size["file_id"].as_str().unwrap()).unwrap().len(), 7000);
    let mismatch = json!({ "chat_id": it.marta.id(), "document": size["file_id"] });
    assert_eq!(it.refusal("sendDocument", mismatch).await.1, "Bad Request: type of file mismatch");

    let description = async |method: &str, field: &str, bytes: Vec<u8>| {
        it.upload(method, field, bytes, "x.bin").await["description"]
            .as_str()
            .unwrap_or("ok")
            .to_owned()
    };
    assert_eq!(
        description("sendPhoto", "photo", b"no picture".to_vec()).await,
        "Bad Request: IMAGE_PROCESS_FAILED"
    );
    assert_eq!(
        description("sendPhoto", "photo", png(9000, 1001, 100)).await,
        "Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    assert_eq!(
        description("sendPhoto", "photo", png(210, 10, 100)).await,
        "Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    let big = description("sendPhoto", "photo", png(10, 10, (10 << 20) + 1)).await;
    assert!(big.contains("file is too big"), "{big}");
    assert_eq!(
        description("sendDocument", "document", Vec::new()).await,
        "Bad Request: file must be non-empty"
    );
    assert_eq!(
        description("sendDocument", "document", vec![0; (50 << 20) + 1]).await,
        "Request Entity Too Large"
    );
    assert_eq!(
        description("sendDocument", "photo", vec![0; 9]).await,
        "Bad Request: there is no document in the request"
    );
    for (method, field) in [
        ("sendDocument", "document"),
        ("sendVideo", "video"),
        ("sendAnimation", "animation"),
        ("sendVoice", "voice"),
        ("sendAudio", "audio"),
        ("sendVideoNote", "video_note"),
        ("sendSticker", "sticker"),
    ] {
        let answer = it.upload(method, field, b"content".to_vec(), "x.bin").await;
        assert_eq!(answer["result"][field]["file_size"], 7, "{answer}");
    }
    it.simulator.telegram().forbid_voice(it.marta.id(), true).unwrap();
    assert_eq!(
        description("sendVoice", "voice", vec![1]).await,
        "Bad Request: VOICE_MESSAGES_FORBIDDEN"
    );
    let recorded = it.simulator.telegram().calls_to("sendVoice");
    assert_eq!(
        recorded[0].params["voice"],
        json!({ "file_name": "x.bin", "content_type": null, "size_bytes": 7 })
    );
}

#[tokio::test]
async fn an_album_is_uploaded_in_one_call_and_gives_a_list() {
    let it = setting().await.started().await;
    let send = async |media: Value, parts: usize| -> Value {
        let mut form =
            Form::new().text("chat_id", it.marta.id().to_string()).text("media", media.to_string());
        for part in 0..parts {
            form =
                form.part(format!("file{part}"), Part::bytes(png(80, 60, 100)).file_name("a.png"));
        }
        it.http
            .post(it.url("sendMediaGroup"))
            .multipart(form)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let photo = |part: usize| json!({ "type": "photo", "media": format!("attach://file{part}") });
    let sent = send(json!([photo(0), photo(1)]), 2).await["result"].clone();
    let list = sent.as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(
        keys(&list[0]),
        set(&["message_id", "from", "chat", "date", "photo", "media_group_id"])
    );
    assert_eq!(list[0]["media_group_id"], list[1]["media_group_id"]);
    assert_eq!(send(json!([photo(0)]), 1).await["error_code"], 400);
    let mixed = json!([photo(0), { "type": "document", "media": "attach://file1" }]);
    assert_eq!(
        send(mixed, 2).await["description"],
        "Bad Request: document can't be mixed with other media types"
    );
    assert_eq!(it.marta.inbox().len(), 2);
}

#[tokio::test]
async fn a_file_can_be_given_by_an_address_on_this_machine_only() {
    let it = setting().await.started().await;
    let server = axum::Router::new().route("/a.txt", get(async || "a text"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = async { axum::serve(listener, server).await.unwrap() };
    let asked = async {
        let send = |url: String| json!({ "chat_id": it.marta.id(), "document": url });
        let sent = it.result("sendDocument", send(format!("http://{address}/a.txt"))).await;
        assert_eq!(sent["document"]["file_size"], 6);
        assert_eq!(sent["document"]["file_name"], "a.txt");
        let away =
            it.refusal("sendDocument", send("https://files.example.org/a.txt".to_owned())).await.1;
        assert_eq!(away, "Bad Request: failed to get HTTP URL content");
    };
    tokio::select! { () = served => (), () = asked => () }
}
