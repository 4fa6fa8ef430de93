//! The bytes of files: on the local disk, or in S3, by configuration.
//!
//! Owns keys and bounds; what a file is about is in `attachments`. A key is random, so it is never
//! reused and never guessed, and nothing a client named reaches a path.

mod picture;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use hub_domain::CompanyId;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig, WriteMultipart};
use secrecy::ExposeSecret as _;

use crate::config::FilesConfig;
use crate::config::files::FilesLocation;
use crate::random;

pub use self::picture::PictureSize;

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("the file is larger than {limit} bytes")]
    TooBig { limit: u64 },
    #[error("the file is not there")]
    Missing,
    #[error("where the bytes come from failed: {0}")]
    Source(String),
    #[error("the file storage failed: {0}")]
    Storage(#[source] object_store::Error),
}

impl From<object_store::Error> for FilesError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Storage(other),
        }
    }
}

/// A file that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub key: String,
    pub size_bytes: i64,
    /// As sniffed from the first bytes, else as the source said.
    pub mime_type: Option<String>,
    /// Of a picture, as far as its first bytes tell.
    pub picture: Option<PictureSize>,
}

/// Where the bytes of files are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

/// How much of the beginning of a file is looked at: before a photo says how large it is, it may carry a
/// small copy of itself and much that its camera had to say.
const HEAD: usize = 256 * 1024;

/// Size of the parts in which a file is written.
const PART: usize = 5 * 1024 * 1024;

/// S3: how long nothing may come, a part on its way there included.
const SILENCE: Duration = Duration::from_mins(1);

/// S3: how often a call is made again that failed for no reason of ours; some six seconds in all.
const RETRIES: usize = 6;

impl Files {
    pub fn open(config: &FilesConfig, location: FilesLocation) -> anyhow::Result<Self> {
        match location {
            FilesLocation::Folder(path) => {
                std::fs::create_dir_all(&path)?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), prefix: String::new() })
            }
            FilesLocation::S3 { bucket, prefix } => {
                let client = ClientOptions::new()
                    .with_allow_http(config.s3_endpoint.starts_with("http:"))
                    // A browser reads a large file as slowly as it likes: what counts is silence.
                    .with_timeout_disabled()
                    .with_read_timeout(SILENCE);
                let mut builder = AmazonS3Builder::new()
                    .with_client_options(client)
                    .with_retry(RetryConfig { max_retries: RETRIES, ..RetryConfig::default() })
                    // Not every service that speaks S3 can delete many at once, and we never do.
                    .with_disable_bulk_delete(true)
                    .with_bucket_name(bucket)
                    .with_region(&config.s3_region)
                    .with_access_key_id(&config.s3_access_key_id)
                    .with_secret_access_key(config.s3_secret_access_key.expose_secret());
                if !config.s3_endpoint.is_empty() {
                    builder = builder.with_endpoint(&config.s3_endpoint);
                }
                Ok(Self { store: Arc::new(builder.build()?), prefix })
            }
        }
    }

    fn path(&self, key: &str) -> Path {
        if self.prefix.is_empty() {
            Path::from(key)
        } else {
            Path::from(format!("{}/{key}", self.prefix))
        }
    }

    /// Stores a stream of at most `limit` bytes under a new key. When it fails, nothing stays.
    pub async fn put<S, E>(
        &self,
        company: CompanyId,
        mut bytes: S,
        limit: u64,
        claimed_type: Option<String>,
    ) -> Result<StoredFile, FilesError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::fmt::Display,
    {
        let token = random::token();
        let key = format!("{company}/{}/{token}", &token[..2]);
        let upload = self.store.put_multipart(&self.path(&key)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut size: u64 = 0;
        let mut head: Vec<u8> = Vec::new();
        let failed = loop {
            match bytes.next().await {
                None => break None,
                Some(Err(error)) => break Some(FilesError::Source(error.to_string())),
                Some(Ok(chunk)) => {
                    size += chunk.len() as u64;
                    if size > limit {
                        break Some(FilesError::TooBig { limit });
                    }
                    head.extend_from_slice(&chunk[..chunk.len().min(HEAD - head.len())]);
                    writer.write(&chunk);
                    if let Err(error) = writer.wait_for_capacity(2).await {
                        break Some(error.into());
                    }
                }
            }
        };
        if let Some(error) = failed {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "a file that was given up was not removed");
            }
            return Err(error);
        }
        writer.finish().await?;
        let sniffed = infer::get(&head).map(|kind| kind.mime_type().to_owned());
        let is_picture = sniffed.as_ref().is_some_and(|kind| kind.starts_with("image/"));
        Ok(StoredFile {
            key,
            size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
            picture: if is_picture { picture::size(&head) } else { None },
            mime_type: sniffed.or(claimed_type),
        })
    }

    /// The bytes of `range`, or of the whole file, with the file's size.
    pub async fn get(
        &self,
        key: &str,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<(u64, futures_util::stream::BoxStream<'static, std::io::Result<Bytes>>), FilesError>
    {
        let options = object_store::GetOptions {
            range: range.map(object_store::GetRange::Bounded),
            ..object_store::GetOptions::default()
        };
        let result = self.store.get_opts(&self.path(key), options).await?;
        let size = result.meta.size;
        Ok((size, result.into_stream().map_err(std::io::Error::other).boxed()))
    }

    /// The whole file, which the caller knows to be at most `limit` bytes.
    pub async fn read(&self, key: &str, limit: u64) -> Result<Bytes, FilesError> {
        let result = self.store.get(&self.path(key)).await?;
        if result.meta.size > limit {
            return Err(FilesError::TooBig { limit });
        }
        Ok(result.bytes().await?)
    }

    pub async fn delete(&self, key: &str) -> Result<(), FilesError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether files can be written and read at all.
    pub async fn check(&self) -> Result<(), FilesError> {
        let path = self.path(&format!("check-{}", random::token()));
        self.store.put(&path, Bytes::from_static(b"uzel").into()).await?;
        let read = self.store.get(&path).await?.bytes().await?;
        self.store.delete(&path).await?;
        if read == Bytes::from_static(b"uzel") { Ok(()) } else { Err(FilesError::Missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};

    fn files() -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        let inputs = Inputs::from_flags([("server.data_dir", dir.path().to_str().unwrap())]);
        let config = load(&inputs).unwrap().config;
        let files = Files::open(&config.files, config.files.location(&config.server)).unwrap();
        (dir, files)
    }

    fn stream(
        chunks: Vec<Result<&'static str, String>>,
    ) -> impl Stream<Item = Result<Bytes, String>> + Unpin + Send {
        futures_util::stream::iter(chunks.into_iter().map(|chunk| chunk.map(Bytes::from)))
    }

    fn kept(dir: &tempfile::TempDir) -> Vec<std::path::PathBuf> {
        fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&dir.path().join("files"), &mut found);
        found
    }

    #[tokio::test]
    async fn what_was_put_can_be_read_whole_and_in_part() {
        let (_dir, files) = files();
        let chunks = stream(vec![Ok("hello "), Ok("world")]);
        let stored = files.put(CompanyId(1), chunks, 11, None).await.unwrap();
        assert_eq!(stored.size_bytes, 11);
        assert_eq!(files.read(&stored.key, 11).await.unwrap(), "hello world");
        let (size, part) = files.get(&stored.key, Some(6..11)).await.unwrap();
        let part: Vec<Bytes> = part.try_collect().await.unwrap();
        assert_eq!((size, part.concat()), (11, b"world".to_vec()));
        files.delete(&stored.key).await.unwrap();
        assert!(matches!(files.read(&stored.key, 11).await, Err(FilesError::Missing)));
        files.delete(&stored.key).await.unwrap();
    }

    #[tokio::test]
    async fn of_a_file_that_is_too_big_or_breaks_off_nothing_is_kept() {
        let (dir, files) = files();
        let big = files.put(CompanyId(1), stream(vec![Ok("12345"), Ok("6")]), 5, None).await;
        assert!(matches!(big, Err(FilesError::TooBig { limit: 5 })));
        let cut = stream(vec![Ok("1"), Err("cut".to_owned())]);
        let broken = files.put(CompanyId(1), cut, 5, None).await;
        assert!(matches!(broken, Err(FilesError::Source(_))));
        assert!(kept(&dir).is_empty());
    }

    #[tokio::test]
    async fn the_check_leaves_nothing_behind() {
        let (dir, files) = files();
        files.check().await.unwrap();
        assert!(kept(&dir).is_empty());
    }
}
