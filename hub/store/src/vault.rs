//! Secrets at rest: sealed with XChaCha20-Poly1305 under the installation's master key.
//!
//! Every sealed value is bound to a purpose (`channel.secret`, …): one moved into another column does
//! not open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::StoreError;

const NONCE_LENGTH: usize = 24;

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault under `master_key` (any text with enough entropy; 32 random bytes as a rule).
    pub fn new(master_key: &SecretString) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"uzel vault key v1\0");
        hash.update(master_key.expose_secret().as_bytes());
        let key = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
        Self { cipher: XChaCha20Poly1305::new((&*key).into()) }
    }

    /// Seals `secret` for `purpose`.
    pub fn seal(&self, purpose: &str, secret: &SecretString) -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "a nonce comes from the generator for secrets"
        )]
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: purpose.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("sealing fails only on messages of 256 GiB");
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        format!("v1:{}", BASE64.encode(bytes))
    }

    /// Opens what [`Vault::seal`] made for the same purpose under the same key.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<SecretString, StoreError> {
        let broken = || {
            StoreError::inconsistent(format!(
                "a sealed {purpose} does not open: it is damaged, or the master key has changed"
            ))
        };
        let bytes = sealed
            .strip_prefix("v1:")
            .and_then(|text| BASE64.decode(text).ok())
            .filter(|bytes| bytes.len() > NONCE_LENGTH)
            .ok_or_else(broken)?;
        let (nonce, body) = bytes.split_at(NONCE_LENGTH);
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().map_err(|_| broken())?;
        let payload = Payload { msg: body, aad: purpose.as_bytes() };
        let open = self.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| broken())?;
        String::from_utf8(open).map(SecretString::from).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_for_its_purpose_and_key() {
        let vault = Vault::new(&SecretString::from("a key of the test"));
        let sealed = vault.seal("channel.secret", &SecretString::from("100:token"));
        assert!(!sealed.contains("token"));
        let open = vault.open("channel.secret", &sealed).unwrap();
        assert_eq!(open.expose_secret(), "100:token");
        assert!(vault.open("api_token", &sealed).is_err());
        let other = Vault::new(&SecretString::from("another key"));
        assert!(other.open("channel.secret", &sealed).is_err());
    }

    #[test]
    fn what_was_never_sealed_is_an_error_not_a_panic() {
        let vault = Vault::new(&SecretString::from("a key of the test"));
        for text in ["", "v1:", "v1:AAAA", "plain", "v2:AAAA"] {
            assert!(vault.open("channel.secret", text).is_err(), "{text}");
        }
    }
}
