//! Updates that come five times at once, late and in any order: one message each, in the order of writing.

use hub_domain::channel::IntakeMode;
use hub_tests::{Database, on_both_engines};
use simulator::faults::When;
use simulator::telegram::UpdateFault;

use super::desk::{Desk, Setting, seed};

const ROUNDS: usize = 15;

async fn with_bad_updates(database: Database, intake: IntakeMode) -> Desk {
    let mut setting = Setting::of(database, intake);
    setting.clients = 4;
    let mut desk = Desk::open("updates", setting).await;
    let seed = seed();
    let telegram = desk.simulator.telegram();
    telegram.update_fault(When::always("message"), UpdateFault::Duplicate { copies: 4 });
    let late = When::randomly("message", 0.2, seed);
    telegram.update_fault(late, UpdateFault::Delay { delay_ms: 300 });
    let shuffled = When::randomly("message", 0.7, seed + 1);
    let reorder = UpdateFault::Reorder { window: 7, longest_ms: 200, shuffle_seed: seed };
    telegram.update_fault(shuffled, reorder);
    for round in 0..ROUNDS {
        for client in 0..desk.clients.len() {
            desk.write(client, &format!("{client} says {round}"));
        }
    }
    desk
}

on_both_engines! {
    async fn webhooks_five_times_at_once_shuffled_and_late_make_one_message_each(database: Database) {
        let mut desk = with_bad_updates(database, IntakeMode::Webhook).await;
        let verdict = desk.prove().await;
        assert_eq!(verdict.written, 4 * ROUNDS + 4);
        let tries = desk.simulator.telegram().deliveries();
        let copies = tries.iter().filter(|one| one.copy && one.status == Some(200)).count();
        assert!(copies >= 4 * 4 * ROUNDS, "{copies} copies were taken");
    }

    async fn polled_updates_that_come_again_shuffled_and_late_make_one_message_each(database: Database) {
        let mut desk = with_bad_updates(database, IntakeMode::Polling).await;
        let verdict = desk.prove().await;
        assert_eq!(verdict.written, 4 * ROUNDS + 4);
    }
}
