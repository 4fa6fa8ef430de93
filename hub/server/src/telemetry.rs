//! Logs and metrics of the process.
//!
//! Owns where they go and in which form. What is logged is up to each module, with one rule: never
//! message text, phone numbers, tokens or raw bodies.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};

/// Where log lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The server: its log is its output.
    Stdout,
    /// Commands whose output is an answer.
    Stderr,
}

/// Starts logging. Later calls change nothing.
pub fn start_logs(config: &LogConfig, output: Output) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, terminal) = match output {
        Output::Stdout => (BoxMakeWriter::new(std::io::stdout), std::io::stdout().is_terminal()),
        Output::Stderr => (BoxMakeWriter::new(std::io::stderr), std::io::stderr().is_terminal()),
    };
    let human = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        // Whoever read the log may go away; complaining about it to nobody would panic.
        .log_internal_errors(false);
    // A second start is a test's; the first one's choice holds.
    let _ = if human {
        builder.with_ansi(terminal).with_target(false).finish().try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init()
    };
}

/// The process's metrics. The first call installs the recorder.
pub fn metrics() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let seconds = [
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            ];
            let installed = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)
                .and_then(PrometheusBuilder::install_recorder);
            if let Err(error) = &installed {
                tracing::warn!(error = %error, "metrics are not available");
            }
            installed.ok()
        })
        .as_ref()
}
