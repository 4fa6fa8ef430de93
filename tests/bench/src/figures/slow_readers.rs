//! Five of a hundred operators stop reading: what the others notice, and what it costs in memory.

use std::time::Duration;

use super::fan_out::Pairs;
use crate::bench::Bench;
use crate::figures::fan_out::Outcome;
use crate::installation::Setup;
use crate::ledger::Faults;
use crate::load::arrived;
use crate::process::Process;
use crate::report::{Budget, Figure, Series, Unit, percentile};
use crate::sessions::{Door, Sessions};

const CHATS: u64 = 1000;
const SESSIONS: usize = 100;
const SLOW: usize = 5;
const RATE: u32 = 200;
/// Long texts fill the buffers of those who do not read within seconds.
const TEXT_BYTES: usize = 3000;

#[derive(Debug, Default)]
struct Seen {
    outcome: Outcome,
    resident_mebibytes: f64,
    closed: usize,
}

async fn run(
    door: Door,
    load: &crate::load::Load,
    process: &Process,
    slow: usize,
    (filling, measured): (Duration, Duration),
) -> anyhow::Result<Seen> {
    let sessions = Sessions::open(&[door], SESSIONS - slow, slow).await?;
    let mut reading = sessions.read(load.all_chats(), 100_000, 1)?;
    let ledger = std::sync::Arc::clone(&reading.ledger);
    load.paced(&ledger, 2 * RATE, filling).await?;
    let (from, to) = load.paced(&ledger, RATE, measured).await?;
    arrived(&ledger).await;
    let resident_mebibytes = process.resident_bytes() / 1024.0 / 1024.0;
    let mut latencies = ledger.latencies(from, to);
    let mut milliseconds = |share| percentile(&mut latencies, share) / 1e6;
    let outcome = Outcome {
        p50_ms: milliseconds(0.5),
        p99_ms: milliseconds(0.99),
        p999_ms: milliseconds(0.999),
        faults: ledger.faults(&reading.ends()),
        ..Outcome::default()
    };
    anyhow::ensure!(
        ledger.refused_count() == 0,
        "{} webhooks were refused",
        ledger.refused_count()
    );
    let closed = reading.drain_slow().await;
    Ok(Seen { outcome, resident_mebibytes, closed })
}

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.section("Slow readers: 5 of 100 sessions stop reading (Uzel), none does (limit)");
    let setup = Setup { name: "slow".to_owned(), companies: 1, ..Setup::default() };
    let mut installation = bench.installation(setup).await?;
    let node = installation.serve()?;
    bench.warm_up(&installation.load(&[&node], CHATS)).await?;
    let durations = (bench.scale.seconds(6, 5), bench.scale.seconds(9, 3));
    let (mut pairs, mut more, mut closed) = (Pairs::default(), Series::default(), 0);
    for _ in 0..bench.scale.repetitions {
        let mut seen = Vec::new();
        for slow in [0, SLOW] {
            let mut load = installation.load(&[&node], CHATS);
            load.text_bytes = TEXT_BYTES;
            seen.push(run(installation.door(&node), &load, &node, slow, durations).await?);
        }
        pairs.limit.push(seen[0].outcome);
        pairs.product.push(seen[1].outcome);
        more.push((seen[1].resident_mebibytes - seen[0].resident_mebibytes).max(0.0));
        closed += seen[1].closed;
    }
    let ms = Unit::Milliseconds;
    let report = &mut bench.report;
    report.add(pairs.figure("p50 of the others".to_owned(), ms, Budget::None, |o| o.p50_ms));
    report.add(pairs.figure("p99 of the others".to_owned(), ms, Budget::AtMost(1.5), |o| o.p99_ms));
    report.add(Figure {
        name: "memory the server takes more".to_owned(),
        unit: Unit::Mebibytes,
        product: more,
        limit: None,
        budget: Budget::ValueAtMost(16.0),
        faults: Some(Faults::default()),
    });
    report.note(format!(
        "{closed} of {} sessions that did not read were closed by the server, as slow consumers, before the end.",
        SLOW * bench.scale.repetitions
    ));
    node.stop()
}
