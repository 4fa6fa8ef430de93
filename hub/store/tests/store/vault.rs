//! The vault as the store's callers use it.

use secrecy::{ExposeSecret as _, SecretString};

use crate::harness::test_vault;

#[test]
fn the_same_secret_sealed_twice_gives_two_texts_that_both_open() {
    let vault = test_vault();
    let secret = SecretString::from("100:секрет\0\u{202e}");
    let (first, second) =
        (vault.seal("channel.secret", &secret), vault.seal("channel.secret", &secret));
    assert_ne!(first, second);
    for sealed in [first, second] {
        let open = vault.open("channel.secret", &sealed).unwrap();
        assert_eq!(open.expose_secret(), secret.expose_secret());
    }
}

#[test]
fn a_sealed_secret_with_any_character_changed_does_not_open() {
    let vault = test_vault();
    let sealed = vault.seal("channel.secret", &SecretString::from("100:token"));
    for at in "v1:".len()..sealed.len() {
        let mut damaged = sealed.clone().into_bytes();
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        assert!(vault.open("channel.secret", &damaged).is_err(), "character {at}");
    }
}

#[test]
fn what_fails_to_open_is_not_told_in_the_error() {
    let vault = test_vault();
    let sealed = vault.seal("channel.secret", &SecretString::from("100:token"));
    let error = vault.open("api_token", &sealed).unwrap_err().to_string();
    assert!(!error.contains(&sealed), "{error}");
    assert!(!error.contains("token\""), "{error}");
}
