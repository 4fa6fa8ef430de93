//! The servers that other tests stand on: separate, restartable, and gone afterwards.

use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use test_services::{PostgresServer, RedisServer, create_database, postgres_url, redis_url};

#[test]
fn each_test_has_a_database_of_its_own_that_vanishes_with_it() {
    let mine = create_database("mine");
    let yours = create_database("mine");
    mine.execute("CREATE TABLE t (n bigint); INSERT INTO t VALUES (7)");
    assert_eq!(mine.execute("SELECT n FROM t"), "7");
    assert_eq!(yours.execute("SELECT count(*) FROM pg_tables WHERE tablename = 't'"), "0");

    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", mine.name());
    assert_eq!(yours.execute(&count), "1");
    drop(mine);
    assert_eq!(yours.execute(&count), "0");
    assert!(postgres_url().starts_with("postgres"));
}

#[test]
fn killed_postgres_comes_back_on_its_port_with_what_was_committed() {
    let mut server = PostgresServer::start_own();
    let database = server.create_database("crash");
    database.execute("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)");
    server.kill();
    assert!(server.pid().is_none());
    server.restart();
    assert_eq!(database.execute("SELECT n FROM t"), "1");
}

#[test]
fn killed_redis_breaks_its_connections_and_comes_back_on_its_port() {
    let mut server = RedisServer::start_own();
    let url = server.url();
    let address = url.trim_start_matches("redis://").to_owned();
    let mut connection = TcpStream::connect(&address).expect("Redis listens");
    server.kill();
    let read = connection.read(&mut [0; 1]);
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(TcpStream::connect(&address).is_err());
    server.restart();
    assert_eq!(server.url(), url);
    assert!(TcpStream::connect(&address).is_ok());
}

#[test]
fn shared_redis_has_an_address() {
    assert!(redis_url().starts_with("redis"));
}

/// Runs itself again as a process that starts a server and is then killed without a chance
/// to clean up.
#[test]
fn server_ends_with_the_process_that_started_it() {
    const ROLE: &str = "UZEL_TEST_STARTS_A_SERVER";
    if env::var_os(ROLE).is_some() {
        let server = RedisServer::start_own();
        println!("server {}", server.pid().expect("it runs"));
        thread::sleep(Duration::from_mins(1));
        return;
    }
    let mut owner = Command::new(env::current_exe().expect("the test binary"))
        .args(["server_ends_with_the_process_that_started_it", "--exact", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary runs");
    let pid = first_pid(owner.stdout.as_mut().expect("piped"));
    assert!(is_running(pid));
    owner.kill().expect("the owner can be killed");
    owner.wait().expect("the owner can be waited for");

    let deadline = Instant::now() + Duration::from_secs(10);
    while is_running(pid) {
        assert!(Instant::now() < deadline, "the server outlived its owner");
        thread::sleep(Duration::from_millis(10));
    }
}

fn first_pid(output: &mut impl Read) -> u32 {
    let mut text = String::new();
    let mut byte = [0; 1];
    while output.read_exact(&mut byte).is_ok() {
        text.push(char::from(byte[0]));
        if let Some((_, rest)) = text.split_once("server ")
            && let Some((pid, _)) = rest.split_once('\n')
        {
            return pid.parse().expect("a process id");
        }
    }
    panic!("the process told no process id: {text}");
}

fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.contains("redis"))
}
