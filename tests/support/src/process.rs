//! A server process under a watchdog shell, with a directory and a loopback port of its own.
//!
//! Does not know which server it is: that is a script (`run-*.sh`), a stop signal and a
//! question "are you ready?".

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Starts the server, tells its process id, and waits for the pipe on its standard input.
/// A line means "stop", the end of the pipe means that the owner is gone: "stop and remove".
const WATCHDOG: &str = r#"
root=$1 signal=$2; shift 2
"$@" </dev/null >>"$root/log" 2>&1 &
echo $!
read -r line && keep=yes
kill -s "$signal" $! 2>/dev/null
wait
[ -n "$keep" ] || rm -rf "$root"
"#;

const START_DEADLINE: Duration = Duration::from_mins(1);
const PORT_TRIES: usize = 5;

/// What makes one kind of server different from another.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
    pub(crate) arguments: &'static [&'static str],
    /// The signal that ends the server at once, without an orderly shutdown.
    pub(crate) kill_signal: &'static str,
    pub(crate) is_ready: fn(&Server, pid: u32) -> bool,
}

pub(crate) struct Server {
    kind: &'static Kind,
    port: u16,
    /// Holds the log and the server's directory; removed with this value.
    root: TempDir,
    directory: PathBuf,
    running: Option<Running>,
}

struct Running {
    watchdog: Child,
    pid: u32,
}

impl Server {
    pub(crate) fn start(kind: &'static Kind, parent: &Path) -> Self {
        let root = tempfile::Builder::new()
            .prefix("uzel-test-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in(parent)
            .expect("a temporary directory for a test server");
        let directory = root.path().join(kind.name);
        fs::create_dir(&directory).expect("a directory for a test server");
        let mut server = Self { kind, port: 0, root, directory, running: None };
        for _ in 0..PORT_TRIES {
            // Between asking for a free port and using it, another process may take it.
            server.port = free_port();
            if server.run() {
                return server;
            }
        }
        panic!("{} did not start: {}", kind.name, server.log());
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the server as a crash would, and returns when it is gone.
    pub(crate) fn kill(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        if let Some(pipe) = running.watchdog.stdin.as_mut() {
            // A watchdog that is gone already took the server with it.
            let _ = writeln!(pipe);
        }
        running.watchdog.wait().expect("the watchdog can be waited for");
    }

    /// Starts the server again on the same port, with what it had stored.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.run(), "{} did not start again: {}", self.kind.name, self.log());
    }

    fn run(&mut self) -> bool {
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(self.root.path())
            .arg(self.kind.kill_signal)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(self.kind.script))
            .arg(&self.directory)
            .arg(self.port.to_string())
            .args(self.kind.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C at the terminal is for the test; the watchdog sees the pipe close.
            .process_group(0)
            .spawn()
            .expect("sh can be started");
        let mut line = String::new();
        let output = watchdog.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the watchdog tells the process id");
        let pid = line.trim().parse().expect("the watchdog tells the process id");
        self.running = Some(Running { watchdog, pid });

        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline && is_alive(pid) {
            if (self.kind.is_ready)(self, pid) {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.kill();
        false
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.pid)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that ended but was not yet waited for is a zombie: it counts as gone.
fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z'))
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free loopback port")
        .port()
}
