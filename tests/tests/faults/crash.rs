//! kill -9 at any moment, under load, on both engines and both ways of intake.

use std::time::Duration;

use hub_domain::channel::IntakeMode;
use hub_tests::Database;
use simulator::faults::{Chance, When};
use simulator::telegram::CallFault;

use super::checker::{Verdict, judge};
use super::desk::{Desk, Setting, seed};
use super::load::{Load, Pace};

const REST: Duration = Duration::from_secs(40);

struct Run {
    verdict: Verdict,
    complaints: String,
}

/// Runs a company under load and kills its server this often, each time at a moment nobody chose.
async fn run(database: Database, intake: IntakeMode, kills: usize, seed: u64) -> Run {
    let mut setting = Setting::of(database, intake);
    (setting.operators, setting.clients) = (3, 5);
    let mut desk = Desk::open("crash", setting).await;
    // Answers that take their time, so that kills fall between "accepted" and "recorded", on either side.
    let telegram = desk.simulator.telegram();
    let slow = |probability, seed| When::randomly("sendMessage", probability, seed);
    telegram.fault(slow(0.3, seed), CallFault::Delay { delay_ms: 80 });
    telegram.fault(slow(0.4, seed + 1), CallFault::AcceptedThenSilent { delay_ms: 150 });

    let load = Load::start(&desk, seed, &Pace::default());
    let mut chance = Chance::seeded(seed);
    for kill in 0..kills {
        // Also while it starts: what is broken by that must be whole again by the next start.
        let wait =
            if kill % 4 == 3 { chance.next_u64() % 300 } else { 300 + chance.next_u64() % 1500 };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        desk.nodes[0].kill().await;
        desk.nodes[0].start();
    }
    desk.nodes[0].ready().await;
    // The last start is followed by some work, too.
    tokio::time::sleep(Duration::from_millis(500)).await;
    load.finish(&mut desk).await;
    let evidence = desk.evidence(REST).await;
    let verdict = judge(&evidence);
    let intake = intake.as_str();
    println!("{database:?}, {intake}, seed {seed}: kills {kills}, {verdict}");
    Run { verdict, complaints: desk.complaints() }
}

async fn prove(database: Database, intake: IntakeMode, kills: usize) {
    let run = run(database, intake, kills, seed()).await;
    assert!(run.verdict.is_clean(), "{}\n{}", run.verdict.findings(), run.complaints);
    assert!(run.verdict.written > 20 && run.verdict.accepted > 5, "there was no load");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_a_polling_server_on_sqlite_loses_doubles_and_reorders_nothing() {
    prove(Database::Sqlite, IntakeMode::Polling, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_a_webhook_server_on_postgres_loses_doubles_and_reorders_nothing() {
    prove(Database::Postgres, IntakeMode::Webhook, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_sixty_kills_lose_double_and_reorder_nothing() {
    let seed = seed();
    let mut total = Verdict::default();
    let mut complaints = String::new();
    let mut kills = 0;
    for (number, (database, intake)) in [
        (Database::Sqlite, IntakeMode::Polling),
        (Database::Postgres, IntakeMode::Polling),
        (Database::Sqlite, IntakeMode::Webhook),
        (Database::Postgres, IntakeMode::Webhook),
    ]
    .into_iter()
    .enumerate()
    {
        let run = run(database, intake, 15, seed + number as u64).await;
        kills += 15;
        if !run.verdict.is_clean() {
            complaints.push_str(&run.complaints);
        }
        total.add(&run.verdict);
    }
    println!("all together: kills {kills}, {total}");
    assert!(total.is_clean(), "{}\n{complaints}", total.findings());
    assert!(kills >= 50);
}
