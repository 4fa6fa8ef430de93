//! Two nodes on PostgreSQL and Redis against one node on PostgreSQL.

use test_services::RedisServer;

use super::fan_out::{Pairs, Plan, run};
use crate::bench::Bench;
use crate::installation::Setup;
use crate::report::{Budget, Unit};

const CHATS: u64 = 1000;

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.section("Two nodes over Redis (Uzel) to one node (limit), both on PostgreSQL");
    let redis = RedisServer::start_own();
    let (one_database, two_database) = (bench.postgres("one_node"), bench.postgres("two_nodes"));
    let setup = |name: &str, url: &str, redis_url| Setup {
        name: name.to_owned(),
        database_url: url.to_owned(),
        companies: 1,
        redis_url,
        ..Setup::default()
    };
    let mut one = bench.installation(setup("one-node", one_database.url(), None)).await?;
    let mut two =
        bench.installation(setup("two-nodes", two_database.url(), Some(redis.url()))).await?;
    let alone = one.serve()?;
    let nodes = [two.serve()?, two.serve()?];
    let nodes: Vec<_> = nodes.iter().collect();
    bench.warm_up(&one.load(&[&alone], CHATS)).await?;
    // Spread over both nodes, half as many chats of each are as many in all.
    bench.warm_up(&two.load(&nodes, CHATS / 2)).await?;
    let plan = Plan {
        sessions: 100,
        slow: 0,
        rate: 200,
        paced: bench.scale.seconds(8, 3),
        saturated: bench.scale.seconds(4, 2),
    };
    let mut pairs = Pairs::default();
    for _ in 0..bench.scale.repetitions {
        let load = one.load(&[&alone], CHATS);
        pairs.limit.push(run(&[one.door(&alone)], &load, &[&alone], plan).await?);
        let load = two.load(&nodes, CHATS / 2);
        let doors: Vec<_> = nodes.iter().map(|node| two.door(node)).collect();
        pairs.product.push(run(&doors, &load, &nodes, plan).await?);
    }
    let (ms, us) = (Unit::Milliseconds, Unit::Microseconds);
    let report = &mut bench.report;
    let at = "200 messages/s to 100 sessions";
    report.add(pairs.figure(format!("{at}, p50"), ms, Budget::None, |o| o.p50_ms));
    report.add(pairs.figure(format!("{at}, p99"), ms, Budget::AtMost(1.5), |o| o.p99_ms));
    report.add(pairs.figure(
        "saturated, 100 sessions: deliveries".to_owned(),
        Unit::PerSecond,
        Budget::None,
        |o| o.deliveries_per_second,
    ));
    report.add(pairs.figure(
        "saturated, 100 sessions: processor time of a delivery, both nodes".to_owned(),
        us,
        Budget::AtMost(1.25),
        |o| o.cpu_us_per_delivery,
    ));
    Ok(())
}
