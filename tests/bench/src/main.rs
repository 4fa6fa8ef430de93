//! Measures the release binary over loopback sockets, with its data on a disk and flushed.
//!
//! Each figure is a ratio to a limit measured in the same run, in turns with it; beside it stand the
//! messages lost, doubled and out of order, which are none. `docs/benchmarks.md` explains the figures
//! and keeps the last ones. Owns no expectation but the budgets: a figure over budget is shown as
//! missed and fails nothing, a lost message fails the run.

mod bench;
mod connection;
mod figures;
mod installation;
mod ledger;
mod limit;
mod load;
mod machine;
mod process;
mod report;
mod sessions;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::bench::{Bench, Scale};
use crate::figures::FIGURES;
use crate::ledger::Faults;
use crate::limit::LimitArguments;

/// That of the product, so that the limit has no worse one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the release binary against limits measured in the same run
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// A reduced set in about two minutes; writes no document
    #[arg(long)]
    quick: bool,
    /// Only these groups of figures (may be repeated); writes no document
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// The binary to measure; else the variable `UZEL_BIN`, else `uzel` beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where data is written, on a disk; else the variable `UZEL_BENCH_DIR`, else beside this program
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Hidden>,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Serve as the bare limit
    #[command(hide = true)]
    Limit(LimitArguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.command {
        Some(Hidden::Limit(limit)) => {
            runtime.block_on(limit::serve(limit))?;
            Ok(ExitCode::SUCCESS)
        }
        None => runtime.block_on(measure(arguments)),
    }
}

async fn measure(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let beside = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let binary = arguments
        .binary
        .or_else(|| variable("UZEL_BIN").map(PathBuf::from))
        .unwrap_or_else(|| beside.join("uzel"));
    let binary = binary
        .canonicalize()
        .with_context(|| format!("there is no {}: `make bench` builds it", binary.display()))?;
    let parent = arguments
        .folder
        .or_else(|| variable("UZEL_BENCH_DIR").map(PathBuf::from))
        .unwrap_or(beside);
    for name in &arguments.only {
        let known: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
        anyhow::ensure!(known.contains(&name.as_str()), "groups of figures: {}", known.join(", "));
    }
    let machine = machine::describe(&parent)?;
    eprintln!("{machine}");
    let started = Instant::now();
    let mut bench = Bench::new(binary, &parent, Scale::of(arguments.quick)).await?;
    let mut failed = Vec::new();
    for (name, figure) in FIGURES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("\n{name} ({} s)", started.elapsed().as_secs());
        if let Err(error) = figure(&mut bench).await {
            eprintln!("  {name} could not be measured: {error:#}");
            failed.push(name);
        }
    }
    let figures = bench.report.markdown();
    let text = format!(
        "Measured in {} minutes on: {machine}.\n\n{figures}",
        started.elapsed().as_secs().div_ceil(60)
    );
    print(&text)?;
    if !arguments.quick && arguments.only.is_empty() && failed.is_empty() {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        report::write_between_markers(&document, &text)?;
    }
    let missed = bench.report.missed();
    if !missed.is_empty() {
        print(&format!("Over budget: {}", missed.join("; ")))?;
    }
    let faults = bench.report.faults();
    if faults != Faults::default() || !failed.is_empty() {
        print(&format!("FAILED: lost / doubled / disordered {faults}; not measured: {failed:?}"))?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
