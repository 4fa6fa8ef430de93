//! Who a visitor is: tokens that the hub gives, and those by which a site vouches for its users.
//!
//! A visitor's token is the visitor's id with the hub's signature over it and the channel, so nothing is
//! stored for somebody who never writes. A site's token is a JWT of HS256, which every language can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hub_domain::{AttachmentId, ChannelId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Longest token read.
const TOKEN_LIMIT: usize = 4096;
/// How far in the future a site's token may end.
const LONGEST_LIFE_SECONDS: i64 = 31 * 24 * 3600;

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        // With its length, so that no two lists of parts are the same bytes.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn signature(key: &[u8], parts: &[&[u8]]) -> String {
    URL_SAFE_NO_PAD.encode(mac(key, parts).finalize().into_bytes())
}

fn is_signature(key: &[u8], parts: &[&[u8]], given: &str) -> bool {
    URL_SAFE_NO_PAD.decode(given).is_ok_and(|given| mac(key, parts).verify_slice(&given).is_ok())
}

/// A visitor of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VisitorId(String);

impl VisitorId {
    /// Somebody nobody knows.
    pub fn anonymous(random: [u8; 16]) -> Self {
        Self(format!("a-{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// A user of the site, the same one on every device.
    pub fn of_user(key: &[u8], channel: ChannelId, user_id: &str) -> Self {
        let channel = channel.0.to_be_bytes();
        let hash = mac(key, &[b"user", &channel, user_id.as_bytes()]).finalize().into_bytes();
        Self(format!("u-{}", URL_SAFE_NO_PAD.encode(&hash[..16])))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token that proves to be this visitor, with what the site says of them.
    pub fn token(&self, key: &[u8], channel: ChannelId, user: Option<&SiteUser>) -> String {
        let channel = channel.0.to_be_bytes();
        let user = user.and_then(|user| serde_json::to_vec(user).ok());
        let signed = format!("{}.{}", self.0, URL_SAFE_NO_PAD.encode(user.unwrap_or_default()));
        let signature = signature(key, &[b"visitor", &channel, signed.as_bytes()]);
        format!("{signed}.{signature}")
    }

    /// Whose token this is. Constant time in the signature.
    pub fn of_token(
        key: &[u8],
        channel: ChannelId,
        token: &str,
    ) -> Option<(Self, Option<SiteUser>)> {
        let (signed, given) = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_LIMIT)?;
        let channel = channel.0.to_be_bytes();
        if !is_signature(key, &[b"visitor", &channel, signed.as_bytes()], given) {
            return None;
        }
        let (id, user) = signed.split_once('.')?;
        let user = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(user).ok()?).ok();
        Some((Self(id.to_owned()), user))
    }

    /// What lets this visitor, and nobody else, have a file: pictures carry no headers.
    pub fn file_pass(&self, key: &[u8], file: AttachmentId) -> String {
        let file = file.0.to_be_bytes();
        let pass = signature(key, &[b"file", &file, self.0.as_bytes()]);
        format!("{}.{pass}", self.0)
    }

    /// Whose pass for a file this is.
    pub fn of_file_pass(key: &[u8], file: AttachmentId, pass: &str) -> Option<Self> {
        let (id, given) = pass.split_once('.').filter(|_| pass.len() <= TOKEN_LIMIT)?;
        let file = file.0.to_be_bytes();
        is_signature(key, &[b"file", &file, id.as_bytes()], given).then(|| Self(id.to_owned()))
    }
}

/// What a site says of its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteUser {
    pub user_id: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

/// Why a site's token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    #[error("the token is not a JWT of HS256 signed with this widget's secret")]
    Forged,
    #[error("the token has expired, or ends more than 31 days from now")]
    Expired,
    #[error("the token's `sub` has 1 to 128 characters")]
    NoUser,
}

fn bounded(text: Option<String>, limit: usize) -> Option<String> {
    let text: String = text?.chars().filter(|c| !c.is_control()).take(limit).collect();
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Reads a site's token.
pub fn site_user(secret: &str, token: &str, now: Timestamp) -> Result<SiteUser, NotBelieved> {
    let forged = NotBelieved::Forged;
    let (signed, given) =
        token.rsplit_once('.').filter(|_| token.len() <= TOKEN_LIMIT).ok_or(forged)?;
    let (header, claims) = signed.split_once('.').ok_or(forged)?;
    let given = URL_SAFE_NO_PAD.decode(given).map_err(|_| forged)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| forged)?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&given).map_err(|_| forged)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| forged);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| forged)?;
    // What the header says of the algorithm decides nothing; another one is not ours.
    if header.alg != "HS256" {
        return Err(forged);
    }
    let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| forged)?;
    let left = claims.exp.saturating_sub(now.as_millis() / 1000);
    if !(1..=LONGEST_LIFE_SECONDS).contains(&left) {
        return Err(NotBelieved::Expired);
    }
    let length = claims.sub.chars().count();
    if length == 0 || length > 128 || claims.sub.chars().any(char::is_control) {
        return Err(NotBelieved::NoUser);
    }
    Ok(SiteUser {
        user_id: claims.sub,
        name: bounded(claims.name, 120),
        phone: bounded(claims.phone, 40),
        email: bounded(claims.email, 200),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"the hub's key";
    const SECRET: &str = "the widget's secret";
    const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

    fn jwt(secret: &str, header: &str, claims: &str) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn a_visitors_token_works_on_its_channel_only_and_cannot_be_altered() {
        let visitor = VisitorId::anonymous([7; 16]);
        let token = visitor.token(KEY, ChannelId(1), None);
        let read = VisitorId::of_token(KEY, ChannelId(1), &token);
        assert_eq!(read, Some((visitor.clone(), None)));
        assert_eq!(VisitorId::of_token(KEY, ChannelId(2), &token), None);
        assert_eq!(VisitorId::of_token(b"another", ChannelId(1), &token), None);
        let other = VisitorId::anonymous([8; 16]);
        let (_, rest) = token.split_once('.').unwrap();
        let altered = format!("{}.{rest}", other.as_str());
        for bad in [&altered, "", ".", "a-.", visitor.as_str(), &token[..token.len() - 1]] {
            assert_eq!(VisitorId::of_token(KEY, ChannelId(1), bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pass_opens_one_file_for_one_visitor() {
        let visitor = VisitorId::anonymous([7; 16]);
        let pass = visitor.file_pass(KEY, AttachmentId(5));
        assert_eq!(VisitorId::of_file_pass(KEY, AttachmentId(5), &pass), Some(visitor));
        assert_eq!(VisitorId::of_file_pass(KEY, AttachmentId(6), &pass), None);
    }

    #[test]
    fn a_user_is_the_same_visitor_on_every_device_and_another_one_elsewhere() {
        let of = |channel, user| VisitorId::of_user(KEY, ChannelId(channel), user);
        assert_eq!(of(1, "42"), of(1, "42"));
        assert_ne!(of(1, "42"), of(1, "43"));
        assert_ne!(of(1, "42"), of(2, "42"));
    }

    #[test]
    fn a_site_vouches_for_its_users_with_a_signed_token() {
        let claims = r#"{"sub":"42","exp":1795503600,"name":" Катя ","phone":"+7 926 123-45-67","email":""}"#;
        let expected = SiteUser {
            user_id: "42".to_owned(),
            name: Some("Катя".to_owned()),
            phone: Some("+7 926 123-45-67".to_owned()),
            email: None,
        };
        assert_eq!(site_user(SECRET, &jwt(SECRET, HS256, claims), NOW), Ok(expected));
    }

    #[test]
    fn a_token_that_is_forged_old_or_empty_is_not_believed() {
        let good = r#"{"sub":"42","exp":1795503600}"#;
        let of = |token: &str| site_user(SECRET, token, NOW);
        assert_eq!(of(&jwt("guessed", HS256, good)), Err(NotBelieved::Forged));
        assert_eq!(of(&jwt(SECRET, r#"{"alg":"none"}"#, good)), Err(NotBelieved::Forged));
        let unsigned = jwt(SECRET, HS256, good);
        let unsigned = unsigned.rsplit_once('.').unwrap().0;
        for bad in [format!("{unsigned}."), unsigned.to_owned(), "a.b.c".to_owned(), String::new()]
        {
            assert_eq!(of(&bad), Err(NotBelieved::Forged), "{bad}");
        }
        for (claims, why) in [
            (r#"{"sub":"42","exp":1795500000}"#, NotBelieved::Expired),
            (r#"{"sub":"42","exp":9995500000}"#, NotBelieved::Expired),
            (r#"{"sub":"","exp":1795503600}"#, NotBelieved::NoUser),
            (r#"{"sub":"42"}"#, NotBelieved::Forged),
        ] {
            assert_eq!(of(&jwt(SECRET, HS256, claims)), Err(why), "{claims}");
        }
    }
}
