//! Connections: who is let in, how long they last, what they may ask.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_learns_why() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let mut nobody = Client::open(&node, &[]).await.unwrap();
    assert_eq!(nobody.closed().await, 4100, "a browser sees close codes only");
    let refused = |headers: &'static [(&'static str, &'static str)]| {
        let node = &node;
        async move {
            match Client::open(node, headers).await {
                Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
                other => panic!("{:?}", other.map(|_| ())),
            }
        }
    };
    assert_eq!(refused(&[("authorization", "Bearer wrong")]).await, 401);
    assert_eq!(refused(&[("x-user", "1"), ("origin", "https://evil.example")]).await, 403);
    let plain = |headers: &'static str| {
        let address = node.address;
        async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request =
                format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer[9..12].to_owned()
        }
    };
    assert_eq!(plain("").await, "401");
    assert_eq!(plain("x-user: 1\r\n").await, "426");
    node.door.narrow(1, CompanyId(1), None);
    let mut stranger = Client::connect(&node, 1).await;
    let watch = ClientFrame::Watch { company_id: CompanyId(1), position: None };
    stranger.send(&watch).await;
    assert_eq!(stranger.closed().await, 4102);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_idle_connection_keeps_is_small() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let (sizes, mut measured) = tokio::sync::mpsc::channel(1);
    let door = Arc::clone(&node.door);
    let served = Served { fanout: node.fanout.clone(), door };
    let open = move |State(served): State<Served>, upgrade: WebSocketUpgrade| async move {
        let caller = Caller { user_id: UserId(1), proof: Proof::PrivateToken([0; 32]) };
        let admission = served.fanout.admit(caller).unwrap();
        upgrade.on_upgrade(async move |socket| {
            let run = session::Session::new(socket, admission, served.door).run();
            sizes.send(size_of_val(&run)).await.unwrap();
        })
    };
    let router = Router::new().route("/", get(open)).with_state(served);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lifecycle = node.fanout.lifecycle();
    lifecycle.spawn("listener", listen::serve(listener, router, lifecycle.clone()));
    let (_socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
    let size = timeout(SOON, measured.recv()).await.unwrap().unwrap();
    println!("future of a session: {size} bytes");
    assert!(size < 3 * 1024, "{size} bytes: box what is rarely used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_connections_of_that_session_at_once() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let (mut gone, mut stays) = (Client::connect(&node, 1).await, Client::connect(&node, 2).await);
    node.fanout.signed_out(SessionId(1));
    assert_eq!(gone.closed().await, 4100);
    let company = node.company().await;
    assert_eq!(stays.watch(company, None).await, (false, at("e1", 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_elsewhere_is_noticed() {
    let place = Place::sqlite();
    let revalidate = Duration::from_millis(50);
    let node = Node::start(&place, Settings { revalidate, ..settings() }).await;
    let mut client = Client::connect(&node, 1).await;
    node.door.signed_out.store(true, Ordering::Relaxed);
    assert_eq!(client.closed().await, 4100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_read_end_the_connection() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let large = format!(r#"{{"type":"heartbeat","x":"{}"}}"#, "x".repeat(70_000));
    let bad = [
        Message::Text("{".into()),
        Message::Text(r#"{"type":"shout"}"#.into()),
        Message::Text(r#"{"type":"watch"}"#.into()),
        Message::Binary(vec![1].into()),
        Message::Text(large.into()),
    ];
    for message in bad {
        let mut client = Client::connect(&node, 1).await;
        let named = format!("{message:.60?}");
        client.socket.send(message).await.unwrap();
        assert_eq!(client.closed().await, 4101, "{named}");
    }
    let mut client = Client::connect(&node, 1).await;
    for _ in 0..200 {
        if client.socket.send(Message::Text(r#"{"type":"heartbeat"}"#.into())).await.is_err() {
            break;
        }
    }
    let frame = client.frame().await;
    assert!(
        matches!(&frame, ServerFrame::Error { code, .. } if code == "rate_limited"),
        "{frame:?}"
    );
    assert_eq!(client.closed().await, 4101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold() {
    let place = Place::sqlite();
    let node = Node::start(&place, settings()).await;
    let mut client = Client::connect(&node, 1).await;
    for _ in 0..settings().max_watches {
        client.watch(node.company().await, None).await;
    }
    let watch = ClientFrame::Watch { company_id: node.company().await, position: None };
    client.send(&watch).await;
    assert_eq!(client.closed().await, 4103);
    drop(client);
    until("it is gone", || node.fanout.connection_count() == 0).await;
    let mut clients = Vec::new();
    for _ in 0..settings().max_user_connections {
        clients.push(Client::connect(&node, 1).await);
    }
    let Err(tungstenite::Error::Http(refusal)) = Client::open(&node, &[("x-user", "1")]).await
    else {
        panic!("one too many was let in");
    };
    assert_eq!(refusal.status().as_u16(), 429);
    clients.pop();
    let others = Client::connect(&node, 2).await;
    until("there is room", || node.fanout.connection_count() == settings().max_user_connections)
        .await;
    drop((Client::connect(&node, 1).await, others));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_notice_silence() {
    let place = Place::sqlite();
    let heartbeat = Duration::from_millis(50);
    let silence = Duration::from_millis(600);
    let node = Node::start(&place, Settings { heartbeat, silence, ..settings() }).await;
    let mut alive = Client::connect(&node, 1).await;
    let mut silent = Client::connect(&node, 2).await;
    let started = std::time::Instant::now();
    while started.elapsed() < silence * 2 {
        assert_eq!(alive.frame().await, ServerFrame::Heartbeat);
        alive.send(&ClientFrame::Heartbeat).await;
    }
    assert_eq!(silent.closed().await, 4002);
}
