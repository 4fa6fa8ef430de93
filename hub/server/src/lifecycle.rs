//! From start to stop: every task of the process, and the two stages of its end.
//!
//! The first SIGTERM or SIGINT *drains*: no new connections, sockets are told to reconnect elsewhere,
//! what is under way finishes within a deadline. The second, or the deadline, *stops*: tasks are
//! dropped where they are, which the store and the delivery engine survive by design.

use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

/// Cheap to clone; every clone means the same process.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    draining: CancellationToken,
    stopping: CancellationToken,
    tasks: TaskTracker,
    deadline: Duration,
}

impl Lifecycle {
    /// `deadline`: how long draining may take.
    pub fn new(deadline: Duration) -> Self {
        Self {
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            deadline,
        }
    }

    /// Starts a task that the end of the process waits for. It watches [`Lifecycle::draining`] itself;
    /// when the process stops it is dropped.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            if stopping.run_until_cancelled(task).await.is_none() {
                tracing::debug!(task = name, "task dropped");
            }
        });
    }

    /// Starts a task that has nothing to finish: it is dropped when draining begins.
    pub fn spawn_until_draining<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let draining = self.draining.clone();
        self.spawn(name, async move {
            let _ = draining.run_until_cancelled(task).await;
        });
    }

    /// Makes a task that something else runs one that the end of the process waits for; it is dropped
    /// when the process stops.
    pub fn track<F>(&self, task: F) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let task = self.stopping.clone().run_until_cancelled_owned(task);
        let tracked = self.tasks.track_future(task);
        async move {
            let _ = tracked.await;
        }
    }

    /// Resolves when the first stage begins.
    pub fn draining(&self) -> WaitForCancellationFuture<'_> {
        self.draining.cancelled()
    }

    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// The token of the first stage, for code that wants to hold one.
    pub fn drain_token(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Begins the first stage.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Begins the second stage.
    pub fn stop(&self) {
        self.draining.cancel();
        self.stopping.cancel();
    }

    /// Follows the signals of the operating system until the second one, or the end.
    pub fn follow_signals(&self) {
        let lifecycle = self.clone();
        // Not a tracked task: it must not keep the process from ending.
        #[expect(clippy::disallowed_methods, reason = "it ends with the process, not before")]
        tokio::spawn(async move {
            if let Err(error) = lifecycle.signals().await {
                tracing::error!(error = %error, "signals cannot be followed");
            }
        });
    }

    async fn signals(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if self.is_draining() {
                    tracing::warn!("second signal, stopping at once");
                    self.stop();
                    return Ok(());
                }
                tracing::info!("signal received, finishing what is under way");
                self.drain();
            }
        }
        #[cfg(not(unix))]
        {
            tokio::signal::ctrl_c().await?;
            self.drain();
            tokio::signal::ctrl_c().await?;
            self.stop();
            Ok(())
        }
    }

    /// Waits for the end: all tasks finished after draining began, or stopped by the deadline or a
    /// second signal.
    pub async fn finished(&self) {
        self.draining.cancelled().await;
        self.tasks.close();
        let deadline = tokio::time::sleep(self.deadline);
        tokio::select! {
            () = self.tasks.wait() => return,
            () = deadline => tracing::warn!("not all finished in time, stopping"),
            () = self.stopping.cancelled() => {}
        }
        self.stop();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn draining_waits_for_tasks_to_finish() {
        let lifecycle = Lifecycle::new(Duration::from_mins(1));
        let done = Arc::new(AtomicBool::new(false));
        let (token, flag) = (lifecycle.drain_token(), Arc::clone(&done));
        lifecycle.spawn("finishes", async move {
            token.cancelled().await;
            tokio::task::yield_now().await;
            flag.store(true, Ordering::SeqCst);
        });
        lifecycle.drain();
        lifecycle.finished().await;
        assert!(done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_task_that_does_not_end_is_dropped_at_the_deadline() {
        let lifecycle = Lifecycle::new(Duration::from_millis(10));
        lifecycle.spawn("hangs", std::future::pending());
        lifecycle.drain();
        lifecycle.finished().await;
        assert!(lifecycle.stopping.is_cancelled());
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_the_deadline() {
        let lifecycle = Lifecycle::new(Duration::from_hours(1));
        lifecycle.spawn("hangs", std::future::pending());
        lifecycle.stop();
        let ended = tokio::time::timeout(Duration::from_secs(5), lifecycle.finished()).await;
        assert!(ended.is_ok());
    }
}
