//! Whether what the server stands on works: for `uzel doctor`, the set-up page and `/readyz`.

use std::time::Duration;

use hub_domain::Timestamp;
use hub_store::Store;
use serde::Serialize;

use crate::bus::redis_client;
use crate::config::Config;
use crate::config::files::FilesLocation;
use crate::files::Files;

const PATIENCE: Duration = Duration::from_secs(5);
/// Below it the disk is a warning, and a failure.
const DISK_LOW: u64 = 1024 * 1024 * 1024;
const DISK_FULL: u64 = 100 * 1024 * 1024;
/// A clock further off than this breaks sign-in codes and TLS.
const CLOCK_OFF_SECONDS: i64 = 60;
/// No clock is right that is before this program was written.
const WRITTEN_AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    /// Works, and deserves a look.
    Warning,
    Failed,
}

#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    pub detail: String,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { name, verdict, detail: detail.into() }
    }

    pub fn failed(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Failed, detail)
    }

    pub fn ok(&self) -> bool {
        self.verdict != Verdict::Failed
    }
}

/// Whether the database answers.
pub async fn database(store: &Store) -> Check {
    let engine = match store.engine() {
        "sqlite" => "SQLite",
        _ => "PostgreSQL",
    };
    let ping = async {
        store.reader().await?.db().ping().await?;
        store.pending_migrations().await
    };
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(Ok(pending)) if pending.is_empty() => Check::new("database", Verdict::Ok, engine),
        Ok(Ok(pending)) => Check::new(
            "database",
            Verdict::Warning,
            format!("{engine}; migrations to apply: {}", pending.join(", ")),
        ),
        Ok(Err(error)) => Check::new("database", Verdict::Failed, format!("{engine}: {error}")),
        Err(_) => Check::new("database", Verdict::Failed, format!("{engine} does not answer")),
    }
}

/// Whether files can be written and read.
pub async fn files(config: &Config, files: &Files) -> Check {
    let place = match config.files.location(&config.server) {
        FilesLocation::Folder(folder) => format!("folder {}", folder.display()),
        FilesLocation::S3 { bucket, .. } => format!("S3 bucket {bucket}"),
    };
    match tokio::time::timeout(PATIENCE, files.check()).await {
        Ok(Ok(())) => Check::new("files", Verdict::Ok, place),
        Ok(Err(error)) => Check::new(
            "files",
            Verdict::Failed,
            format!("{place}: {:#}", anyhow::Error::new(error)),
        ),
        Err(_) => Check::new("files", Verdict::Failed, format!("{place} does not answer")),
    }
}

/// Whether Redis answers, where it is used. Without it nodes fall back to looking by themselves.
pub async fn bus(config: &Config) -> Check {
    if !config.redis.enabled() {
        return Check::new("bus", Verdict::Ok, "in-process");
    }
    let client = match redis_client(&config.redis) {
        Ok(client) => client,
        Err(error) => return Check::new("bus", Verdict::Failed, error.to_string()),
    };
    let ping = async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async::<String>(&mut connection).await
    };
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(Ok(_)) => Check::new("bus", Verdict::Ok, "Redis"),
        Ok(Err(error)) => Check::new("bus", Verdict::Failed, format!("Redis: {error}")),
        Err(_) => Check::new("bus", Verdict::Failed, "Redis does not answer"),
    }
}

/// Whether the public URL leads here.
pub async fn public_url(url: &url::Url, http: &reqwest::Client) -> Check {
    let check = |verdict, detail: String| Check::new("public_url", verdict, detail);
    let Ok(address) = url.join("healthz") else {
        return check(Verdict::Failed, format!("{url} is not usable"));
    };
    match http.get(address).send().await {
        Ok(answer) if answer.status().is_success() => check(Verdict::Ok, url.to_string()),
        Ok(answer) => check(
            Verdict::Failed,
            format!("{url} answers {} to /healthz: something else is there", answer.status()),
        ),
        Err(_) => check(Verdict::Warning, format!("{url} does not answer; is the server running?")),
    }
}

/// Whether the machine's clock is right, by the word of a provider.
pub async fn clock(now: Timestamp, provider: &str, http: &reqwest::Client) -> Check {
    let check = |verdict, detail: String| Check::new("clock", verdict, detail);
    if now < WRITTEN_AT {
        return check(Verdict::Failed, format!("{now} is in the past"));
    }
    let told = match http.get(provider).send().await {
        Ok(answer) => answer
            .headers()
            .get(http::header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
            .map(|time| Timestamp(time.timestamp().as_millisecond())),
        Err(_) => None,
    };
    let Some(told) = told else {
        return check(Verdict::Ok, format!("{now}; no provider to compare with"));
    };
    let off = now.millis_since(told) / 1000;
    if off.abs() > CLOCK_OFF_SECONDS {
        check(Verdict::Failed, format!("{now} is {off} s away from the provider's clock"))
    } else {
        check(Verdict::Ok, now.to_string())
    }
}

/// Whether there is room in the data folder.
pub fn disk(config: &Config) -> Check {
    let folder = &config.server.data_dir;
    match fs4::available_space(folder) {
        Ok(free) => {
            let verdict = match free {
                0..DISK_FULL => Verdict::Failed,
                DISK_FULL..DISK_LOW => Verdict::Warning,
                _ => Verdict::Ok,
            };
            let gib = free as f64 / DISK_LOW as f64;
            Check::new("disk", verdict, format!("{gib:.1} GiB free in {}", folder.display()))
        }
        Err(error) => Check::new("disk", Verdict::Failed, format!("{}: {error}", folder.display())),
    }
}

/// A client for the checks.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_of_the_past_is_a_failure_and_one_nobody_denies_is_not() {
        let http = http_client().unwrap();
        // Nobody listens on port 1.
        let nobody = "http://127.0.0.1:1/";
        let past = clock(Timestamp::from_seconds(0), nobody, &http).await;
        assert_eq!(past.verdict, Verdict::Failed);
        let now = clock(WRITTEN_AT.plus_seconds(1), nobody, &http).await;
        assert_eq!(now.verdict, Verdict::Ok);
    }
}
