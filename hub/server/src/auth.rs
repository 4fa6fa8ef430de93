//! Who asks: sessions by cookie, private tokens by header, and what a member may do.
//!
//! Owns the rules that a cookie alone changes nothing (a token in a header and the browser's own word
//! on where the request comes from are needed too), and that a company's id tells a stranger nothing.
//! Handlers take [`CurrentUser`], [`CurrentMember`] or [`RequireAdministrator`]; a route without one is
//! public.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use hub_domain::{CompanyId, Role, Scope, SessionId, Timestamp, UserId, Visibility};
use hub_store::records::{SessionRow, User};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::keys::hmac_sha256;

pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `last_seen_at` is written at most this often.
const SEEN_EVERY_MS: i64 = 60_000;
const MS_PER_HOUR: i64 = 3_600_000;

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proof {
    Session(SessionId),
    /// SHA-256 of the token.
    PrivateToken([u8; 32]),
}

impl Proof {
    pub const fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::PrivateToken(_) => None,
        }
    }
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct CurrentUser {
    pub user: User,
    pub proof: Proof,
}

/// What a token is found by.
pub fn token_hash(token: &str) -> String {
    hex::encode(digest(token))
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The token that unsafe requests of a session carry.
pub fn csrf_token(app: &App, session: SessionId) -> String {
    hex::encode(hmac_sha256(&app.keys.csrf, &[&session.0.to_be_bytes()]))
}

/// Reads cookie or header and finds out who asks. Checks neither CSRF nor role.
pub async fn authenticate(app: &App, headers: &HeaderMap) -> Result<CurrentUser, ApiError> {
    let mut reader = app.store.reader().await?;
    let (user_id, proof) = if let Some(token) = bearer(headers) {
        let digest = digest(token);
        let hash = hex::encode(digest);
        let held = reader.db().api_token_by_hash(&hash).await?.ok_or(Code::Unauthenticated)?;
        let now = app.clock.now();
        if held.last_used_at.is_none_or(|at| now.millis_since(at) > SEEN_EVERY_MS) {
            touch_token(app, hash, now);
        }
        (held.user_id, Proof::PrivateToken(digest))
    } else {
        let token = cookie(headers, app.session_cookie()).ok_or(Code::Unauthenticated)?;
        let session = reader.db().session_by_token(&token_hash(token)).await?;
        let now = app.clock.now();
        let session = session.filter(|session| is_alive(app, session, now));
        let session = session.ok_or(Code::Unauthenticated)?;
        if now.millis_since(session.last_seen_at) > SEEN_EVERY_MS {
            touch(app, session.id, now);
        }
        (session.user_id, Proof::Session(session.id))
    };
    let user = reader.db().user(user_id).await?.ok_or(Code::Unauthenticated)?;
    Ok(CurrentUser { user, proof })
}

/// Whether somebody who proved who they are some time ago still could: for long-lived connections.
pub async fn is_still_valid(app: &App, proof: Proof) -> Result<bool, ApiError> {
    match proof {
        Proof::PrivateToken(digest) => {
            let mut reader = app.store.reader().await?;
            Ok(reader.db().api_token_by_hash(&hex::encode(digest)).await?.is_some())
        }
        Proof::Session(id) => {
            let mut reader = app.store.reader().await?;
            let session = reader.db().session(id).await?;
            let now = app.clock.now();
            // An open connection is use of the session.
            let alive = session.is_some_and(|session| session.expires_at > now);
            if alive {
                touch(app, id, now);
            }
            Ok(alive)
        }
    }
}

fn is_alive(app: &App, session: &SessionRow, now: Timestamp) -> bool {
    let idle = i64::from(app.config.sessions.idle_hours) * MS_PER_HOUR;
    session.expires_at > now && now.millis_since(session.last_seen_at) < idle
}

fn touch(app: &App, id: SessionId, now: Timestamp) {
    let store = app.store.clone();
    app.lifecycle.spawn("touch session", async move {
        let touched = store
            .write_system(move |tx| Box::pin(async move { tx.db().touch_session(id, now).await }))
            .await;
        if let Err(error) = touched {
            tracing::warn!(error = %error, "a session could not be touched");
        }
    });
}

fn touch_token(app: &App, hash: String, now: Timestamp) {
    let store = app.store.clone();
    app.lifecycle.spawn("touch private token", async move {
        let touched = store
            .write_system(move |tx| {
                Box::pin(async move { tx.db().touch_api_token(&hash, now).await })
            })
            .await;
        if let Err(error) = touched {
            tracing::warn!(error = %error, "a private token could not be touched");
        }
    });
}

/// The member's place in `company`, or 404 as if the company did not exist.
pub async fn scope_of(app: &App, user: UserId, company: CompanyId) -> Result<Scope, ApiError> {
    let mut reader = app.store.reader().await?;
    let member = reader.db().member_of_user(company, user).await?;
    let member = member.ok_or(Code::NotFound)?;
    Ok(Scope {
        company_id: company,
        member_id: member.id,
        user_id: user,
        role: member.role,
        visibility: Visibility::All,
    })
}

/// Refuses what another site makes a browser send.
///
/// `Sec-Fetch-Site` is the browser's own word; `Origin` must be the address the request went to, or the
/// public one. Programs send neither.
pub fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    if let Some(site) = headers.get(FETCH_SITE)
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return Err(Code::Csrf.into());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|text| url::Url::parse(text).ok());
    let origin = origin.ok_or(Code::Csrf)?;
    if origin.origin() == app.public_url().origin() {
        return Ok(());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let same = host.and_then(|host| url::Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    match same {
        Some(same) if same.origin() == origin.origin() => Ok(()),
        _ => Err(Code::Csrf.into()),
    }
}

fn check_csrf(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    proof: Proof,
) -> Result<(), ApiError> {
    let Proof::Session(session) = proof else { return Ok(()) };
    if method.is_safe() {
        return Ok(());
    }
    check_origin(app, headers)?;
    let sent = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    if bool::from(sent.ct_eq(csrf_token(app, session).as_bytes())) {
        Ok(())
    } else {
        Err(Code::Csrf.into())
    }
}

impl FromRequestParts<App> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let user = authenticate(app, &parts.headers).await?;
        check_csrf(app, &parts.method, &parts.headers, user.proof)?;
        app.limits.request_made(user.user.id.0)?;
        Ok(user)
    }
}

/// A member of the company in the path, acting.
#[derive(Debug, Clone)]
pub struct CurrentMember(pub Scope);

impl FromRequestParts<App> for CurrentMember {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let user = CurrentUser::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| Code::NotFound)?;
        let company = params.iter().find(|(name, _)| *name == "company_id");
        let company = company.and_then(|(_, text)| text.parse().ok()).ok_or(Code::NotFound)?;
        scope_of(app, user.user.id, company).await.map(Self)
    }
}

/// An administrator of the company in the path, acting.
#[derive(Debug, Clone)]
pub struct RequireAdministrator(pub Scope);

impl FromRequestParts<App> for RequireAdministrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let CurrentMember(scope) = CurrentMember::from_request_parts(parts, app).await?;
        if scope.role.covers(Role::Administrator) {
            Ok(Self(scope))
        } else {
            Err(Code::Forbidden.into())
        }
    }
}

/// Where a request comes from and with what: kept with a session, and what limits go by.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub address: IpAddr,
    pub user_agent: String,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::from([127, 0, 0, 1])).to_canonical();
        let trusted =
            |address: IpAddr| app.trusted_networks.iter().any(|network| network.contains(&address));
        let address = client_address(peer, &parts.headers, trusted);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = agent.unwrap_or_default().chars().take(200).collect();
        Ok(Self { address, user_agent })
    }
}

/// The nearest address that is not one of our own proxies. What stands further to the left in the
/// header was written by somebody we do not know.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut address = peer;
    for hop in hops.iter().rev() {
        if !trusted(address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(hop) => address = hop.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie` value that only our own pages send back and no script reads. `max_age_seconds` 0
/// takes the cookie away.
pub fn set_cookie(name: &str, value: &str, max_age_seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}{secure}"
    );
    HeaderValue::try_from(text).expect("names and tokens are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        let of = |peer: IpAddr, value| client_address(peer, &forwarded(value), trusted).to_string();
        assert_eq!(of(proxy, "203.0.113.9"), "203.0.113.9");
        assert_eq!(of(proxy, "6.6.6.6, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(of("203.0.113.1".parse().unwrap(), "6.6.6.6"), "203.0.113.1");
        assert_eq!(of(proxy, "nonsense"), "10.0.0.1");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("xuzel=1; uzel=2; uzel_b=3"));
        assert_eq!(cookie(&headers, "uzel"), Some("2"));
        assert_eq!(cookie(&headers, "session"), None);
    }

    #[test]
    fn a_token_is_read_from_the_header_whatever_the_case_of_the_scheme() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer abc"));
        assert_eq!(bearer(&headers), Some("abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic abc"));
        assert_eq!(bearer(&headers), None);
    }
}
