//! The binary as whoever runs it meets it: commands, the lines it prints, signals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A command on a data folder, without anything of the environment of the tests.
fn uzel(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uzel"));
    command
        .args(arguments)
        .env_clear()
        .env("UZEL_SERVER__DATA_DIR", data_dir)
        .env("UZEL_PROVIDERS__TELEGRAM__API_URL", "http://127.0.0.1:1")
        .current_dir(data_dir);
    command
}

fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    uzel(data_dir, arguments).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server; killed when the test ends.
struct Server {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    seen: Vec<Value>,
    address: String,
}

impl Server {
    fn start(data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = uzel(data_dir, &["serve", "--bind", "127.0.0.1:0"])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut server = Self { child, lines, seen: Vec::new(), address: String::new() };
        let listening = server.line("listening");
        server.address = listening["address"].as_str().map(str::to_owned).expect("an address");
        server
    }

    /// The next line with this message.
    fn line(&mut self, message: &str) -> Value {
        for line in self.lines.by_ref() {
            let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            self.seen.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
        panic!("the log ended without `{message}`: {:?}", self.seen);
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the end and tells whether it was a good one.
    fn ended(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.success();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_first_start_prints_a_set_up_link_and_the_port_it_took() {
    let dir = folder();
    let mut server = Server::start(dir.path(), &[]);
    assert!(!server.address.ends_with(":0"), "{}", server.address);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let link = server.seen.iter().find_map(|line| line["link"].as_str()).expect("a link");
    let path = link.strip_prefix(&format!("http://{}", server.address)).expect("its own address");
    let token = path.strip_prefix("/setup/").expect("a set-up link");
    let page = server.get(&format!("/api/v1/setup/{token}"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    server.signal("TERM");
    server.line("stopped");
    assert!(server.ended());
}

#[test]
fn a_start_with_a_company_prints_no_link() {
    let dir = folder();
    stdout(&run(dir.path(), &["admin", "bootstrap", "--company", "A", "--phone", "+79261234567"]));
    let server = Server::start(dir.path(), &[]);
    assert!(server.seen.iter().all(|line| line.get("link").is_none()), "{:?}", server.seen);
}

#[test]
fn the_second_signal_does_not_wait_for_what_is_under_way() {
    let dir = folder();
    let mut server = Server::start(dir.path(), &[("UZEL_SERVER__SHUTDOWN_SECONDS", "600")]);
    // A request that never ends.
    let mut stuck = TcpStream::connect(&server.address).expect("a connection");
    let head = "POST /api/v1/session/codes HTTP/1.1\r\nHost: x\r\n\
        Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    stuck.write_all(head.as_bytes()).expect("sent");
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    server.line("signal received, finishing what is under way");
    // The line comes a moment before the socket is closed.
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(&server.address).is_ok() {
        assert!(Instant::now() < deadline, "a draining server takes no connections");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(server.child.try_wait().expect("a status").is_none(), "it waits for the request");
    server.signal("INT");
    assert!(server.ended());
}

#[test]
fn a_killed_server_leaves_a_folder_that_the_next_one_takes_over() {
    let dir = folder();
    let mut server = Server::start(dir.path(), &[]);
    let second = uzel(dir.path(), &["serve", "--bind", "127.0.0.1:0"]).output().expect("it runs");
    assert!(!second.status.success());
    assert!(stderr(&second).contains("another server"), "{}", stderr(&second));
    server.signal("KILL");
    assert!(!server.ended());
    Server::start(dir.path(), &[]);
}

#[test]
fn bootstrap_is_idempotent_and_its_link_signs_in() {
    let dir = folder();
    let arguments =
        ["admin", "bootstrap", "--company", "Точка роста", "--phone", "8 926 123-45-67", "--json"];
    let first: Value = serde_json::from_str(&stdout(&run(dir.path(), &arguments))).expect("JSON");
    let second: Value = serde_json::from_str(&stdout(&run(dir.path(), &arguments))).expect("JSON");
    assert_eq!(first["company"], serde_json::json!({ "id": 1, "name": "Точка роста" }));
    assert_eq!(first["user"], serde_json::json!({ "id": 1, "phone": "79261234567" }));
    for same in ["company", "user", "private_token"] {
        assert_eq!(first[same], second[same]);
    }
    assert_ne!(first["sign_in_link"], second["sign_in_link"]);
    let link = first["sign_in_link"].as_str().expect("a link");
    assert!(link.starts_with("http://127.0.0.1:8080/sign-in/link/"), "{link}");
    let another = run(dir.path(), &["admin", "sign-in-link", "--phone", "79261234567"]);
    assert!(stdout(&another).contains("/sign-in/link/"));
    let nobody = run(dir.path(), &["admin", "sign-in-link", "--phone", "79260000000"]);
    assert!(!nobody.status.success());
}

#[test]
fn the_configuration_is_checked_and_shown_without_secrets() {
    let dir = folder();
    let good = run(dir.path(), &["config", "check"]);
    assert!(good.status.success(), "{}", stderr(&good));
    let shown = uzel(dir.path(), &["config", "print"])
        .env("UZEL_DATABASE__URL", "postgres://uzel:hunter2@db.example/uzel")
        .env("UZEL_SECURITY__MASTER_KEY", "ab".repeat(32))
        .output()
        .expect("it runs");
    let text = stdout(&shown);
    assert!(text.contains("environment UZEL_DATABASE__URL"), "{text}");
    assert!(text.contains("db.example"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("abab"), "{text}");
    let unknown = uzel(dir.path(), &["config", "check"])
        .env("UZEL_SERVER__BNID", "127.0.0.1:0")
        .output()
        .expect("it runs");
    assert!(!unknown.status.success());
    assert!(stderr(&unknown).contains("`server.bind`"), "{}", stderr(&unknown));
}

#[test]
fn migrate_names_what_is_missing_and_applies_it_once() {
    let dir = folder();
    let missing = stdout(&run(dir.path(), &["migrate", "--dry-run"]));
    assert!(missing.contains("0001"), "{missing}");
    assert_eq!(missing, stdout(&run(dir.path(), &["migrate", "--dry-run"])));
    stdout(&run(dir.path(), &["migrate"]));
    let after = stdout(&run(dir.path(), &["migrate", "--dry-run"]));
    assert!(!after.contains("0001"), "{after}");
}

#[test]
fn the_doctor_tells_a_healthy_server_from_a_broken_one() {
    let dir = folder();
    let server = Server::start(dir.path(), &[]);
    let url = format!("http://{}", server.address);
    let healthy = run(dir.path(), &["doctor", "--json", "--public-url", &url]);
    let answer: Value = serde_json::from_str(&stdout(&healthy)).expect("JSON");
    assert_eq!(answer["healthy"], true);
    let names: Vec<&str> = answer["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| check["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["database", "bus", "files", "clock", "public_url", "disk"]);
    let broken = uzel(dir.path(), &["doctor"])
        .env("UZEL_REDIS__URL", "redis://127.0.0.1:1")
        .output()
        .expect("it runs");
    assert!(!broken.status.success());
    let text = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(text.lines().any(|line| line.starts_with("bus") && line.contains("FAILED")), "{text}");
}

#[test]
fn the_log_tells_no_secrets() {
    let dir = folder();
    let environment = [("UZEL_LOG__FILTER", "trace")];
    let mut server = Server::start(dir.path(), &environment);
    let bootstrap = ["admin", "bootstrap", "--company", "A", "--phone", "+79261234567", "--json"];
    let made: Value = serde_json::from_str(&stdout(&run(dir.path(), &bootstrap))).expect("JSON");
    let token = made["private_token"].as_str().expect("a token").to_owned();
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let head = format!(
        "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.signal("TERM");
    server.line("stopped");
    let log = format!("{:?}", server.seen);
    for secret in [token.as_str(), "79261234567"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
