//! What a server takes when nothing happens, and how soon it is there.

use std::time::{Duration, Instant};

use crate::bench::{Bench, LimitSetup};
use crate::connection::Connection;
use crate::installation::Setup;
use crate::ledger::Faults;
use crate::load::{Load, Until, arrived};
use crate::process::Process;
use crate::report::{Budget, Figure, Series, Unit};
use crate::sessions::{Door, Sessions};

const SETTLE: Duration = Duration::from_secs(2);
const READY_DEADLINE: Duration = Duration::from_secs(30);
/// Files a process needs beside its sessions.
const OTHER_FILES: usize = 300;
const MESSAGES: u64 = 20;

/// Resident memory of one server, step by step.
#[derive(Debug, Default)]
struct Memory {
    idle: Series,
    /// Of one session, at the sizes measured.
    sessions: Vec<Series>,
    /// Of one session at the largest size, after it was sent a few messages.
    after_messages: Series,
    faults: Faults,
}

/// As many sessions as the limit of open files lets one process have.
fn most_sessions() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    files.unwrap_or(1024).saturating_sub(OTHER_FILES)
}

impl Memory {
    async fn measure(
        &mut self,
        process: &Process,
        door: Door,
        load: &Load,
        sizes: &[usize],
    ) -> anyhow::Result<()> {
        tokio::time::sleep(SETTLE).await;
        let idle = process.resident_bytes();
        self.idle.push(idle / 1024.0 / 1024.0);
        let doors = [door];
        let mut sessions = Sessions::open(&doors, 0, 0).await?;
        self.sessions.resize_with(sizes.len(), Series::default);
        for (size, series) in sizes.iter().zip(&mut self.sessions) {
            sessions.open_more(&doors, size - sessions.count()).await?;
            tokio::time::sleep(SETTLE).await;
            series.push((process.resident_bytes() - idle) / *size as f64 / 1024.0);
        }
        let count = sessions.count() as f64;
        let reading = sessions.read(load.all_chats(), 1000, 1)?;
        load.saturate(&reading.ledger, 1, true, Until::Posted(MESSAGES)).await?;
        arrived(&reading.ledger).await;
        tokio::time::sleep(SETTLE).await;
        self.after_messages.push((process.resident_bytes() - idle) / count / 1024.0);
        self.faults.add(reading.ledger.faults(&reading.ends()));
        Ok(())
    }
}

async fn milliseconds_to_ready(process: &Process) -> anyhow::Result<f64> {
    while process.started.elapsed() < READY_DEADLINE {
        if let Ok(mut connection) = Connection::open(process.address).await
            && connection.request("GET", "/readyz", "", b"").await.is_ok_and(|a| a.status == 200)
        {
            return Ok(process.started.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("the server was not ready in time")
}

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let event_bytes = bench.event_bytes().await?;
    bench.report.section("Idle: memory and start (SQLite)");
    let wanted: &[usize] = if bench.scale.quick { &[1000] } else { &[1000, 10_000] };
    let most = most_sessions();
    let sizes: Vec<usize> = wanted.iter().map(|size| *size.min(&most)).collect();
    let setup = Setup { name: "memory".to_owned(), companies: 1, ..Setup::default() };
    let mut installation = bench.installation(setup).await?;
    let (mut ready, mut product, mut limit) =
        (Series::default(), Memory::default(), Memory::default());
    for repetition in 0..bench.scale.repetitions {
        let began = Instant::now();
        let bare = bench.limit(&format!("memory-{repetition}"), LimitSetup::sqlite(event_bytes))?;
        limit.measure(&bare.process, bare.door(), &bare.load(100), &sizes).await?;
        drop(bare);
        let node = installation.serve()?;
        ready.push(milliseconds_to_ready(&node).await?);
        let load = installation.load(&[&node], 100);
        product.measure(&node, installation.door(&node), &load, &sizes).await?;
        // Its sessions are gone; nothing is to be waited for.
        drop(node);
        eprintln!("  repetition {} took {} s", repetition + 1, began.elapsed().as_secs());
    }
    let report = &mut bench.report;
    report.add(Figure {
        name: "start to ready".to_owned(),
        unit: Unit::Milliseconds,
        product: ready,
        limit: None,
        budget: Budget::ValueAtMost(300.0),
        faults: None,
    });
    report.add(Figure {
        name: "memory of an idle server, one company".to_owned(),
        unit: Unit::Mebibytes,
        product: product.idle,
        limit: Some(limit.idle),
        budget: Budget::ValueAtMost(60.0),
        faults: None,
    });
    let pairs = product.sessions.into_iter().zip(limit.sessions);
    for (size, (product, limit)) in sizes.iter().zip(pairs) {
        report.add(Figure {
            name: format!("memory of an idle session, {size} sessions"),
            unit: Unit::Kibibytes,
            product,
            limit: Some(limit),
            budget: if *size >= 10_000 { Budget::AtMost(2.0) } else { Budget::None },
            faults: None,
        });
    }
    product.faults.add(limit.faults);
    let size = sizes.last().copied().unwrap_or_default();
    report.add(Figure {
        name: format!("the same after {MESSAGES} messages, {size} sessions"),
        unit: Unit::Kibibytes,
        product: product.after_messages,
        limit: Some(limit.after_messages),
        budget: Budget::None,
        faults: Some(product.faults),
    });
    Ok(())
}
