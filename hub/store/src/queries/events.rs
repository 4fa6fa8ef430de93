//! The event log.

use hub_domain::{CompanyId, Timestamp};
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;
use crate::given::given_rows;
use crate::records::EventRow;
use crate::writer::PendingEvent;

/// An event on its way into the set-based statement.
#[derive(Serialize)]
struct GivenEvent<'e> {
    company_id: i64,
    position: i64,
    event_type: &'static str,
    channel_id: Option<i64>,
    at: i64,
    payload: &'e str,
}

/// Inserts the events of a transaction and moves the companies' offsets to their ends.
pub async fn insert_events(conn: &mut Conn, events: &[PendingEvent]) -> Result<(), StoreError> {
    if let [event] = events {
        sqlx::query(
            "INSERT INTO events (company_id, \"offset\", event_type, channel_id, at, payload)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(event.company_id.0)
        .bind(event.offset)
        .bind(event.event_type.as_str())
        .bind(event.channel_id.map(|id| id.0))
        .bind(event.at.0)
        .bind(&event.payload)
        .execute(&mut *conn)
        .await?;
    } else {
        let rows = given_rows(events.iter().map(|event| GivenEvent {
            company_id: event.company_id.0,
            position: event.offset,
            event_type: event.event_type.as_str(),
            channel_id: event.channel_id.map(|id| id.0),
            at: event.at.0,
            payload: &event.payload,
        }))?;
        let source = dialect::rows(
            1,
            &[
                ("company_id", "bigint"),
                ("position", "bigint"),
                ("event_type", "text"),
                ("channel_id", "bigint"),
                ("at", "bigint"),
                ("payload", "text"),
            ],
        );
        let sql = format!(
            "INSERT INTO events (company_id, \"offset\", event_type, channel_id, at, payload)
             SELECT r.company_id, r.position, r.event_type, r.channel_id, r.at, r.payload FROM {source}"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut *conn).await?;
    }
    let mut ends = std::collections::BTreeMap::new();
    for event in events {
        ends.insert(event.company_id, event.offset);
    }
    for (company, offset) in ends {
        // The row was locked before the first of these offsets was taken.
        let changed = sqlx::query("UPDATE companies SET event_offset = $2 WHERE id = $1")
            .bind(company.0)
            .bind(offset)
            .execute(&mut *conn)
            .await?
            .rows_affected();
        if changed != 1 {
            return Err(StoreError::inconsistent(format!("company {company} has gone")));
        }
    }
    Ok(())
}

pub async fn events_after(
    conn: &mut Conn,
    company: CompanyId,
    after: i64,
    through: i64,
    limit: i64,
) -> Result<Vec<EventRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT \"offset\", channel_id, payload FROM events
         WHERE company_id = $1 AND \"offset\" > $2 AND \"offset\" <= $3
         ORDER BY \"offset\" LIMIT $4",
    )
    .bind(company.0)
    .bind(after)
    .bind(through)
    .bind(limit)
    .fetch_all(conn)
    .await?)
}

pub async fn prune_events(
    conn: &mut Conn,
    company: CompanyId,
    before: Timestamp,
    limit: i64,
) -> Result<i64, StoreError> {
    // Offsets and times grow together, so the old events are a prefix of the log.
    let horizon: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(old.\"offset\") FROM (
             SELECT \"offset\", at FROM events WHERE company_id = $1 ORDER BY \"offset\" LIMIT $2
         ) AS old WHERE old.at < $3",
    )
    .bind(company.0)
    .bind(limit)
    .bind(before.0)
    .fetch_one(&mut *conn)
    .await?;
    let Some(horizon) = horizon else { return Ok(0) };
    let deleted = sqlx::query("DELETE FROM events WHERE company_id = $1 AND \"offset\" <= $2")
        .bind(company.0)
        .bind(horizon)
        .execute(&mut *conn)
        .await?
        .rows_affected();
    sqlx::query("UPDATE companies SET pruned_offset = $2 WHERE id = $1 AND pruned_offset < $2")
        .bind(company.0)
        .bind(horizon)
        .execute(conn)
        .await?;
    Ok(deleted as i64)
}

pub async fn set_epoch(conn: &mut Conn, company: CompanyId, epoch: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE companies SET epoch = $2 WHERE id = $1")
        .bind(company.0)
        .bind(epoch)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn companies_with_events_before(
    conn: &mut Conn,
    before: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    // The oldest event of each company stands right behind its horizon.
    Ok(sqlx::query_scalar(
        "SELECT c.id FROM companies c JOIN events e
           ON e.company_id = c.id AND e.\"offset\" = c.pruned_offset + 1
         WHERE e.at < $1 ORDER BY c.id",
    )
    .bind(before.0)
    .fetch_all(conn)
    .await?)
}
