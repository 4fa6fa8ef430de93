//! How many webhooks a second become durable, when nobody watches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, SqliteConnection};

use super::pgbench;
use crate::bench::{Bench, LimitSetup};
use crate::installation::Setup;
use crate::ledger::{Faults, Ledger};
use crate::load::{Load, Until};
use crate::report::{Budget, Figure, Series, Unit};

/// Webhooks under way at once.
pub const CONNECTIONS: usize = 256;
const CAPACITY: usize = 1_000_000;
const CHATS: u64 = 1000;
const SETTLE: Duration = Duration::from_secs(1);

/// What was taken in.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub per_second: f64,
    /// Webhooks answered with 200, before and after measuring included.
    pub acknowledged: i64,
}

/// Posts as much as is taken for a while.
pub async fn take_in(load: &Load, duration: Duration) -> anyhow::Result<Taken> {
    let ledger = Arc::new(Ledger::new(0, 1, load.all_chats(), CAPACITY, 1));
    let until = Until::Elapsed(SETTLE + duration + SETTLE / 2);
    let (saturating, per_second) =
        tokio::join!(load.saturate(&ledger, CONNECTIONS, false, until), async {
            tokio::time::sleep(SETTLE).await;
            let (began, before) = (Instant::now(), ledger.posted_count());
            tokio::time::sleep(duration).await;
            (ledger.posted_count() - before) as f64 / began.elapsed().as_secs_f64()
        });
    saturating?;
    anyhow::ensure!(
        ledger.refused_count() == 0,
        "{} webhooks were refused",
        ledger.refused_count()
    );
    anyhow::ensure!(ledger.posted_count() < CAPACITY as u64, "the ledger was too short");
    Ok(Taken { per_second, acknowledged: ledger.acknowledged_count() as i64 })
}

/// Compares what is stored with its own numbers: doubles by external id, gaps of the log, order in chats.
/// A lost message leaves no trace here; it shows as a count below `acknowledged`.
pub async fn stored_faults(url: &str, acknowledged: i64) -> anyhow::Result<Faults> {
    let queries = [
        "SELECT COUNT(*) FROM messages WHERE direction = 'incoming'",
        "SELECT COUNT(*) FROM (SELECT 1 FROM messages GROUP BY channel_id, external_id HAVING COUNT(*) > 1) AS twice",
        "SELECT CAST(COALESCE(SUM(c.event_offset - c.pruned_offset), 0) AS BIGINT) - (SELECT COUNT(*) FROM events) FROM companies c",
        "SELECT COUNT(*) FROM (SELECT ordinal, LAG(ordinal) OVER (PARTITION BY conversation_id ORDER BY \"position\", ordinal, id) AS before FROM messages) AS placed WHERE before > ordinal",
    ];
    let mut counts = [0_i64; 4];
    if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await?;
        for (count, query) in counts.iter_mut().zip(queries) {
            *count = sqlx::query_scalar(query).fetch_one(&mut conn).await?;
        }
        conn.close().await?;
    } else {
        let mut conn = sqlx::PgConnection::connect(url).await?;
        for (count, query) in counts.iter_mut().zip(queries) {
            *count = sqlx::query_scalar(query).fetch_one(&mut conn).await?;
        }
        conn.close().await?;
    }
    let [stored, twice, gaps, disordered] = counts;
    Ok(Faults {
        lost: (acknowledged - stored).max(0).unsigned_abs() + gaps.max(0).unsigned_abs(),
        doubled: twice.unsigned_abs() + (stored - acknowledged).max(0).unsigned_abs(),
        disordered: disordered.unsigned_abs(),
    })
}

#[derive(Debug, Clone, Copy)]
struct Case {
    engine: &'static str,
    synchronous: &'static str,
    postgres: bool,
}

const CASES: [Case; 3] = [
    Case { engine: "SQLite full", synchronous: "full", postgres: false },
    Case { engine: "SQLite normal", synchronous: "normal", postgres: false },
    Case { engine: "PostgreSQL", synchronous: "full", postgres: true },
];

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.section("Durable ingest (webhooks in a second, nobody watching)");
    for case in CASES {
        for companies in [1, 50] {
            if bench.scale.quick
                && (case.synchronous == "normal" || (companies > 1 && !case.postgres))
            {
                continue;
            }
            measure_case(bench, case, companies).await?;
        }
    }
    bench.report.note(format!(
        "{CONNECTIONS} webhooks under way at once. Losses, doubles and disorder are counted in the database afterwards."
    ));
    Ok(())
}

async fn measure_case(bench: &mut Bench, case: Case, companies: usize) -> anyhow::Result<()> {
    let name = format!("ingest-{}-{companies}", case.engine.to_lowercase().replace(' ', "-"));
    let databases = case.postgres.then(|| {
        (bench.postgres("ingest"), bench.postgres("ingest_limit"), bench.postgres("ingest_pgbench"))
    });
    let setup = Setup {
        name: name.clone(),
        database_url: databases
            .as_ref()
            .map(|(own, _, _)| own.url().to_owned())
            .unwrap_or_default(),
        synchronous: Some(case.synchronous),
        companies,
        ..Setup::default()
    };
    let mut installation = bench.installation(setup).await?;
    let node = installation.serve()?;
    let chats = CHATS / companies as u64;
    bench.warm_up(&installation.load(&[&node], chats)).await?;
    let limit = bench.limit(
        &name,
        LimitSetup {
            database_url: databases.as_ref().map(|(_, limit, _)| limit.url().to_owned()),
            synchronous: case.synchronous,
            event_bytes: 0,
            whole_commits: false,
        },
    )?;
    let same_statements = match &databases {
        Some((_, _, database)) => pgbench::prepare(bench, database.url(), companies).await?,
        None => None,
    };
    let duration = bench.scale.seconds(4, 2);
    let (mut product, mut bare, mut statements) =
        (Series::default(), Series::default(), Series::default());
    let mut acknowledged = (chats * companies as u64) as i64;
    for _ in 0..bench.scale.repetitions {
        bare.push(take_in(&limit.load(CHATS), duration).await?.per_second);
        let taken = take_in(&installation.load(&[&node], chats), duration).await?;
        product.push(taken.per_second);
        acknowledged += taken.acknowledged;
        if let Some(same) = &same_statements {
            statements.push(same.run(duration)?);
        }
    }
    drop(limit);
    let cpu = node.cpu_seconds();
    node.stop()?;
    let faults = stored_faults(&installation.database_url, acknowledged).await?;
    let of = if companies == 1 { "1 company".to_owned() } else { format!("{companies} companies") };
    let budget = if case.postgres { Budget::None } else { Budget::AtLeast(0.2) };
    bench.report.add(Figure {
        name: format!("{}, {of}, to the bare limit", case.engine),
        unit: Unit::PerSecond,
        product: product.clone(),
        limit: Some(bare),
        budget,
        faults: Some(faults),
    });
    if case.postgres {
        bench.report.add(Figure {
            name: format!("{}, {of}, to the same statements by pgbench", case.engine),
            unit: Unit::PerSecond,
            product,
            limit: Some(statements),
            budget: Budget::AtLeast(0.6),
            faults: Some(faults),
        });
    }
    eprintln!("  processor time of the server: {cpu:.1} s for {acknowledged} messages");
    Ok(())
}
