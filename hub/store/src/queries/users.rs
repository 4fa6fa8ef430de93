//! Users: people with a login, found by their phone.

use hub_domain::{Timestamp, UserId};

use super::Conn;
use crate::StoreError;
use crate::records::User;

type UserRow = (i64, String, String);

fn user_from((id, phone, name): UserRow) -> User {
    User { id: UserId(id), phone, name }
}

pub async fn insert_user(
    conn: &mut Conn,
    phone: &str,
    name: &str,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO users (phone, name, created_at) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(phone)
    .bind(name)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(UserId(id))
}

pub async fn user(conn: &mut Conn, id: UserId) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = sqlx::query_as("SELECT id, phone, name FROM users WHERE id = $1")
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(user_from))
}

pub async fn save_user_name(conn: &mut Conn, id: UserId, name: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET name = $2 WHERE id = $1 AND name <> $2")
        .bind(id.0)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn user_by_phone(conn: &mut Conn, phone: &str) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = sqlx::query_as("SELECT id, phone, name FROM users WHERE phone = $1")
        .bind(phone)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(user_from))
}
