//! Signing in and out: one-time codes by phone, one-time links, sessions.
//!
//! Whoever asks cannot learn which numbers have a login: a code is made and kept for every number in
//! the same transaction, only its delivery differs. A code belongs to the browser that asked for it,
//! works once, and is destroyed by wrong tries or by the next code.

use hub_domain::delivery::DeliveryKind;
use hub_domain::{SessionId, Timestamp, UserId, phone};
use hub_store::Tx;
use hub_store::records::{LinkPurpose, NewDelivery, NewSession, NewSignInCode};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::auth::{Visitor, token_hash};
use crate::error::{ApiError, Code};
use crate::gateways::CodePayload;
use crate::keys::hmac_sha256;
use crate::random;

const DAY_SECONDS: i64 = 86_400;
/// Longest code anybody may try, in bytes.
const CODE_LIMIT: usize = 16;
/// Longest token of a link, in bytes.
const TOKEN_LIMIT: usize = 128;

/// A code is on its way, if the number has a login.
#[derive(Debug)]
pub struct CodeRequested {
    /// For the cookie of the browser that asked.
    pub pre_session: String,
    pub resend_after_seconds: u32,
    pub expires_in_seconds: u32,
}

/// A session that was opened.
#[derive(Debug)]
pub struct Opened {
    pub id: SessionId,
    pub user_id: UserId,
    /// For the cookie; stored nowhere.
    pub token: String,
}

/// Makes a code for `phone` and sends it when the number has a login.
pub async fn request_code(
    app: &App,
    visitor: &Visitor,
    phone: &str,
) -> Result<CodeRequested, ApiError> {
    let digits = phone::normalize(phone).filter(|digits| app.config.sign_in.allows(digits));
    let digits = digits.ok_or_else(|| ApiError::new(Code::PhoneInvalid).field("phone"))?;
    app.limits.code_asked(visitor.address)?;

    let pre_session = random::token();
    let code = random::six_digits();
    let pre_session_hash = token_hash(&pre_session);
    let job_app = app.clone();
    let resend_after_seconds = app
        .store
        .write_system(move |tx| {
            Box::pin(async move { keep_code(tx, &job_app, digits, code, pre_session_hash).await })
        })
        .await?;
    Ok(CodeRequested {
        pre_session,
        resend_after_seconds,
        expires_in_seconds: app.config.sign_in.code_lifetime_seconds,
    })
}

async fn keep_code(
    tx: &mut Tx,
    app: &App,
    digits: String,
    code: String,
    pre_session_hash: String,
) -> Result<u32, ApiError> {
    let rules = &app.config.sign_in;
    let now = tx.now();
    let sent = tx.db().sign_in_code_times(&digits, now.plus_seconds(-DAY_SECONDS)).await?;
    if let Some(latest) = sent.first() {
        let next = latest.plus_seconds(i64::from(rules.resend_wait(sent.len())));
        if next > now {
            return Err(ApiError::wait(Code::CodeResendTooEarly, seconds_until(next, now)));
        }
    }
    if sent.len() >= rules.codes_per_day as usize {
        // The oldest of the counted ones makes room when it is a day old.
        let oldest = sent.get(rules.codes_per_day as usize - 1).copied().unwrap_or(now);
        let room = oldest.plus_seconds(DAY_SECONDS);
        return Err(ApiError::wait(Code::RateLimited, seconds_until(room, now)));
    }

    let expires_at = now.plus_seconds(i64::from(rules.code_lifetime_seconds));
    tx.db().void_sign_in_codes(&digits, now).await?;
    let kept = NewSignInCode {
        code_hmac: code_hmac(app, &digits, &code),
        phone: digits.clone(),
        pre_session_hash,
        expires_at,
    };
    let id = tx.db().insert_sign_in_code(&kept, now).await?;
    if tx.db().user_by_phone(&digits).await?.is_some() {
        let payload = CodePayload { phone: digits, code, expires_at }.seal(app.store.vault());
        let delivery = NewDelivery {
            company_id: None,
            kind: DeliveryKind::SendSignInCode,
            lane: format!("sign_in_code:{id}"),
            target: "sms".to_owned(),
            subject_id: id,
            payload,
            not_before: now,
        };
        tx.db().insert_deliveries(&[delivery], now).await?;
        tx.wake_deliveries();
    }
    Ok(rules.resend_wait(sent.len() + 1))
}

fn seconds_until(time: Timestamp, now: Timestamp) -> u64 {
    (time.millis_since(now).max(0) as u64).div_ceil(1000)
}

/// A code is never kept as it is. Bound to the number and to what it is for.
fn code_hmac(app: &App, phone: &str, code: &str) -> String {
    let parts: [&[u8]; 3] = [b"sign in", phone.as_bytes(), code.as_bytes()];
    hex::encode(hmac_sha256(&app.keys.sign_in_code, &parts))
}

/// How a try ended. Wrong ones are counted, so they must be committed and cannot be errors of the job.
enum Tried {
    Right(Opened),
    Refused(ApiError),
}

/// Opens a session for the right code.
pub async fn sign_in_with_code(
    app: &App,
    visitor: &Visitor,
    pre_session: Option<&str>,
    code: &str,
) -> Result<Opened, ApiError> {
    app.limits.secret_tried(visitor.address)?;
    let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let pre_session = pre_session.filter(|token| token.len() <= TOKEN_LIMIT);
    let pre_session_hash = token_hash(pre_session.ok_or(Code::CodeExpired)?);
    let (job_app, visitor) = (app.clone(), visitor.clone());
    let tried = app
        .store
        .write_system(move |tx| {
            Box::pin(
                async move { try_code(tx, &job_app, &visitor, &pre_session_hash, &code).await },
            )
        })
        .await?;
    match tried {
        Tried::Right(opened) => Ok(opened),
        Tried::Refused(error) => Err(error),
    }
}

async fn try_code(
    tx: &mut Tx,
    app: &App,
    visitor: &Visitor,
    pre_session_hash: &str,
    code: &str,
) -> Result<Tried, ApiError> {
    let now = tx.now();
    let limit = i64::from(app.config.sign_in.code_attempts);
    let Some(kept) = tx.db().sign_in_code(pre_session_hash).await? else {
        return Ok(Tried::Refused(Code::CodeExpired.into()));
    };
    if kept.tries >= limit {
        return Ok(Tried::Refused(Code::CodeTooManyAttempts.into()));
    }
    if kept.used || kept.expires_at <= now {
        return Ok(Tried::Refused(Code::CodeExpired.into()));
    }
    let offered = if code.len() <= CODE_LIMIT { code } else { "" };
    let right = code_hmac(app, &kept.phone, offered).as_bytes().ct_eq(kept.code_hmac.as_bytes());
    // A number without a login has a code too, which nobody was told.
    let user = tx.db().user_by_phone(&kept.phone).await?;
    let (true, Some(user)) = (bool::from(right), user) else {
        let left = limit - tx.db().count_sign_in_try(kept.id).await?;
        return Ok(Tried::Refused(if left > 0 {
            ApiError::new(Code::CodeWrong).field("code").param("attempts_left", left)
        } else {
            Code::CodeTooManyAttempts.into()
        }));
    };
    if !tx.db().use_sign_in_code(kept.id, now).await? {
        return Ok(Tried::Refused(Code::CodeExpired.into()));
    }
    open_session(tx, app, visitor, user.id).await.map(Tried::Right)
}

/// Opens a session for whoever holds a one-time link.
pub async fn sign_in_with_link(
    app: &App,
    visitor: &Visitor,
    token: &str,
) -> Result<Opened, ApiError> {
    app.limits.secret_tried(visitor.address)?;
    let invalid = || ApiError::new(Code::SignInLinkInvalid);
    if token.is_empty() || token.len() > TOKEN_LIMIT {
        return Err(invalid());
    }
    let hash = token_hash(token);
    let (job_app, visitor) = (app.clone(), visitor.clone());
    app.store
        .write_system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let used = tx.db().use_one_time_link(&hash, LinkPurpose::SignIn, now).await?;
                let user = used.flatten().ok_or_else(invalid)?;
                open_session(tx, &job_app, &visitor, user).await
            })
        })
        .await
}

/// Opens a session within a transaction.
pub async fn open_session(
    tx: &mut Tx,
    app: &App,
    visitor: &Visitor,
    user_id: UserId,
) -> Result<Opened, ApiError> {
    let now = tx.now();
    let token = random::token();
    let session = NewSession {
        token_hash: token_hash(&token),
        user_id,
        ip: visitor.address.to_string(),
        user_agent: visitor.user_agent.clone(),
        expires_at: now.plus_seconds(i64::from(app.config.sessions.absolute_hours) * 3600),
    };
    let id = tx.db().insert_session(&session, now).await?;
    Ok(Opened { id, user_id, token })
}

/// Makes a one-time link that signs `user` in. Returns its address.
pub async fn make_sign_in_link(
    tx: &mut Tx,
    lifetime_hours: u32,
    user: UserId,
) -> Result<String, ApiError> {
    let now = tx.now();
    let token = random::token();
    let expires_at = now.plus_seconds(i64::from(lifetime_hours) * 3600);
    tx.db()
        .insert_one_time_link(
            &token_hash(&token),
            LinkPurpose::SignIn,
            Some(user),
            Some(expires_at),
            now,
        )
        .await?;
    Ok(format!("/sign-in/link/{token}"))
}

/// Ends a session, and with it its realtime connections.
pub async fn sign_out(app: &App, id: SessionId) -> Result<(), ApiError> {
    app.store
        .write_system(move |tx| {
            Box::pin(async move { Ok::<_, ApiError>(tx.db().delete_session(id).await?) })
        })
        .await?;
    app.fanout.signed_out(id);
    Ok(())
}
