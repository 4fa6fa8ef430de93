//! Section `[files]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Problems, ServerConfig};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    pub url: String,
    pub max_upload_bytes: u64,
    pub s3_endpoint: String,
    pub s3_region: String,
    pub s3_access_key_id: String,
    pub s3_secret_access_key: SecretString,
}

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesLocation {
    Folder(std::path::PathBuf),
    S3 { bucket: String, prefix: String },
}

impl FilesConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            self.url.is_empty() || self.parse_url().is_some(),
            "files.url",
            "file:///path or s3://bucket/prefix",
        );
        let enough = (1024..=2 * 1024 * 1024 * 1024).contains(&self.max_upload_bytes);
        problems.require(enough, "files.max_upload_bytes", "1024 to 2147483648");
        if !self.s3_endpoint.is_empty() {
            problems.require_http_url(&self.s3_endpoint, "files.s3_endpoint");
        }
        if matches!(self.parse_url(), Some(FilesLocation::S3 { .. })) {
            let keys = !self.s3_access_key_id.is_empty()
                && !self.s3_secret_access_key.expose_secret().is_empty();
            problems.require(keys, "files.s3_access_key_id", "set, with its secret, for s3://");
        }
    }

    /// Where files go: `files` in the data folder unless set.
    pub fn location(&self, server: &ServerConfig) -> FilesLocation {
        self.parse_url().unwrap_or_else(|| FilesLocation::Folder(server.data_dir.join("files")))
    }

    fn parse_url(&self) -> Option<FilesLocation> {
        let url = url::Url::parse(&self.url).ok()?;
        match url.scheme() {
            "file" => url.to_file_path().ok().map(FilesLocation::Folder),
            "s3" => Some(FilesLocation::S3 {
                bucket: url.host_str().filter(|host| !host.is_empty())?.to_owned(),
                prefix: url.path().trim_matches('/').to_owned(),
            }),
            _ => None,
        }
    }
}
