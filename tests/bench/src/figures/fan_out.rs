//! Webhook, durable, last session: how long it takes at a pace, and how much goes through at most.

use std::time::{Duration, Instant};

use crate::bench::{Bench, LimitSetup};
use crate::installation::Setup;
use crate::ledger::Faults;
use crate::load::{Load, Until, arrived};
use crate::process::Process;
use crate::report::{Budget, Figure, Series, Unit, percentile};
use crate::sessions::{Door, Sessions};

const CHATS: u64 = 1000;
/// Messages under way at once when saturated.
const WINDOW: usize = 256;
/// Connections of the provider when saturated.
const CONNECTIONS: usize = 64;
const CAPACITY: usize = 400_000;
const SETTLE: Duration = Duration::from_millis(1500);

/// What to do with a set of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub sessions: usize,
    pub slow: usize,
    pub rate: u32,
    pub paced: Duration,
    /// Zero: not saturated.
    pub saturated: Duration,
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Outcome {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub deliveries_per_second: f64,
    pub cpu_us_per_delivery: f64,
    pub faults: Faults,
}

/// Carries out a plan on one server or several.
pub async fn run(
    doors: &[Door],
    load: &Load,
    processes: &[&Process],
    plan: Plan,
) -> anyhow::Result<Outcome> {
    let sessions = Sessions::open(doors, plan.sessions, plan.slow).await?;
    let reading = sessions.read(load.all_chats(), CAPACITY, WINDOW)?;
    let ledger = &reading.ledger;
    load.paced(ledger, plan.rate, SETTLE).await?;
    let (from, to) = load.paced(ledger, plan.rate, plan.paced).await?;
    arrived(ledger).await;
    let mut latencies = ledger.latencies(from, to);
    let mut milliseconds = |share| percentile(&mut latencies, share) / 1e6;
    let mut outcome = Outcome {
        p50_ms: milliseconds(0.5),
        p99_ms: milliseconds(0.99),
        p999_ms: milliseconds(0.999),
        ..Outcome::default()
    };
    if !plan.saturated.is_zero() {
        let cpu = || processes.iter().map(|process| process.cpu_seconds()).sum::<f64>();
        let until = Until::Elapsed(SETTLE + plan.saturated + SETTLE / 3);
        let (saturating, measured) =
            tokio::join!(load.saturate(ledger, CONNECTIONS, true, until), async {
                tokio::time::sleep(SETTLE).await;
                let (began, cpu_before, before) = (Instant::now(), cpu(), ledger.completed_count());
                tokio::time::sleep(plan.saturated).await;
                let deliveries = (ledger.completed_count() - before) as f64 * plan.sessions as f64;
                (deliveries, began.elapsed().as_secs_f64(), cpu() - cpu_before)
            });
        saturating?;
        let (deliveries, seconds, cpu) = measured;
        outcome.deliveries_per_second = deliveries / seconds;
        outcome.cpu_us_per_delivery = cpu * 1e6 / deliveries;
        arrived(ledger).await;
    }
    anyhow::ensure!(
        ledger.refused_count() == 0,
        "{} webhooks were refused",
        ledger.refused_count()
    );
    outcome.faults = ledger.faults(&reading.ends());
    if reading.ended() > 0 {
        eprintln!("  {} sessions were closed by the server", reading.ended());
    }
    Ok(outcome)
}

/// Outcomes of the repetitions of both sides.
#[derive(Debug, Default)]
pub struct Pairs {
    pub product: Vec<Outcome>,
    pub limit: Vec<Outcome>,
}

impl Pairs {
    pub fn figure(
        &self,
        name: String,
        unit: Unit,
        budget: Budget,
        of: fn(&Outcome) -> f64,
    ) -> Figure {
        let mut faults = Faults::default();
        self.product.iter().for_each(|outcome| faults.add(outcome.faults));
        // A limit that loses would be no limit.
        self.limit.iter().for_each(|outcome| faults.add(outcome.faults));
        Figure {
            name,
            unit,
            product: Series::of(self.product.iter().map(of)),
            limit: Some(Series::of(self.limit.iter().map(of))),
            budget,
            faults: Some(faults),
        }
    }
}

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let event_bytes = bench.event_bytes().await?;
    bench.report.section("Webhook, durable, last session (SQLite, synchronous full)");
    let setup = Setup { name: "fan-out".to_owned(), companies: 1, ..Setup::default() };
    let mut installation = bench.installation(setup).await?;
    let node = installation.serve()?;
    bench.warm_up(&installation.load(&[&node], CHATS)).await?;
    let limit = bench.limit("fan-out", LimitSetup::sqlite(event_bytes))?;
    let batched = LimitSetup { whole_commits: true, ..LimitSetup::sqlite(event_bytes) };
    let batched = bench.limit("fan-out-batched", batched)?;
    let plans = [
        Plan {
            sessions: 100,
            slow: 0,
            rate: 200,
            paced: bench.scale.seconds(10, 3),
            saturated: bench.scale.seconds(5, 2),
        },
        Plan {
            sessions: 1000,
            slow: 0,
            rate: 20,
            paced: bench.scale.seconds(12, 3),
            saturated: bench.scale.seconds(5, 2),
        },
    ];
    for plan in plans {
        let mut pairs = Pairs::default();
        let mut to_batched = Pairs::default();
        for repetition in 0..bench.scale.repetitions {
            for turn in 0..2 {
                if (repetition + turn) % 2 == 0 {
                    let load = limit.load(CHATS);
                    let outcome = run(&[limit.door()], &load, &[&limit.process], plan).await?;
                    pairs.limit.push(outcome);
                } else {
                    let load = installation.load(&[&node], CHATS);
                    let door = installation.door(&node);
                    pairs.product.push(run(&[door], &load, &[&node], plan).await?);
                }
            }
            let short = Plan { paced: Duration::from_secs(1), ..plan };
            let load = batched.load(CHATS);
            to_batched.limit.push(run(&[batched.door()], &load, &[&batched.process], short).await?);
        }
        let Plan { sessions, rate, .. } = plan;
        let at = format!("{rate} messages/s to {sessions} sessions");
        let p50 = if sessions == 100 { Budget::AtMost(2.0) } else { Budget::None };
        let report = &mut bench.report;
        let ms = Unit::Milliseconds;
        report.add(pairs.figure(format!("{at}, p50"), ms, p50, |o| o.p50_ms));
        report.add(pairs.figure(format!("{at}, p99"), ms, Budget::AtMost(1.5), |o| o.p99_ms));
        report.add(pairs.figure(format!("{at}, p99.9"), ms, Budget::None, |o| o.p999_ms));
        report.add(pairs.figure(
            format!("saturated, {sessions} sessions: deliveries"),
            Unit::PerSecond,
            Budget::AtLeast(0.6),
            |o| o.deliveries_per_second,
        ));
        report.add(pairs.figure(
            format!("saturated, {sessions} sessions: processor time of a delivery"),
            Unit::Microseconds,
            Budget::AtMost(1.5),
            |o| o.cpu_us_per_delivery,
        ));
        to_batched.product = pairs.product;
        report.add(to_batched.figure(
            "the same, the limit sends whole commits: deliveries".to_owned(),
            Unit::PerSecond,
            Budget::None,
            |o| o.deliveries_per_second,
        ));
        report.add(to_batched.figure(
            "the same: processor time of a delivery".to_owned(),
            Unit::Microseconds,
            Budget::None,
            |o| o.cpu_us_per_delivery,
        ));
    }
    bench.report.note(format!(
        "A frame carries whole events of {event_bytes} bytes; the limit's are padded to the same size."
    ));
    Ok(())
}
