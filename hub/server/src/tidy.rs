//! What the HTTP side keeps in memory and in its own tables is tidied here, now and then.

use std::time::Duration;

use crate::app::App;
use crate::error::ApiError;
use crate::telemetry;

const EVERY: Duration = Duration::from_mins(5);
/// Codes count against the limit of their number for a day.
const CODES_KEPT_SECONDS: i64 = 2 * 86_400;

/// Starts tidying until the process drains.
pub fn start(app: &App) {
    let of_task = app.clone();
    app.lifecycle.spawn_until_draining("tidy", async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            tidy(&of_task).await;
        }
    });
}

async fn tidy(app: &App) {
    app.limits.forget_the_quiet();
    app.visitor_limits.forget_the_quiet();
    if let Some(metrics) = telemetry::metrics() {
        metrics.run_upkeep();
    }
    let pruned = app
        .store
        .write_system(|tx| {
            Box::pin(async move {
                let now = tx.now();
                let before = now.plus_seconds(-CODES_KEPT_SECONDS);
                tx.db().prune_sign_in(now, before).await.map_err(ApiError::from)
            })
        })
        .await;
    if let Err(error) = pruned {
        tracing::warn!(error = %error, "sign-in tables could not be tidied");
    }
}
