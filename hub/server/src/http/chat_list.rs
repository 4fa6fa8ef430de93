//! The chat list: pages in both directions, and what its sections count.

use axum::Json;
use axum::extract::State;
use hub_domain::conversation::ReadMarker;
use hub_domain::{ChannelId, ChatOrder, Conversation, StreamPosition};
use hub_store::records::{
    AssigneeFilter, ConversationFilter, ConversationPage, ConversationQuery, ListPart,
};
use serde::{Deserialize, Serialize};

use super::conversations::{bad_cursor, page_size};
use super::members::{CompanyPath, position_of};
use super::refusals::OfMembers;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::ApiError;
use crate::extract::QueryParams;

/// Channels that a list may be narrowed to at once.
const CHANNELS_LIMIT: usize = 100;

/// Which conversations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `open` (unless given), `all`, `mine`, `unassigned`, `active` (correspondence within the last 7
    /// days) or `archived`.
    filter: Option<String>,
    /// Only of this channel, or of these, parted by commas.
    #[param(example = "1,2")]
    channel_id: Option<String>,
    /// `me`, `nobody`, `somebody` or the id of a member.
    assignee: Option<String>,
    /// Only those whose client waits for an answer.
    unanswered: Option<bool>,
}

/// Which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// By `activity` (the last message of the client, unless given) or `created`.
    order: Option<String>,
    /// What stands below this place: `next_cursor` of an answer. A place is the order and a conversation's
    /// `activity` (or `id`, by `created`), parted by a dot.
    #[param(example = "activity.4711")]
    cursor: Option<String>,
    /// The nearest ones above this place: `previous_cursor` of an answer. Not together with `cursor`.
    above: Option<String>,
    /// 1 to 200, 50 unless given.
    limit: Option<i64>,
}

fn refused(field: &'static str, why: &'static str) -> ApiError {
    ApiError::invalid_field(field, why).status(http::StatusCode::BAD_REQUEST)
}

impl ListQuery {
    fn read(self, app: &App) -> Result<ConversationQuery, ApiError> {
        let filter = match self.filter.as_deref() {
            None => ConversationFilter::default(),
            Some(name) => ConversationFilter::parse(name)
                .ok_or_else(|| refused("filter", "There is no such filter."))?,
        };
        let channels: Vec<ChannelId> = match self.channel_id.as_deref() {
            None => Vec::new(),
            Some(list) => list
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|_| refused("channel_id", "This is not a list of ids."))?,
        };
        if channels.len() > CHANNELS_LIMIT {
            return Err(refused("channel_id", "At most 100 channels."));
        }
        let assignee = match self.assignee.as_deref() {
            None => None,
            Some(text) => {
                let known = AssigneeFilter::parse(text);
                Some(known.ok_or_else(|| refused("assignee", "There is no such assignee."))?)
            }
        };
        let section = ConversationQuery::of(filter, app.clock.now());
        let unanswered = self.unanswered.unwrap_or_default();
        Ok(ConversationQuery { channels, assignee, unanswered, ..section })
    }
}

/// The order it belongs to, and the place in it.
fn cursor_at(order: ChatOrder, key: i64) -> String {
    format!("{}.{key}", order.as_str())
}

fn key_of(order: ChatOrder, cursor: &str) -> Option<i64> {
    let (of, key) = cursor.split_once('.')?;
    if of == order.as_str() { key.parse().ok() } else { None }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Conversations {
    /// Latest first.
    pub items: Vec<Conversation>,
    /// Yours, of these conversations.
    pub read_markers: Vec<ReadMarker>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
    /// `null` at the top of the list.
    pub previous_cursor: Option<String>,
    pub position: StreamPosition,
}

/// A page of the chat list.
#[utoipa::path(get, path = "/companies/{company_id}/conversations",
    operation_id = "list_conversations", tag = "conversations",
    params(CompanyPath, ListQuery, PageQuery), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Conversations, description = "A page"), OfMembers))]
pub async fn list_conversations(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    QueryParams(list): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<Conversations>, ApiError> {
    let query = list.read(&app)?;
    let order = match page.order.as_deref() {
        None => ChatOrder::default(),
        Some(name) => {
            ChatOrder::parse(name).ok_or_else(|| refused("order", "There is no such order."))?
        }
    };
    let key = |field, cursor: &str| key_of(order, cursor).ok_or_else(|| bad_cursor(field));
    let part = match (page.cursor.as_deref(), page.above.as_deref()) {
        (None, None) => ListPart::Top,
        (Some(cursor), None) => ListPart::Below(key("cursor", cursor)?),
        (None, Some(cursor)) => ListPart::Above(key("above", cursor)?),
        (Some(_), Some(_)) => return Err(bad_cursor("above")),
    };
    let size = page_size(page.limit)?;
    let asked = ConversationPage { query, order, part, limit: size + 1 };
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let mut items = reader.db().conversations(&scope, &asked).await?;
    let more = items.len() as i64 > size;
    if let ListPart::Above(_) = part {
        // The one too many is the farthest: the first.
        items.drain(..items.len().saturating_sub(size as usize));
    } else {
        items.truncate(size as usize);
    }
    let ids: Vec<i64> = items.iter().map(|conversation| conversation.id.0).collect();
    let read_markers = reader.db().read_markers(scope.member_id, &ids).await?;
    let first = items.first().map(|first| cursor_at(order, order.key_of(first)));
    let last = items.last().map(|last| cursor_at(order, order.key_of(last)));
    let (previous_cursor, next_cursor) = match part {
        ListPart::Top => (None, last.filter(|_| more)),
        ListPart::Below(key) => {
            (first.or_else(|| Some(cursor_at(order, key))), last.filter(|_| more))
        }
        ListPart::Above(key) => {
            (first.filter(|_| more), last.or_else(|| Some(cursor_at(order, key))))
        }
    };
    Ok(Json(Conversations { items, read_markers, next_cursor, previous_cursor, position }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Counts {
    pub open: i64,
    pub mine: i64,
    pub unassigned: i64,
    pub active: i64,
    pub archived: i64,
    /// Unanswered ones of the section that was asked for, of open ones unless given.
    pub unanswered: i64,
    /// Open, assigned to you, unanswered.
    pub unanswered_mine: i64,
    pub position: StreamPosition,
}

/// How many conversations each section shows, narrowed as asked.
#[utoipa::path(get, path = "/companies/{company_id}/conversations/counts",
    operation_id = "count_conversations", tag = "conversations", params(CompanyPath, ListQuery),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Counts, description = "Counts"), OfMembers))]
pub async fn count_conversations(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    QueryParams(list): QueryParams<ListQuery>,
) -> Result<Json<Counts>, ApiError> {
    let query = list.read(&app)?;
    let position = position_of(&app, scope.company_id).await?;
    let counts = app.store.reader().await?.db().conversation_counts(&scope, &query).await?;
    Ok(Json(Counts {
        open: counts.open,
        mine: counts.mine,
        unassigned: counts.unassigned,
        active: counts.active,
        archived: counts.archived,
        unanswered: counts.unanswered,
        unanswered_mine: counts.unanswered_mine,
        position,
    }))
}
