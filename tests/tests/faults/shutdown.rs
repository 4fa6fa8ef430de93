//! SIGTERM under load: what is under way is finished, sessions are told to come back, nothing is left unknown.

use std::time::Duration;

use hub_domain::channel::IntakeMode;
use hub_tests::on_both_engines;
use simulator::faults::When;
use simulator::telegram::CallFault;

use super::checker::judge;
use super::desk::{Desk, PATIENCE, Setting, seed};
use super::load::{Load, Pace};

/// Close code `server_restart`.
const SERVER_RESTART: u16 = 4000;

on_both_engines! {
    async fn a_restart_under_load_finishes_what_is_under_way(database: Database) {
        let mut setting = Setting::of(database, IntakeMode::Polling);
        setting.clients = 4;
        let mut desk = Desk::open("shutdown", setting).await;
        // So that there is always something under way.
        let slow = When::randomly("sendMessage", 0.7, 1);
        let silent = CallFault::AcceptedThenSilent { delay_ms: 300 };
        desk.simulator.telegram().fault(slow, silent);
        let load = Load::start(&desk, seed(), &Pace::default());
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(900)).await;
            desk.nodes[0].terminate().await;
            let status = desk.nodes[0].ended(Duration::from_secs(15)).await;
            assert!(status.success(), "{status}");
            desk.nodes[0].start();
            desk.nodes[0].ready().await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        load.finish(&mut desk).await;
        let evidence = desk.evidence(PATIENCE).await;
        for session in &evidence.sessions {
            let told = session.closes.iter().filter(|code| **code == Some(SERVER_RESTART)).count();
            assert_eq!(told, 2, "{} saw its connections end with {:?}", session.name, session.closes);
        }
        let verdict = judge(&evidence);
        println!("{database:?}: {verdict}");
        assert!(verdict.is_clean(), "{}\n{}", verdict.findings(), desk.complaints());
        assert_eq!(verdict.unknown, 0, "an orderly end leaves no doubt");
        assert!(verdict.written > 20 && verdict.accepted > 5, "there was no load");
    }
}
