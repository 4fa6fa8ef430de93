//! Pages of the chat list and what its sections count.
//!
//! One rule says which conversations a list shows, for pages and for counts alike; the interface keeps
//! the same rule (`web/src/state/order.ts`) and both are held to the cases of `tests/chat-list`.

use hub_domain::{ChatOrder, Conversation, Scope};
use sqlx::AssertSqlSafe;

use super::conversations::{COLUMNS, ConversationRow, FROM, visible};
use super::{Conn, dialect};
use crate::StoreError;
use crate::records::{
    AssigneeFilter, ConversationCounts, ConversationFilter, ConversationPage, ConversationQuery,
    ListPart,
};

/// So many active conversations are sorted faster than they are looked for among all others.
const FEW: i64 = 2_000;

/// What every statement here is given, whether its conditions speak of it or not:
/// `$1` company, `$2` the member, `$3` and `$4` channels, `$5` active since, `$6` assignee, `$7` the
/// only channel.
struct Given {
    company: i64,
    member: i64,
    /// Not narrowed to `channels`, neither by the member's visibility nor by the query.
    any_channel: bool,
    channels: Vec<i64>,
    active_since: i64,
    assignee: i64,
}

impl Given {
    fn new(scope: &Scope, query: &ConversationQuery) -> Self {
        let asked: Vec<i64> = query.channels.iter().map(|id| id.0).collect();
        let (all, visible) = visible(scope);
        let (any_channel, channels) = if all {
            (asked.is_empty(), asked)
        } else {
            (
                false,
                visible.into_iter().filter(|id| asked.is_empty() || asked.contains(id)).collect(),
            )
        };
        Self {
            company: scope.company_id.0,
            member: scope.member_id.0,
            any_channel,
            channels,
            active_since: query.active_since.0,
            assignee: match query.assignee {
                Some(AssigneeFilter::Member(id)) => id.0,
                _ => 0,
            },
        }
    }

    /// One channel is looked up in the index of channels; of several the list itself is narrowed.
    fn in_channels(&self) -> String {
        let one = if self.only_channel() == 0 { "" } else { "AND c.channel_id = $7" };
        format!("{one} AND ($3 OR c.channel_id {})", dialect::in_ids(4))
    }

    fn only_channel(&self) -> i64 {
        match self.channels[..] {
            [one] if !self.any_channel => one,
            _ => 0,
        }
    }
}

/// Keeps the parameters in use, so that every variant takes the same ones.
const GIVEN: &str = "AND ($2 >= 0 AND $5 >= 0 AND $6 >= 0 AND $7 >= 0)";

const fn section(filter: ConversationFilter) -> &'static str {
    match filter {
        ConversationFilter::All => "",
        ConversationFilter::Open => "AND c.state = 'open'",
        ConversationFilter::Mine => "AND c.state = 'open' AND c.assignee_id = $2",
        ConversationFilter::Unassigned => "AND c.state = 'open' AND c.assignee_id IS NULL",
        ConversationFilter::Active => "AND c.last_message_at >= $5",
        ConversationFilter::Archived => "AND c.state = 'archived'",
    }
}

const UNANSWERED: &str = "AND c.unanswered_count > 0";

const fn assignee(asked: Option<AssigneeFilter>) -> &'static str {
    match asked {
        None => "",
        Some(AssigneeFilter::Me) => "AND c.assignee_id = $2",
        Some(AssigneeFilter::Nobody) => "AND c.assignee_id IS NULL",
        Some(AssigneeFilter::Somebody) => "AND c.assignee_id IS NOT NULL",
        Some(AssigneeFilter::Member(_)) => "AND c.assignee_id = $6",
    }
}

/// Without the section.
fn narrowed(query: &ConversationQuery, given: &Given) -> String {
    let unanswered = if query.unanswered { UNANSWERED } else { "" };
    format!("{} {unanswered} {}", assignee(query.assignee), given.in_channels())
}

pub async fn conversations(
    conn: &mut Conn,
    scope: &Scope,
    page: &ConversationPage,
) -> Result<Vec<Conversation>, StoreError> {
    let given = Given::new(scope, &page.query);
    let key = match page.order {
        ChatOrder::Activity => "c.activity",
        ChatOrder::Created => "c.id",
    };
    let (beyond, direction, edge) = match page.part {
        ListPart::Top => ("<", "DESC", i64::MAX),
        ListPart::Below(edge) => ("<", "DESC", edge),
        ListPart::Above(edge) => (">", "ASC", edge),
    };
    let (from, section) = if page.query.filter == ConversationFilter::Active {
        if active_are_few(conn, &given).await? {
            // From the active ones, by the index of their times, and sorted afterwards.
            let active = "(SELECT id AS active_id FROM conversations
                WHERE company_id = $1 AND last_message_at >= $5) AS a";
            let source =
                FROM.replacen("FROM conversations c", "conversations c ON c.id = a.active_id", 1);
            (format!("FROM {active} {} {source}", dialect::FOR_EACH_JOIN), "")
        } else {
            // In the order of the list; the sign keeps the index of times out.
            (FROM.to_owned(), "AND +c.last_message_at >= $5")
        }
    } else {
        (FROM.to_owned(), section(page.query.filter))
    };
    let sql = format!(
        "SELECT {COLUMNS} {from}
         WHERE c.company_id = $1 AND {key} {beyond} $8 {section} {narrowed} {GIVEN}
         ORDER BY {key} {direction} LIMIT $9",
        narrowed = narrowed(&page.query, &given),
    );
    let rows: Vec<ConversationRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(given.company)
        .bind(given.member)
        .bind(given.any_channel)
        .bind(dialect::ids(&given.channels))
        .bind(given.active_since)
        .bind(given.assignee)
        .bind(given.only_channel())
        .bind(edge)
        .bind(page.limit)
        .fetch_all(conn)
        .await?;
    let mut found: Vec<Conversation> =
        rows.into_iter().map(Conversation::try_from).collect::<Result<_, _>>()?;
    if matches!(page.part, ListPart::Above(_)) {
        found.reverse();
    }
    Ok(found)
}

async fn active_are_few(conn: &mut Conn, given: &Given) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM conversations
             WHERE company_id = $1 AND last_message_at >= $2 LIMIT $3) AS active",
    )
    .bind(given.company)
    .bind(given.active_since)
    .bind(FEW)
    .fetch_one(conn)
    .await?;
    Ok(found < FEW)
}

pub async fn conversation_counts(
    conn: &mut Conn,
    scope: &Scope,
    query: &ConversationQuery,
) -> Result<ConversationCounts, StoreError> {
    let given = Given::new(scope, query);
    let narrowed = narrowed(query, &given);
    // One small query a section: each is answered from the index of that section.
    let count = |condition: &str| {
        format!(
            "(SELECT COUNT(*) FROM conversations c WHERE c.company_id = $1 {condition} {narrowed})"
        )
    };
    let sql = format!(
        "SELECT {} AS open, {} AS mine, {} AS unassigned, {} AS active, {} AS archived,
             {} AS unanswered, {} AS unanswered_mine WHERE $1 >= 0 {GIVEN}",
        count(section(ConversationFilter::Open)),
        count(section(ConversationFilter::Mine)),
        count(section(ConversationFilter::Unassigned)),
        count(section(ConversationFilter::Active)),
        count(section(ConversationFilter::Archived)),
        count(&format!("{} {UNANSWERED}", section(query.filter))),
        count(&format!("{} {UNANSWERED}", section(ConversationFilter::Mine))),
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(given.company)
        .bind(given.member)
        .bind(given.any_channel)
        .bind(dialect::ids(&given.channels))
        .bind(given.active_since)
        .bind(given.assignee)
        .bind(given.only_channel())
        .fetch_one(conn)
        .await?)
}
