//! A server under measurement: started, watched through `/proc`, ended by its process id.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Ticks of `/proc/<pid>/stat` in a second: the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Warnings and errors of one server that are shown; an overloaded one has the same to say of every request.
const COMPLAINTS_SHOWN: usize = 3;
const START_DEADLINE: Duration = Duration::from_mins(2);

/// Ends with this value.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub started: Instant,
}

impl Process {
    /// Starts a server and waits for the line of its log that says where it listens.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| {
                format!("{} cannot be started", command.get_program().display())
            })?;
        let output = child.stdout.take().context("the output is piped")?;
        let (told, address) = mpsc::channel();
        std::thread::spawn(move || {
            let mut complaints = 0;
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = listening(&line) {
                    // Nobody waits for a second one.
                    let _ = told.send(address);
                } else if line.contains("\"level\":\"ERROR\"")
                    || line.contains("\"level\":\"WARN\"")
                {
                    complaints += 1;
                    if complaints <= COMPLAINTS_SHOWN {
                        eprintln!("  server: {line}");
                    }
                }
            }
        });
        let Ok(address) = address.recv_timeout(START_DEADLINE) else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("{} did not say where it listens", command.get_program().display());
        };
        Ok(Self { child, address, started })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.id())
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes =
            line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
        kilobytes.map_or(f64::NAN, |kilobytes: f64| kilobytes * 1024.0)
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if asked.is_ok_and(|status| status.success()) {
            let deadline = Instant::now() + Duration::from_secs(30);
            while Instant::now() < deadline {
                if self.child.try_wait()?.is_some() {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        bail!("a server did not end when asked to")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    (ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) / TICKS_PER_SECOND
}

fn listening(line: &str) -> Option<SocketAddr> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    (value["message"] == "listening").then(|| value["address"].as_str()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_line_that_tells_it() {
        let line = r#"{"level":"INFO","message":"listening","address":"127.0.0.1:4711"}"#;
        assert_eq!(listening(line), Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(listening(r#"{"level":"INFO","message":"stopped"}"#), None);
        assert_eq!(listening("not JSON"), None);
    }

    #[test]
    fn processor_time_of_a_running_process_is_a_number() {
        assert!(cpu_seconds(std::process::id()) >= 0.0);
    }
}
