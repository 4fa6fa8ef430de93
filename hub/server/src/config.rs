//! The configuration: what can be set, and how its layers become one checked value.
//!
//! Defaults (`config/uzel.default.toml`, embedded) < file < environment < flags. Owns the rule that
//! an unknown key is an error and that a secret never prints. One file per section, each with its own
//! checks; what a section means is documented in the default file, not twice.

pub mod database;
pub mod delivery;
pub mod demo;
pub mod files;
mod layers;
pub mod log;
pub mod polling;
pub mod providers;
pub mod realtime;
pub mod redis;
pub mod security;
pub mod server;
pub mod sessions;
pub mod sign_in;
pub mod sms;
pub mod widget;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use self::database::{DatabaseConfig, Synchronous};
pub use self::delivery::{DeliveryConfig, EventsConfig};
pub use self::demo::DemoConfig;
pub use self::files::FilesConfig;
pub use self::layers::{Setting, Source};
pub use self::log::{LogConfig, LogFormat};
pub use self::polling::PollingConfig;
pub use self::providers::{ProvidersConfig, TelegramConfig};
pub use self::realtime::RealtimeConfig;
pub use self::redis::RedisConfig;
pub use self::security::SecurityConfig;
pub use self::server::{Role, ServerConfig};
pub use self::sessions::SessionsConfig;
pub use self::sign_in::SignInConfig;
pub use self::sms::SmsConfig;
pub use self::widget::WidgetConfig;

/// The lowest layer, with a comment on every option.
pub const DEFAULTS: &str = include_str!("../../../config/uzel.default.toml");

/// The file taken when neither a flag nor `UZEL_CONFIG` names one.
pub const FILE_IN_WORKING_DIRECTORY: &str = "uzel.toml";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub database: DatabaseConfig,
    pub redis: RedisConfig,
    pub files: FilesConfig,
    pub log: LogConfig,
    pub security: SecurityConfig,
    pub sessions: SessionsConfig,
    pub sign_in: SignInConfig,
    pub sms: SmsConfig,
    pub delivery: DeliveryConfig,
    pub polling: PollingConfig,
    pub widget: WidgetConfig,
    pub realtime: RealtimeConfig,
    pub events: EventsConfig,
    pub demo: DemoConfig,
    pub providers: ProvidersConfig,
}

/// Where the layers above the defaults come from.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// A file that must exist.
    pub file: Option<PathBuf>,
    /// Take `uzel.toml` of the working directory when `file` is not given.
    pub look_in_working_directory: bool,
    /// Variables; those that do not begin with `UZEL_` are ignored.
    pub environment: Vec<(String, String)>,
    /// Dotted keys with their text, as in the environment.
    pub flags: Vec<(String, String)>,
}

impl Inputs {
    /// The process's own environment, and the file it names.
    pub fn from_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let environment: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = environment
            .iter()
            .find(|(name, value)| name == layers::FILE_VARIABLE && !value.is_empty())
            .map(|(_, value)| PathBuf::from(value));
        Self { file: file.or(named), look_in_working_directory: true, environment, flags }
    }

    /// Only flags over the defaults, for tests and tools.
    pub fn from_flags<const N: usize>(flags: [(&str, &str); N]) -> Self {
        let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        Self { flags, ..Self::default() }
    }
}

impl Config {
    /// The public URL, the bound address unless set. Without a path.
    pub fn public_url(&self, bound: SocketAddr) -> url::Url {
        let text = match (self.server.public_url.as_str(), bound.ip().is_unspecified()) {
            ("", false) => format!("http://{bound}"),
            ("", true) => format!("http://127.0.0.1:{}", bound.port()),
            (set, _) => set.to_owned(),
        };
        url::Url::parse(&text).expect("the configuration was checked, an address is a host")
    }

    /// Whether the server is for this machine only.
    pub fn public_url_is_loopback(&self) -> bool {
        if self.server.public_url.is_empty() {
            return self
                .server
                .bind
                .parse::<SocketAddr>()
                .is_ok_and(|bind| bind.ip().is_loopback());
        }
        url::Url::parse(&self.server.public_url).is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not usable:\n{}", .problems.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

/// A checked configuration and where each value comes from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    pub settings: Vec<Setting>,
}

/// Merges the layers and checks the result.
pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigError> {
    let merged = layers::merge(DEFAULTS, inputs).map_err(|problems| ConfigError { problems })?;
    let config: Config = toml::Value::Table(merged.table)
        .try_into()
        .map_err(|error: toml::de::Error| ConfigError { problems: vec![error.to_string()] })?;
    let mut problems = Problems::default();
    config.server.check(&mut problems);
    config.database.check(&mut problems);
    config.redis.check(&mut problems);
    config.files.check(&mut problems);
    config.log.check(&mut problems);
    config.security.check(&mut problems);
    config.sessions.check(&mut problems);
    config.sign_in.check(&mut problems);
    config.sms.check(&mut problems);
    config.delivery.check(&mut problems);
    config.polling.check(&mut problems);
    config.realtime.check(&mut problems);
    config.events.check(&mut problems);
    config.widget.check(&mut problems);
    config.providers.check(&mut problems);
    if problems.0.is_empty() {
        Ok(Loaded { config, settings: merged.settings })
    } else {
        Err(ConfigError { problems: problems.0 })
    }
}

/// What the checks of the sections found.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes that `key` is wrong unless `holds`.
    fn require(&mut self, holds: bool, key: &str, must: &str) {
        if !holds {
            self.0.push(format!("`{key}` must be {must}"));
        }
    }

    /// Notes that `key` is no base address of an HTTP service.
    fn require_http_url(&mut self, text: &str, key: &str) {
        let good = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        self.require(good, key, "an http:// or https:// address without query");
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn load_env(environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        load(&Inputs {
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Inputs::default()
        })
    }

    fn problem(result: Result<Loaded, ConfigError>) -> String {
        result.expect_err("a refusal").to_string()
    }

    #[test]
    fn the_defaults_alone_are_a_usable_configuration() {
        let loaded = load(&Inputs::default()).expect("the defaults are good");
        assert_eq!(loaded.config.server.bind, "127.0.0.1:8080");
        assert!(loaded.settings.iter().all(|setting| setting.source == Source::Default));
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_defaults() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("some.toml");
        std::fs::write(
            &file,
            "[server]\nbind = '127.0.0.1:1'\ndata_dir = 'from-file'\n[redis]\nprefix = 'from-file'\n",
        )
        .expect("written");
        let loaded = load(&Inputs {
            file: Some(file),
            environment: vec![
                ("UZEL_SERVER__BIND".into(), "127.0.0.1:2".into()),
                ("UZEL_SERVER__DATA_DIR".into(), "from-environment".into()),
                ("PATH".into(), "/bin".into()),
            ],
            flags: vec![("server.bind".into(), "127.0.0.1:3".into())],
            look_in_working_directory: false,
        })
        .expect("good");
        assert_eq!(loaded.config.server.bind, "127.0.0.1:3");
        assert_eq!(loaded.config.server.data_dir.to_str(), Some("from-environment"));
        assert_eq!(loaded.config.redis.prefix, "from-file");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest_one() {
        let text = problem(load_env(&[("UZEL_SERVER__BNID", "127.0.0.1:0")]));
        assert!(text.contains("UZEL_SERVER__BNID"), "{text}");
        assert!(text.contains("server.bind"), "{text}");

        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("some.toml");
        std::fs::write(&file, "[provider.telegram]\napi_url = 'http://x'\n").expect("written");
        let text = problem(load(&Inputs { file: Some(file), ..Inputs::default() }));
        assert!(text.contains("providers.telegram.api_url"), "{text}");
    }

    #[test]
    fn text_of_the_environment_takes_the_type_of_the_option() {
        let loaded = load_env(&[
            ("UZEL_REDIS__PREFIX", "7"),
            ("UZEL_SERVER__ROLES", "worker"),
            ("UZEL_SIGN_IN__RESEND_WAIT_SECONDS", "1, 2"),
            ("UZEL_SECURITY__ALLOW_LOOPBACK_URLS", "true"),
            ("UZEL_DELIVERY__CONCURRENCY", "4"),
        ])
        .expect("good");
        assert_eq!(loaded.config.redis.prefix, "7");
        assert_eq!(loaded.config.server.roles, [Role::Worker]);
        assert_eq!(loaded.config.sign_in.resend_wait_seconds, [1, 2]);
        assert!(loaded.config.security.allow_loopback_urls);
        let text = problem(load_env(&[("UZEL_DELIVERY__CONCURRENCY", "many")]));
        assert!(text.contains("delivery.concurrency"), "{text}");
    }

    #[test]
    fn a_secret_comes_from_a_file_and_never_prints() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("url");
        std::fs::write(&file, "postgres://uzel:hunter2@db/uzel\n").expect("written");
        let loaded =
            load_env(&[("UZEL_DATABASE__URL_FILE", file.to_str().expect("a path"))]).expect("good");
        let url = &loaded.config.database.url;
        assert_eq!(url.expose_secret(), "postgres://uzel:hunter2@db/uzel");
        assert!(!format!("{:?}", loaded.config).contains("hunter2"));
        assert!(!loaded.settings.iter().any(|setting| setting.shown.contains("hunter2")));
    }

    #[test]
    fn a_secret_given_twice_is_an_error() {
        let text = problem(load_env(&[
            ("UZEL_SECURITY__MASTER_KEY", "00"),
            ("UZEL_SECURITY__MASTER_KEY_FILE", "/nowhere"),
        ]));
        assert!(text.contains("security.master_key"), "{text}");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let text = problem(load_env(&[
            ("UZEL_SERVER__BIND", "nowhere"),
            ("UZEL_SERVER__PUBLIC_URL", "ftp://example.com"),
            ("UZEL_SMS__GATEWAYS", "pigeon"),
        ]));
        for key in ["server.bind", "server.public_url", "sms.gateways"] {
            assert!(text.contains(key), "{key}: {text}");
        }
    }
}
