//! The queue of effects: lanes, leases, attempts, and the pace of targets.

use std::collections::HashSet;

use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::{
    AttachmentId, ChannelId, CompanyId, ConversationId, DeliveryId, MessageId, Timestamp,
};
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;
use crate::given::{GivenDelivery, columns};
use crate::records::{
    Attempt, AttemptEnd, ClaimRequest, Claimable, Delivery, DeliveryCounts, DeliverySubject,
    NewDelivery,
};

const COLUMNS: &str = "d.id, d.company_id, d.kind, d.lane, d.target, d.subject_id, d.payload, d.state, \
     d.attempts, d.not_before, d.lease_until, d.error_code, d.error_detail, d.created_at, d.finished_at";

/// Kinds whose subject is a message.
const OF_MESSAGES: &str = "'send_message', 'edit_message', 'delete_message', 'answer_button'";

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    id: i64,
    company_id: Option<i64>,
    kind: String,
    lane: String,
    target: String,
    subject_id: i64,
    payload: String,
    state: String,
    attempts: i64,
    not_before: i64,
    lease_until: Option<i64>,
    error_code: Option<String>,
    error_detail: Option<String>,
    created_at: i64,
    finished_at: Option<i64>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let id = row.id;
        let unknown = |what: &str| StoreError::inconsistent(format!("{what} of delivery {id}"));
        Ok(Self {
            id: DeliveryId(row.id),
            company_id: row.company_id.map(CompanyId),
            kind: DeliveryKind::parse(&row.kind).ok_or_else(|| unknown("kind"))?,
            lane: row.lane,
            target: row.target,
            subject_id: row.subject_id,
            payload: row.payload,
            state: DeliveryState::parse(&row.state).ok_or_else(|| unknown("state"))?,
            attempts: row.attempts,
            not_before: Timestamp(row.not_before),
            lease_until: row.lease_until.map(Timestamp),
            error_code: row.error_code,
            error_detail: row.error_detail,
            created_at: Timestamp(row.created_at),
            finished_at: row.finished_at.map(Timestamp),
        })
    }
}

pub async fn insert_deliveries(
    conn: &mut Conn,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<GivenDelivery<'_>> = deliveries
        .iter()
        .map(|delivery| GivenDelivery {
            kind: delivery.kind,
            company_id: delivery.company_id,
            lane: &delivery.lane,
            target: &delivery.target,
            subject_id: delivery.subject_id,
            payload: &delivery.payload,
            state: DeliveryState::Pending.as_str(),
            not_before: delivery.not_before,
            created_at: now,
        })
        .collect();
    dialect::execute_given(conn, &rows, |source| {
        format!(
            "INSERT INTO deliveries ({}) SELECT {} FROM {source}",
            columns::<GivenDelivery<'_>>(str::to_owned),
            columns::<GivenDelivery<'_>>(|name| format!("r.{name}")),
        )
    })
    .await?;
    Ok(())
}

/// Nothing of the lane of `d` is ahead of it. A replayed delivery is ahead of the one that is under way
/// meanwhile, and waits for it all the same.
const HEAD_OF_ITS_LANE: &str = "NOT EXISTS (SELECT 1 FROM deliveries ahead
     WHERE ahead.lane = d.lane AND ahead.state IN ('pending', 'in_flight')
       AND (ahead.id < d.id OR (ahead.state = 'in_flight' AND ahead.id > d.id)))";

pub async fn claim_candidates(
    conn: &mut Conn,
    request: &ClaimRequest,
) -> Result<Claimable, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.state = 'pending' AND d.not_before <= $1 AND {HEAD_OF_ITS_LANE}
           AND NOT EXISTS (SELECT 1 FROM targets t
               WHERE t.target = d.target AND (t.paused_until > $1 OR t.next_free_at > $1))
         ORDER BY d.not_before, d.id LIMIT $2 {skip_locked}",
        skip_locked = dialect::SKIP_LOCKED,
    );
    let rows: Vec<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(request.now.0)
        .bind(request.limit)
        .fetch_all(&mut *conn)
        .await?;
    let found = rows.len();
    let ours = match dialect::TRY_LANE {
        Some(try_lane) if found > 0 => lanes_held(conn, rows, try_lane).await?,
        _ => rows,
    };
    let contested = ours.len() < found;
    let deliveries = ours.into_iter().map(Delivery::try_from).collect::<Result<_, _>>()?;
    Ok(Claimable { deliveries, contested })
}

/// Of `rows`, locked as heads, those whose lanes this transaction has for itself until it ends.
///
/// A row's lock does not keep the lane: a dead letter replayed meanwhile is a head too, and whoever takes
/// that one does not see what is not committed here. So the lane is taken, and looked at again after that.
async fn lanes_held(
    conn: &mut Conn,
    rows: Vec<DeliveryRow>,
    try_lane: &str,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let sql =
        format!("SELECT d.id FROM deliveries d WHERE d.id {} AND {try_lane}", dialect::in_ids(1));
    let held: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(dialect::ids(&ids))
        .fetch_all(&mut *conn)
        .await?;
    let sql = format!(
        "SELECT d.id FROM deliveries d WHERE d.id {} AND {HEAD_OF_ITS_LANE}",
        dialect::in_ids(1)
    );
    let heads: HashSet<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(dialect::ids(&held))
        .fetch_all(conn)
        .await?
        .into_iter()
        .collect();
    Ok(rows.into_iter().filter(|row| heads.contains(&row.id)).collect())
}

pub async fn lease_deliveries(
    conn: &mut Conn,
    ids: &[i64],
    owner: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE deliveries SET state = 'in_flight', lease_owner = $2, lease_until = $3 WHERE id {}",
        dialect::in_ids(1)
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(dialect::ids(ids))
        .bind(owner)
        .bind(until.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn delivery(conn: &mut Conn, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.id = $1");
    let row: Option<DeliveryRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(id.0).fetch_optional(conn).await?;
    row.map(Delivery::try_from).transpose()
}

pub async fn deliveries(
    conn: &mut Conn,
    company: CompanyId,
    state: DeliveryState,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.company_id = $1 AND d.state = $2 AND d.id < $3 ORDER BY d.id DESC LIMIT $4"
    );
    let rows: Vec<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(company.0)
        .bind(state.as_str())
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Delivery::try_from).collect()
}

pub async fn delivery_of_subject(
    conn: &mut Conn,
    subject: i64,
    kind: &str,
) -> Result<Option<Delivery>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d WHERE d.subject_id = $1 AND d.kind = $2
         ORDER BY d.id DESC LIMIT 1"
    );
    let row: Option<DeliveryRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(subject).bind(kind).fetch_optional(conn).await?;
    row.map(Delivery::try_from).transpose()
}

pub async fn deliveries_of_message(
    conn: &mut Conn,
    company: CompanyId,
    message: MessageId,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.company_id = $1 AND d.id IN (
             SELECT id FROM deliveries WHERE subject_id = $2 AND kind IN ({OF_MESSAGES})
             UNION ALL
             SELECT f.id FROM attachments a
             JOIN deliveries f ON f.subject_id = a.id AND f.kind = 'fetch_attachment'
             WHERE a.message_id = $2)
         ORDER BY d.id DESC LIMIT $3"
    );
    let rows: Vec<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(company.0)
        .bind(message.0)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().rev().map(Delivery::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct SubjectRow {
    id: i64,
    channel_id: Option<i64>,
    channel_name: Option<String>,
    conversation_id: Option<i64>,
    contact_name: Option<String>,
    message_id: Option<i64>,
    attachment_id: Option<i64>,
    file_name: Option<String>,
}

pub async fn delivery_subjects(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<(i64, DeliverySubject)>, StoreError> {
    let sql = format!(
        "SELECT d.id, ch.id AS channel_id, ch.name AS channel_name, c.id AS conversation_id,
             ct.name AS contact_name, m.id AS message_id, a.id AS attachment_id, a.file_name
         FROM deliveries d
         LEFT JOIN attachments a ON d.kind = 'fetch_attachment' AND a.id = d.subject_id
         LEFT JOIN messages m ON m.id = CASE WHEN d.kind IN ({OF_MESSAGES}) THEN d.subject_id
             WHEN d.kind = 'fetch_attachment' THEN a.message_id END
         LEFT JOIN conversations c ON c.id = m.conversation_id
         LEFT JOIN contacts ct ON ct.id = c.contact_id
         LEFT JOIN channels ch ON ch.id = CASE WHEN d.kind = 'configure_channel' THEN d.subject_id
             ELSE COALESCE(m.channel_id, a.channel_id) END
         WHERE d.id {}",
        dialect::in_ids(1)
    );
    let rows: Vec<SubjectRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let subject = DeliverySubject {
                channel_id: row.channel_id.map(ChannelId),
                channel_name: row.channel_name,
                conversation_id: row.conversation_id.map(ConversationId),
                contact_name: row.contact_name,
                message_id: row.message_id.map(MessageId),
                attachment_id: row.attachment_id.map(AttachmentId),
                file_name: row.file_name,
            };
            (row.id, subject)
        })
        .collect())
}

pub async fn delivery_counts_of_company(
    conn: &mut Conn,
    company: CompanyId,
) -> Result<DeliveryCounts, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT state, COUNT(*) FROM deliveries
         WHERE company_id = $1 AND state IN ('pending', 'in_flight', 'dead', 'unknown')
         GROUP BY state",
    )
    .bind(company.0)
    .fetch_all(conn)
    .await?;
    let count = |wanted: DeliveryState| {
        rows.iter().find(|(state, _)| state == wanted.as_str()).map_or(0, |(_, count)| *count)
    };
    Ok(DeliveryCounts {
        pending: count(DeliveryState::Pending),
        in_flight: count(DeliveryState::InFlight),
        dead: count(DeliveryState::Dead),
        unknown: count(DeliveryState::Unknown),
    })
}

pub async fn start_attempt(
    conn: &mut Conn,
    id: DeliveryId,
    owner: &str,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let number: Option<i64> = sqlx::query_scalar(
        "UPDATE deliveries SET attempts = attempts + 1
         WHERE id = $1 AND lease_owner = $2 AND state = 'in_flight' AND lease_until > $3
         RETURNING attempts",
    )
    .bind(id.0)
    .bind(owner)
    .bind(now.0)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(number) = number else { return Ok(None) };
    sqlx::query("INSERT INTO attempts (delivery_id, number, started_at) VALUES ($1, $2, $3)")
        .bind(id.0)
        .bind(number)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(Some(number))
}

pub async fn end_attempt(
    conn: &mut Conn,
    id: DeliveryId,
    number: i64,
    end: &AttemptEnd,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempts SET finished_at = $3, outcome = $4, error_code = $5, error_detail = $6,
             retry_at = $7
         WHERE delivery_id = $1 AND number = $2 AND outcome IS NULL",
    )
    .bind(id.0)
    .bind(number)
    .bind(now.0)
    .bind(end.outcome)
    .bind(&end.error_code)
    .bind(&end.error_detail)
    .bind(end.retry_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn settle_delivery(
    conn: &mut Conn,
    id: DeliveryId,
    owner: &str,
    state: DeliveryState,
    not_before: Option<Timestamp>,
    end: &AttemptEnd,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let finished = (state != DeliveryState::Pending).then_some(now.0);
    let changed = sqlx::query(
        "UPDATE deliveries SET state = $3, not_before = COALESCE($4, not_before), error_code = $5,
             error_detail = $6, finished_at = $7, lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND lease_owner = $2 AND state = 'in_flight'",
    )
    .bind(id.0)
    .bind(owner)
    .bind(state.as_str())
    .bind(not_before.map(|at| at.0))
    .bind(&end.error_code)
    .bind(&end.error_detail)
    .bind(finished)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub async fn hold_delivery(
    conn: &mut Conn,
    id: DeliveryId,
    owner: &str,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(
        "UPDATE deliveries SET lease_until = $3
         WHERE id = $1 AND lease_owner = $2 AND state = 'in_flight'",
    )
    .bind(id.0)
    .bind(owner)
    .bind(until.0)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub async fn release_delivery(
    conn: &mut Conn,
    id: DeliveryId,
    owner: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'pending', lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND lease_owner = $2 AND state = 'in_flight'",
    )
    .bind(id.0)
    .bind(owner)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_delivery_state(
    conn: &mut Conn,
    id: DeliveryId,
    from: DeliveryState,
    to: DeliveryState,
    not_before: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(
        "UPDATE deliveries SET state = $3, not_before = $4, lease_owner = NULL, lease_until = NULL,
             finished_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $4 END
         WHERE id = $1 AND state = $2",
    )
    .bind(id.0)
    .bind(from.as_str())
    .bind(to.as_str())
    .bind(not_before.0)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub async fn make_due(
    conn: &mut Conn,
    company: CompanyId,
    targets: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    for target in targets {
        sqlx::query(
            "UPDATE deliveries SET not_before = $3
             WHERE company_id = $1 AND state = 'pending' AND target = $2 AND not_before > $3",
        )
        .bind(company.0)
        .bind(target)
        .bind(now.0)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub async fn cancel_lane(
    conn: &mut Conn,
    lane: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'cancelled', error_code = $2, error_detail = NULL,
             finished_at = $3
         WHERE lane = $1 AND state = 'pending'",
    )
    .bind(lane)
    .bind(reason)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn expired_deliveries(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(Delivery, bool)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries d
         WHERE d.state = 'in_flight' AND d.lease_until <= $1 ORDER BY d.lease_until, d.id LIMIT $2"
    );
    let rows: Vec<DeliveryRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(before.0).bind(limit).fetch_all(&mut *conn).await?;
    let mut expired = Vec::with_capacity(rows.len());
    for row in rows {
        let open: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM attempts WHERE delivery_id = $1 AND outcome IS NULL",
        )
        .bind(row.id)
        .fetch_one(&mut *conn)
        .await?;
        expired.push((Delivery::try_from(row)?, open > 0));
    }
    Ok(expired)
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    delivery_id: i64,
    number: i64,
    started_at: i64,
    finished_at: Option<i64>,
    outcome: Option<String>,
    error_code: Option<String>,
    error_detail: Option<String>,
    retry_at: Option<i64>,
}

pub async fn attempts_of(conn: &mut Conn, ids: &[i64]) -> Result<Vec<(i64, Attempt)>, StoreError> {
    let sql = format!(
        "SELECT delivery_id, number, started_at, finished_at, outcome, error_code, error_detail,
             retry_at
         FROM attempts WHERE delivery_id {} ORDER BY delivery_id, number",
        dialect::in_ids(1)
    );
    let rows: Vec<AttemptRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let attempt = Attempt {
                number: row.number,
                started_at: Timestamp(row.started_at),
                finished_at: row.finished_at.map(Timestamp),
                outcome: row.outcome,
                error_code: row.error_code,
                error_detail: row.error_detail,
                retry_at: row.retry_at.map(Timestamp),
            };
            (row.delivery_id, attempt)
        })
        .collect())
}

pub async fn target_paces(
    conn: &mut Conn,
    targets: &[String],
) -> Result<Vec<(String, i64, i64)>, StoreError> {
    let mut paces = Vec::with_capacity(targets.len());
    for target in targets {
        let sql = format!(
            "SELECT target, paused_until, next_free_at FROM targets WHERE target = $1 {}",
            dialect::FOR_UPDATE
        );
        let pace: Option<(String, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(target).fetch_optional(&mut *conn).await?;
        paces.push(pace.unwrap_or_else(|| (target.clone(), 0, 0)));
    }
    Ok(paces)
}

pub async fn save_target_pace(
    conn: &mut Conn,
    target: &str,
    next_free_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO targets (target, next_free_at) VALUES ($1, $2)
         ON CONFLICT (target) DO UPDATE SET next_free_at = excluded.next_free_at",
    )
    .bind(target)
    .bind(next_free_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn pause_target(
    conn: &mut Conn,
    target: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO targets (target, paused_until) VALUES ($1, $2)
         ON CONFLICT (target) DO UPDATE SET paused_until = excluded.paused_until",
    )
    .bind(target)
    .bind(until.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn next_due(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(not_before) FROM deliveries WHERE state = 'pending' AND not_before > $1",
    )
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(due.map(Timestamp))
}

pub async fn delivery_counts(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT state, COUNT(*) FROM deliveries
         WHERE state IN ('pending', 'in_flight', 'dead', 'unknown') GROUP BY state",
    )
    .fetch_all(conn)
    .await?)
}

pub async fn prune_deliveries(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> Result<i64, StoreError> {
    let doomed = "SELECT id FROM deliveries
         WHERE state IN ('done', 'cancelled') AND finished_at < $1 ORDER BY id LIMIT $2";
    let sql = format!("DELETE FROM attempts WHERE delivery_id IN ({doomed})");
    sqlx::query(AssertSqlSafe(sql)).bind(before.0).bind(limit).execute(&mut *conn).await?;
    let sql = format!("DELETE FROM deliveries WHERE id IN ({doomed})");
    let deleted = sqlx::query(AssertSqlSafe(sql))
        .bind(before.0)
        .bind(limit)
        .execute(conn)
        .await?
        .rows_affected();
    Ok(deleted as i64)
}
