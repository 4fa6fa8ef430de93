//! One-time codes, one-time links, sessions and private tokens. Tokens are found by their hash; none
//! is stored as it is.

use hub_domain::{SessionId, Timestamp, UserId};

use super::Conn;
use crate::StoreError;
use crate::records::{ApiToken, LinkPurpose, NewSession, NewSignInCode, SessionRow, SignInCode};

pub async fn insert_session(
    conn: &mut Conn,
    session: &NewSession,
    now: Timestamp,
) -> Result<SessionId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO sessions (token_hash, user_id, ip, user_agent, created_at, last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING id",
    )
    .bind(&session.token_hash)
    .bind(session.user_id.0)
    .bind(&session.ip)
    .bind(&session.user_agent)
    .bind(now.0)
    .bind(session.expires_at.0)
    .fetch_one(conn)
    .await?;
    Ok(SessionId(id))
}

type Session = (i64, i64, i64, i64);

fn session_from((id, user_id, last_seen_at, expires_at): Session) -> SessionRow {
    SessionRow {
        id: SessionId(id),
        user_id: UserId(user_id),
        last_seen_at: Timestamp(last_seen_at),
        expires_at: Timestamp(expires_at),
    }
}

pub async fn session_by_token(
    conn: &mut Conn,
    token_hash: &str,
) -> Result<Option<SessionRow>, StoreError> {
    let row: Option<Session> = sqlx::query_as(
        "SELECT id, user_id, last_seen_at, expires_at FROM sessions WHERE token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(session_from))
}

pub async fn session(conn: &mut Conn, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
    let row: Option<Session> =
        sqlx::query_as("SELECT id, user_id, last_seen_at, expires_at FROM sessions WHERE id = $1")
            .bind(id.0)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(session_from))
}

pub async fn touch_session(
    conn: &mut Conn,
    id: SessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2")
        .bind(id.0)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn delete_session(conn: &mut Conn, id: SessionId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.0).execute(conn).await?;
    Ok(())
}

pub async fn insert_sign_in_code(
    conn: &mut Conn,
    code: &NewSignInCode,
    now: Timestamp,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO sign_in_codes (pre_session_hash, phone, code_hmac, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(&code.pre_session_hash)
    .bind(&code.phone)
    .bind(&code.code_hmac)
    .bind(now.0)
    .bind(code.expires_at.0)
    .fetch_one(conn)
    .await?)
}

pub async fn sign_in_code_times(
    conn: &mut Conn,
    phone: &str,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created_at FROM sign_in_codes WHERE phone = $1 AND created_at > $2
         ORDER BY created_at DESC LIMIT 1000",
    )
    .bind(phone)
    .bind(since.0)
    .fetch_all(conn)
    .await?;
    Ok(times.into_iter().map(Timestamp).collect())
}

pub async fn void_sign_in_codes(
    conn: &mut Conn,
    phone: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sign_in_codes SET used_at = $2 WHERE phone = $1 AND used_at IS NULL")
        .bind(phone)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn sign_in_code(
    conn: &mut Conn,
    pre_session_hash: &str,
) -> Result<Option<SignInCode>, StoreError> {
    let row: Option<(i64, String, String, i64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT id, phone, code_hmac, tries, expires_at, used_at FROM sign_in_codes
         WHERE pre_session_hash = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(pre_session_hash)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(id, phone, code_hmac, tries, expires_at, used_at)| SignInCode {
        id,
        phone,
        code_hmac,
        tries,
        expires_at: Timestamp(expires_at),
        used: used_at.is_some(),
    }))
}

pub async fn count_sign_in_try(conn: &mut Conn, id: i64) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "UPDATE sign_in_codes SET tries = tries + 1 WHERE id = $1 RETURNING tries",
    )
    .bind(id)
    .fetch_one(conn)
    .await?)
}

pub async fn use_sign_in_code(
    conn: &mut Conn,
    id: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed =
        sqlx::query("UPDATE sign_in_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL")
            .bind(id)
            .bind(now.0)
            .execute(conn)
            .await?
            .rows_affected();
    Ok(changed == 1)
}

pub async fn insert_one_time_link(
    conn: &mut Conn,
    token_hash: &str,
    purpose: LinkPurpose,
    user: Option<UserId>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO one_time_links (token_hash, purpose, user_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(token_hash)
    .bind(purpose.as_str())
    .bind(user.map(|user| user.0))
    .bind(now.0)
    .bind(expires_at.map(|time| time.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn one_time_link_is_valid(
    conn: &mut Conn,
    token_hash: &str,
    purpose: LinkPurpose,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM one_time_links WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL
         AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(token_hash)
    .bind(purpose.as_str())
    .bind(now.0)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

pub async fn use_one_time_link(
    conn: &mut Conn,
    token_hash: &str,
    purpose: LinkPurpose,
    now: Timestamp,
) -> Result<Option<Option<UserId>>, StoreError> {
    let row: Option<(Option<i64>,)> = sqlx::query_as(
        "UPDATE one_time_links SET used_at = $3 WHERE token_hash = $1 AND purpose = $2
         AND used_at IS NULL AND (expires_at IS NULL OR expires_at > $3) RETURNING user_id",
    )
    .bind(token_hash)
    .bind(purpose.as_str())
    .bind(now.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(user,)| user.map(UserId)))
}

pub async fn delete_set_up_links(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM one_time_links WHERE purpose = 'set_up'").execute(conn).await?;
    Ok(())
}

pub async fn put_api_token(
    conn: &mut Conn,
    user: UserId,
    token_hash: &str,
    token_sealed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_tokens (user_id, token_hash, token_sealed, created_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash,
             token_sealed = excluded.token_sealed, created_at = excluded.created_at,
             last_used_at = NULL",
    )
    .bind(user.0)
    .bind(token_hash)
    .bind(token_sealed)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

type ApiTokenRow = (i64, String, i64, Option<i64>);

fn api_token_from((user_id, token_sealed, created_at, last_used_at): ApiTokenRow) -> ApiToken {
    ApiToken {
        user_id: UserId(user_id),
        token_sealed,
        created_at: Timestamp(created_at),
        last_used_at: last_used_at.map(Timestamp),
    }
}

pub async fn api_token(conn: &mut Conn, user: UserId) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<ApiTokenRow> = sqlx::query_as(
        "SELECT user_id, token_sealed, created_at, last_used_at FROM api_tokens WHERE user_id = $1",
    )
    .bind(user.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(api_token_from))
}

pub async fn api_token_by_hash(
    conn: &mut Conn,
    token_hash: &str,
) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<ApiTokenRow> = sqlx::query_as(
        "SELECT user_id, token_sealed, created_at, last_used_at FROM api_tokens
         WHERE token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(api_token_from))
}

pub async fn touch_api_token(
    conn: &mut Conn,
    token_hash: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE api_tokens SET last_used_at = $2 WHERE token_hash = $1")
        .bind(token_hash)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn prune_sign_in(
    conn: &mut Conn,
    now: Timestamp,
    codes_before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE expires_at < $1")
        .bind(now.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM sign_in_codes WHERE created_at < $1")
        .bind(codes_before.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "DELETE FROM one_time_links WHERE expires_at < $1 OR (used_at IS NOT NULL AND used_at < $2)",
    )
    .bind(now.0)
    .bind(codes_before.0)
    .execute(conn)
    .await?;
    Ok(())
}
