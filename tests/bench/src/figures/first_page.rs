//! The first page of each filter, and ingest, in a small and in a large company.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::ingest::take_in;
use super::seed;
use crate::bench::Bench;
use crate::connection::Connection;
use crate::installation::{Installation, Setup};
use crate::process::Process;
use crate::report::{Budget, Figure, Series, Unit, percentile};

/// A page of a list, which none of the filters may fail to fill.
const PAGE: i64 = 50;
/// Clients of a search, as the interface asks for them.
const FOUND: i64 = 20;
/// The old and rare conversations get no new messages: they are to stay old.
const UNTOUCHED: u64 = 1000;

struct Company {
    count: i64,
    installation: Installation,
    node: Process,
    second_channel: i64,
}

impl Company {
    async fn make(
        bench: &mut Bench,
        engine: &str,
        count: i64,
    ) -> anyhow::Result<(Self, Option<test_services::Database>)> {
        let database = (engine == "PostgreSQL").then(|| bench.postgres("pages"));
        let setup = Setup {
            name: format!("pages-{}-{count}", engine.to_lowercase()),
            database_url: database.as_ref().map(|d| d.url().to_owned()).unwrap_or_default(),
            companies: 1,
            ..Setup::default()
        };
        let installation = bench.installation(setup).await?;
        let began = Instant::now();
        let second_channel = seed::conversations(&installation, count).await?;
        eprintln!("  {engine}: {count} conversations seeded in {} s", began.elapsed().as_secs());
        let node = installation.serve()?;
        Ok((Self { count, installation, node, second_channel }, database))
    }

    /// Name, address and fewest entries of each page that is asked for.
    fn pages(&self) -> Vec<(&'static str, String, i64)> {
        let names = ["all", "open", "mine", "unassigned", "active", "archived"];
        let filter = |query: String| format!("conversations?{query}&limit={PAGE}");
        let mut pages: Vec<_> =
            names.iter().map(|name| (*name, filter(format!("filter={name}")), PAGE)).collect();
        let one_channel = format!("filter=open&channel_id={}", self.second_channel);
        pages.extend([
            ("unanswered", filter("unanswered=true".to_owned()), PAGE),
            ("open, one channel", filter(one_channel), PAGE),
            ("open, by creation", filter("filter=open&order=created".to_owned()), PAGE),
        ]);
        for (name, query, fewest) in [
            ("search, a word of all clients", "client", FOUND),
            ("search, a word of all and a rare one", "client%20999", 1),
            ("search, one client", "9998", 1),
        ] {
            pages.push((name, format!("contacts?query={query}&limit={FOUND}"), fewest));
        }
        pages
    }

    /// Nanoseconds of `count` first pages.
    async fn times(&self, page: &str, fewest: i64, count: usize) -> anyhow::Result<Vec<u64>> {
        let place = &self.installation.places[0];
        let path = format!("/api/v1/companies/{}/{page}", place.company);
        let headers = place.bearer();
        let mut connection = Connection::open(self.node.address).await?;
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            let began = Instant::now();
            let answer = connection.request("GET", &path, &headers, b"").await?;
            let took = began.elapsed().as_nanos() as u64;
            if answer.status == 429 {
                // One person does not ask as often; the limit of a user is not what is measured.
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            }
            anyhow::ensure!(answer.status == 200, "{page}: status {}", answer.status);
            if times.is_empty() {
                let answer: serde_json::Value = serde_json::from_slice(answer.body)?;
                let items = answer["items"].as_array().context("no items")?.len();
                anyhow::ensure!(items as i64 >= fewest, "{page} of {}: {items} items", self.count);
            }
            times.push(took);
        }
        Ok(times)
    }
}

#[derive(Default)]
struct Side {
    p50: Series,
    p99: Series,
}

pub async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let sizes = if bench.scale.quick { [10_000, 100_000] } else { [10_000, 1_000_000] };
    bench.report.section(&format!(
        "First page and ingest: {} conversations (Uzel) to {} (limit)",
        sizes[1], sizes[0]
    ));
    for engine in ["SQLite", "PostgreSQL"] {
        if bench.scale.quick && engine == "PostgreSQL" {
            continue;
        }
        measure_engine(bench, engine, sizes).await?;
    }
    bench.report.note(format!(
        "The conversations that `mine`, `unanswered` and the channel find are the oldest {} of all. A page has {PAGE} conversations, one of a search at most {FOUND} clients.",
        3 * seed::RARE
    ));
    Ok(())
}

async fn measure_engine(bench: &mut Bench, engine: &str, sizes: [i64; 2]) -> anyhow::Result<()> {
    let (small, _small_database) = Company::make(bench, engine, sizes[0]).await?;
    let (large, _large_database) = Company::make(bench, engine, sizes[1]).await?;
    let mut companies = [small, large];
    let samples = if bench.scale.quick { 50 } else { 150 };
    let mut slowest: Vec<f64> = vec![0.0; bench.scale.repetitions];
    for index in 0..companies[0].pages().len() {
        let mut sides = [Side::default(), Side::default()];
        let name = companies[0].pages()[index].0;
        for slowest in &mut slowest {
            for (company, side) in companies.iter().zip(&mut sides) {
                let (_, page, fewest) = &company.pages()[index];
                let mut times = company.times(page, *fewest, samples).await?;
                side.p50.push(percentile(&mut times, 0.5) / 1e6);
                let p99 = percentile(&mut times, 0.99) / 1e6;
                side.p99.push(p99);
                *slowest = slowest.max(p99);
            }
        }
        let [small, large] = sides;
        let figure = |what, product, limit, budget| Figure {
            name: format!("{engine}, {name}, {what}"),
            unit: Unit::Milliseconds,
            product,
            limit: Some(limit),
            budget,
            faults: None,
        };
        // A search looks at what more clients have: it has the time of a page, not a share.
        let budget = if name.starts_with("search") { Budget::None } else { Budget::AtMost(1.3) };
        bench.report.add(figure("p50", large.p50, small.p50, budget));
        bench.report.add(figure("p99", large.p99, small.p99, Budget::None));
    }
    bench.report.add(Figure {
        name: format!("{engine}, slowest page, p99"),
        unit: Unit::Milliseconds,
        product: Series::of(slowest),
        limit: None,
        budget: Budget::ValueAtMost(20.0),
        faults: None,
    });
    let mut rates = [Series::default(), Series::default()];
    let duration = bench.scale.seconds(5, 2);
    for _ in 0..bench.scale.repetitions {
        for (company, rates) in companies.iter_mut().zip(&mut rates) {
            let chats = company.count as u64 - UNTOUCHED;
            let mut load = company.installation.load(&[&company.node], chats);
            load.first_client += UNTOUCHED;
            load.first_name = UNTOUCHED;
            rates.push(take_in(&load, duration).await?.per_second);
        }
    }
    let [small, large] = rates;
    bench.report.add(Figure {
        name: format!("{engine}, ingest"),
        unit: Unit::PerSecond,
        product: large,
        limit: Some(small),
        // At most 1.3 times slower.
        budget: Budget::AtLeast(1.0 / 1.3),
        faults: None,
    });
    for company in companies {
        company.node.stop()?;
    }
    Ok(())
}
