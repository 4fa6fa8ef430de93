//! The groups of figures, in the order in which they are measured.

mod fan_out;
mod first_page;
mod ingest;
mod memory;
mod pgbench;
mod seed;
mod slow_readers;
mod two_nodes;

use std::pin::Pin;

use crate::bench::Bench;

type Measured<'b> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'b>>;
type Group = fn(&mut Bench) -> Measured<'_>;

pub const FIGURES: [(&str, Group); 6] = [
    ("fan-out", |bench| Box::pin(fan_out::measure(bench))),
    ("ingest", |bench| Box::pin(ingest::measure(bench))),
    ("memory", |bench| Box::pin(memory::measure(bench))),
    ("first-page", |bench| Box::pin(first_page::measure(bench))),
    ("slow-readers", |bench| Box::pin(slow_readers::measure(bench))),
    ("two-nodes", |bench| Box::pin(two_nodes::measure(bench))),
];
