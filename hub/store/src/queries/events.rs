//! The event log.

use std::collections::BTreeMap;

use hub_domain::{CompanyId, Timestamp};

use super::{Conn, dialect};
use crate::StoreError;
use crate::given::{GivenEnd, GivenEvent, columns};
use crate::records::EventRow;
use crate::writer::PendingEvent;

/// Inserts the events of a transaction and moves the companies' offsets to their ends.
pub async fn insert_events(conn: &mut Conn, events: &[PendingEvent]) -> Result<(), StoreError> {
    let rows: Vec<GivenEvent<'_>> = events
        .iter()
        .map(|event| GivenEvent {
            company_id: event.company_id,
            offset: event.offset,
            event_type: event.event_type.as_str(),
            channel_id: event.channel_id,
            at: event.at,
            payload: &event.payload,
        })
        .collect();
    dialect::execute_given(&mut *conn, &rows, |source| {
        format!(
            "INSERT INTO events ({}) SELECT {} FROM {source}",
            columns::<GivenEvent<'_>>(|name| format!("\"{name}\"")),
            columns::<GivenEvent<'_>>(|name| format!("r.\"{name}\"")),
        )
    })
    .await?;
    let ends: BTreeMap<CompanyId, i64> =
        events.iter().map(|event| (event.company_id, event.offset)).collect();
    let ends: Vec<GivenEnd> =
        ends.into_iter().map(|(id, event_offset)| GivenEnd { id, event_offset }).collect();
    // The rows were locked before the first of these offsets was taken.
    let changed = dialect::execute_given(conn, &ends, |source| {
        format!(
            "UPDATE companies SET event_offset = r.event_offset FROM {source}
             WHERE companies.id = r.id"
        )
    })
    .await?;
    if changed == ends.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::inconsistent("a company whose events were written has gone"))
    }
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
