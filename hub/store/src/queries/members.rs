//! Members: users' places in companies.

use hub_domain::{
    ChatOrder, Company, CompanyId, Member, MemberId, Preferences, Role, Timestamp, UserId,
};

use super::Conn;
use crate::StoreError;

type MemberRow = (i64, i64, String, String, i64, i64);

fn member_from(
    (id, user_id, name, role, version, created_at): MemberRow,
) -> Result<Member, StoreError> {
    Ok(Member {
        id: MemberId(id),
        user_id: UserId(user_id),
        name,
        role: Role::parse(&role)
            .ok_or_else(|| StoreError::inconsistent(format!("role {role} of member {id}")))?,
        version,
        created_at: Timestamp(created_at),
    })
}

pub async fn insert_member(
    conn: &mut Conn,
    company: CompanyId,
    user: UserId,
    role: Role,
    version: i64,
    now: Timestamp,
) -> Result<MemberId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO members (company_id, user_id, role, version, created_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(company.0)
    .bind(user.0)
    .bind(role.as_str())
    .bind(version)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(MemberId(id))
}

pub async fn save_member(
    conn: &mut Conn,
    company: CompanyId,
    member: &Member,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE members SET role = $3, version = $4 WHERE company_id = $1 AND id = $2")
        .bind(company.0)
        .bind(member.id.0)
        .bind(member.role.as_str())
        .bind(member.version)
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE users SET name = $2 WHERE id = $1 AND name <> $2")
        .bind(member.user_id.0)
        .bind(&member.name)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn member(
    conn: &mut Conn,
    company: CompanyId,
    id: MemberId,
) -> Result<Option<Member>, StoreError> {
    let row: Option<MemberRow> = sqlx::query_as(
        "SELECT m.id, m.user_id, u.name, m.role, m.version, m.created_at
         FROM members m JOIN users u ON u.id = m.user_id WHERE m.company_id = $1 AND m.id = $2",
    )
    .bind(company.0)
    .bind(id.0)
    .fetch_optional(conn)
    .await?;
    row.map(member_from).transpose()
}

pub async fn member_of_user(
    conn: &mut Conn,
    company: CompanyId,
    user: UserId,
) -> Result<Option<Member>, StoreError> {
    let row: Option<MemberRow> = sqlx::query_as(
        "SELECT m.id, m.user_id, u.name, m.role, m.version, m.created_at
         FROM members m JOIN users u ON u.id = m.user_id
         WHERE m.company_id = $1 AND m.user_id = $2",
    )
    .bind(company.0)
    .bind(user.0)
    .fetch_optional(conn)
    .await?;
    row.map(member_from).transpose()
}

pub async fn members(conn: &mut Conn, company: CompanyId) -> Result<Vec<Member>, StoreError> {
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT m.id, m.user_id, u.name, m.role, m.version, m.created_at
         FROM members m JOIN users u ON u.id = m.user_id WHERE m.company_id = $1 ORDER BY m.id",
    )
    .bind(company.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(member_from).collect()
}

pub async fn memberships(
    conn: &mut Conn,
    user: UserId,
) -> Result<Vec<(Company, Member)>, StoreError> {
    let rows: Vec<MembershipRow> = sqlx::query_as(
        "SELECT c.id AS company_id, c.name AS company_name, c.time_zone AS company_time_zone,
             c.version AS company_version, c.created_at AS company_created_at, m.id,
             m.user_id, u.name, m.role, m.version, m.created_at
         FROM members m JOIN users u ON u.id = m.user_id JOIN companies c ON c.id = m.company_id
         WHERE m.user_id = $1 ORDER BY c.id",
    )
    .bind(user.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let company = Company {
                id: CompanyId(row.company_id),
                name: row.company_name,
                time_zone: row.company_time_zone,
                version: row.company_version,
                created_at: Timestamp(row.company_created_at),
            };
            let member = (row.id, row.user_id, row.name, row.role, row.version, row.created_at);
            Ok((company, member_from(member)?))
        })
        .collect()
}

pub async fn preferences_of_user(
    conn: &mut Conn,
    user: UserId,
) -> Result<Vec<(MemberId, Preferences)>, StoreError> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, chat_order FROM members WHERE user_id = $1")
            .bind(user.0)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(id, order)| {
            let chat_order = ChatOrder::parse(&order)
                .ok_or_else(|| StoreError::inconsistent(format!("order {order} of member {id}")))?;
            Ok((MemberId(id), Preferences { chat_order }))
        })
        .collect()
}

pub async fn save_preferences(
    conn: &mut Conn,
    company: CompanyId,
    id: MemberId,
    preferences: Preferences,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE members SET chat_order = $3 WHERE company_id = $1 AND id = $2")
        .bind(company.0)
        .bind(id.0)
        .bind(preferences.chat_order.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct MembershipRow {
    company_id: i64,
    company_name: String,
    company_time_zone: String,
    company_version: i64,
    company_created_at: i64,
    id: i64,
    user_id: i64,
    name: String,
    role: String,
    version: i64,
    created_at: i64,
}
