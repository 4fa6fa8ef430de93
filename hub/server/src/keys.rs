//! The master key: where it comes from, and the keys made from it for one purpose each.
//!
//! Owns the rule that a key generated here is readable by its owner only and never changes by itself.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::config::Config;
use crate::random;

const FILE: &str = "master.key";

/// The installation's key.
#[derive(Debug, Clone)]
pub struct MasterKey(SecretString);

impl MasterKey {
    /// The configured key, else the one in the data folder, made when there is none.
    pub fn load(config: &Config) -> anyhow::Result<Self> {
        let configured = config.security.master_key.expose_secret();
        if !configured.is_empty() {
            return Self::from_text(configured).context("security.master_key is not 32 bytes");
        }
        let path = config.server.data_dir.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::from_text(&text)
                .with_context(|| format!("{} does not hold a key", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::generate(&path)
                .with_context(|| format!("a key cannot be written to {}", path.display())),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        // One spelling, so that hexadecimal and base64 of the same bytes are the same key.
        parse(text).map(|bytes| Self(BASE64.encode(bytes).into()))
    }

    fn generate(path: &Path) -> anyhow::Result<Self> {
        let bytes = random::bytes::<32>();
        let text = BASE64.encode(bytes);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{text}")?;
        // A key that is lost makes every sealed secret unreadable.
        file.sync_all()?;
        Ok(Self(text.into()))
    }

    /// What the store's vault is opened with.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// A key for one purpose; knowing it tells nothing about the others.
    pub fn for_purpose(&self, purpose: &str) -> [u8; 32] {
        hmac_sha256(self.0.expose_secret().as_bytes(), &[purpose.as_bytes()])
    }
}

/// The 32 bytes of a key written in hexadecimal digits or base64.
pub fn parse(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes =
        if text.len() == 64 { hex::decode(text).ok()? } else { BASE64.decode(text).ok()? };
    bytes.try_into().ok()
}

/// HMAC over `parts`, each with its length before it, so that no two lists of parts read the same.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};

    #[test]
    fn a_generated_key_is_kept_and_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_str().expect("a path");
        let config = load(&Inputs::from_flags([("server.data_dir", path)])).expect("good").config;
        let first = MasterKey::load(&config).expect("made");
        let second = MasterKey::load(&config).expect("read");
        assert_eq!(first.for_purpose("x"), second.for_purpose("x"));
        assert_ne!(first.for_purpose("x"), first.for_purpose("y"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                std::fs::metadata(dir.path().join(FILE)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_file_is_an_error_and_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_str().expect("a path");
        std::fs::write(dir.path().join(FILE), "short").expect("written");
        let config = load(&Inputs::from_flags([("server.data_dir", path)])).expect("good").config;
        assert!(MasterKey::load(&config).is_err());
        assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).expect("there"), "short");
    }

    #[test]
    fn one_key_in_two_spellings_is_one_key() {
        let hexadecimal = "00".repeat(32);
        let base64 = BASE64.encode([0; 32]);
        assert_eq!(parse(&hexadecimal), parse(&base64));
        assert_eq!(parse("00"), None);
    }
}
