//! The one place secrets and ids come from: the operating system's generator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    rand::rng().fill(&mut bytes);
    bytes
}

/// A token of 256 bits that may stand in a URL.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A short id that tells nothing and repeats practically never.
pub fn short_id() -> String {
    hex::encode(bytes::<8>())
}

/// A uniform code of six digits.
pub fn six_digits() -> String {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    let number = rand::rng().random_range(0..1_000_000_u32);
    format!("{number:06}")
}

/// A number in `0.0..1.0`, for jitter.
pub fn fraction() -> f64 {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    rand::rng().random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_and_a_token_256_bits() {
        for _ in 0..100 {
            let code = six_digits();
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
        assert_eq!(token().len(), 43);
        assert_ne!(token(), token());
        assert!((0.0..1.0).contains(&fraction()));
    }
}
