//! The control interface of the simulated Telegram: the scripted clients, the records and the faults over HTTP.
//!
//! It adds nothing to [`Telegram`] and [`Client`]; every route is one call of theirs.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State as Held};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Bot, BotSpec, CallFault, CallFilter, Client, ClientMessage, ClientSpec, ControlError, Edit,
    Telegram, UpdateFault,
};
use crate::State;
use crate::control::{Body, Refused};
use crate::faults::Rule;

const LONGEST_WAIT: Duration = Duration::from_mins(1);

type Answer = Result<Json<Value>, Refused>;

pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/bots", get(list_bots).post(create_bot))
        .route("/bots/{bot}/revoke", post(revoke_token))
        .route("/bots/{bot}/updates", post(inject_update))
        .route("/bots/{bot}/updates/skip", post(skip_numbers))
        .route("/bots/{bot}/groups", post(create_group))
        .route("/bots/{bot}/groups/{group}/kick", post(kick_from_group))
        .route("/bots/{bot}/groups/{group}/upgrade", post(upgrade_group))
        .route("/bots/{bot}/files/expire", post(expire_paths))
        .route("/bots/{bot}/files/{file}", get(file_bytes))
        .route("/bots/{bot}/chats/{chat}/messages", get(sent_messages))
        .route("/bots/{bot}/chats/{chat}/notices", get(notices))
        .route("/bots/{bot}/clients/{client}/start", post(start))
        .route("/bots/{bot}/clients/{client}/messages", post(send))
        .route("/bots/{bot}/clients/{client}/albums", post(album))
        .route("/bots/{bot}/clients/{client}/messages/{message}/edit", post(edit))
        .route("/bots/{bot}/clients/{client}/messages/{message}/press", post(press))
        .route("/bots/{bot}/clients/{client}/messages/{message}/react", post(react))
        .route("/bots/{bot}/clients/{client}/block", post(block))
        .route("/bots/{bot}/clients/{client}/unblock", post(unblock))
        .route("/bots/{bot}/clients/{client}/unknown", post(unknown_thing))
        .route("/clients", post(create_client))
        .route("/clients/{client}/deactivate", post(deactivate))
        .route("/calls", get(calls))
        .route("/deliveries", get(deliveries))
        .route("/faults", get(list_faults).post(add_call_fault).delete(clear_faults))
        .route("/faults/updates", post(add_update_fault))
        .route("/faults/updates/{rule}", delete(remove_update_fault))
        .route("/faults/{rule}", delete(remove_call_fault))
        .route("/clock", post(advance_clock))
        .layer(DefaultBodyLimit::max(128 << 20))
}

impl From<ControlError> for Refused {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::Unknown(_) => StatusCode::NOT_FOUND,
            ControlError::Refused(_) => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}

fn done() -> Json<Value> {
    Json(json!({ "ok": true }))
}

fn unreadable(error: &serde_json::Error) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn bot_of(state: &State, bot: i64) -> Result<Bot, Refused> {
    Ok(state.telegram().bot(bot)?)
}

fn client_of(state: &State, (bot, client): (i64, i64)) -> Result<Client, Refused> {
    Ok(bot_of(state, bot)?.client(client))
}

fn about(bot: &Bot) -> Value {
    json!({ "id": bot.id(), "token": bot.token(), "first_name": bot.first_name(), "username": bot.username() })
}

async fn list_bots(Held(state): Held<State>) -> Answer {
    Ok(Json(state.telegram().bots().iter().map(about).collect()))
}

async fn create_bot(Held(state): Held<State>, Body(spec): Body<BotSpec>) -> Answer {
    Ok(Json(about(&state.telegram().create_bot(spec))))
}

async fn revoke_token(Held(state): Held<State>, Path(bot): Path<i64>) -> Answer {
    Ok(Json(json!({ "token": bot_of(&state, bot)?.revoke_token() })))
}

async fn inject_update(
    Held(state): Held<State>,
    Path(bot): Path<i64>,
    Body(update): Body<Value>,
) -> Answer {
    bot_of(&state, bot)?.inject(&update)?;
    Ok(done())
}

#[derive(Deserialize)]
struct Skip {
    count: i64,
}

async fn skip_numbers(
    Held(state): Held<State>,
    Path(bot): Path<i64>,
    Body(skip): Body<Skip>,
) -> Answer {
    bot_of(&state, bot)?.skip_update_numbers(skip.count);
    Ok(done())
}

#[derive(Deserialize)]
struct GroupSpec {
    title: String,
    id: Option<i64>,
}

async fn create_group(
    Held(state): Held<State>,
    Path(bot): Path<i64>,
    Body(spec): Body<GroupSpec>,
) -> Answer {
    Ok(Json(json!({ "id": bot_of(&state, bot)?.create_group(&spec.title, spec.id) })))
}

async fn kick_from_group(Held(state): Held<State>, Path((bot, group)): Path<(i64, i64)>) -> Answer {
    bot_of(&state, bot)?.kick_from_group(group);
    Ok(done())
}

async fn upgrade_group(Held(state): Held<State>, Path((bot, group)): Path<(i64, i64)>) -> Answer {
    Ok(Json(json!({ "id": bot_of(&state, bot)?.upgrade_group(group)? })))
}

async fn expire_paths(Held(state): Held<State>, Path(bot): Path<i64>) -> Answer {
    bot_of(&state, bot)?.expire_file_paths();
    Ok(done())
}

async fn file_bytes(
    Held(state): Held<State>,
    Path((bot, file)): Path<(i64, String)>,
) -> Result<Bytes, Refused> {
    let bytes = bot_of(&state, bot)?.file_bytes(&file);
    bytes.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "unknown: file".to_owned()))
}

/// How long to wait for what comes after a number.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Patience {
    after: i64,
    wait_ms: u64,
    deleted: bool,
}

impl Patience {
    fn longest(&self) -> Duration {
        Duration::from_millis(self.wait_ms).min(LONGEST_WAIT)
    }
}

async fn sent_messages(
    Held(state): Held<State>,
    Path((bot, chat)): Path<(i64, i64)>,
    Query(patience): Query<Patience>,
) -> Answer {
    let bot = bot_of(&state, bot)?;
    let sent = if patience.deleted {
        bot.sent_to_with_deleted(chat)
    } else {
        bot.wait_sent(chat, patience.after, patience.longest()).await
    };
    serde_json::to_value(sent).map(Json).map_err(|error| unreadable(&error))
}

/// Each notice comes with its message as it is now, so that a reader needs no second question.
async fn notices(
    Held(state): Held<State>,
    Path((bot, chat)): Path<(i64, i64)>,
    Query(patience): Query<Patience>,
) -> Answer {
    let bot = bot_of(&state, bot)?;
    let notices =
        bot.wait_notices(chat, patience.after.max(0).cast_unsigned(), patience.longest()).await;
    let with_messages = notices.iter().map(|notice| {
        let mut value = serde_json::to_value(notice)?;
        if let Some(id) = notice.message_id {
            value["message"] = bot.message(chat, id).unwrap_or_default();
        }
        Ok(value)
    });
    let list: Result<Vec<Value>, serde_json::Error> = with_messages.collect();
    list.map(|list| Json(Value::Array(list))).map_err(|error| unreadable(&error))
}

#[derive(Deserialize)]
struct Start {
    payload: Option<String>,
}

async fn start(
    Held(state): Held<State>,
    Path(who): Path<(i64, i64)>,
    Body(start): Body<Start>,
) -> Answer {
    Ok(Json(json!({ "message_id": client_of(&state, who)?.start(start.payload.as_deref())? })))
}

async fn send(
    Held(state): Held<State>,
    Path(who): Path<(i64, i64)>,
    Body(message): Body<ClientMessage>,
) -> Answer {
    Ok(Json(json!({ "message_id": client_of(&state, who)?.send(message)? })))
}

#[derive(Deserialize)]
struct Album {
    items: Vec<ClientMessage>,
}

async fn album(
    Held(state): Held<State>,
    Path(who): Path<(i64, i64)>,
    Body(album): Body<Album>,
) -> Answer {
    Ok(Json(json!({ "message_ids": client_of(&state, who)?.album(album.items)? })))
}

async fn edit(
    Held(state): Held<State>,
    Path((bot, client, message)): Path<(i64, i64, i64)>,
    Body(edit): Body<Edit>,
) -> Answer {
    client_of(&state, (bot, client))?.edit(message, edit)?;
    Ok(done())
}

#[derive(Deserialize)]
struct Press {
    data: String,
}

async fn press(
    Held(state): Held<State>,
    Path((bot, client, message)): Path<(i64, i64, i64)>,
    Body(press): Body<Press>,
) -> Answer {
    let id = client_of(&state, (bot, client))?.press(message, &press.data)?;
    Ok(Json(json!({ "callback_query_id": id })))
}

#[derive(Deserialize)]
struct React {
    emoji: Option<String>,
    before: Option<String>,
}

async fn react(
    Held(state): Held<State>,
    Path((bot, client, message)): Path<(i64, i64, i64)>,
    Body(react): Body<React>,
) -> Answer {
    client_of(&state, (bot, client))?.react(
        message,
        react.emoji.as_deref(),
        react.before.as_deref(),
    )?;
    Ok(done())
}

async fn block(Held(state): Held<State>, Path(who): Path<(i64, i64)>) -> Answer {
    client_of(&state, who)?.block()?;
    Ok(done())
}

async fn unblock(Held(state): Held<State>, Path(who): Path<(i64, i64)>) -> Answer {
    client_of(&state, who)?.unblock()?;
    Ok(done())
}

#[derive(Deserialize)]
struct UnknownThing {
    kind: String,
}

async fn unknown_thing(
    Held(state): Held<State>,
    Path(who): Path<(i64, i64)>,
    Body(thing): Body<UnknownThing>,
) -> Answer {
    client_of(&state, who)?.do_unknown_thing(&thing.kind)?;
    Ok(done())
}

async fn create_client(Held(state): Held<State>, Body(spec): Body<ClientSpec>) -> Answer {
    Ok(Json(json!({ "id": state.telegram().create_client(spec) })))
}

async fn deactivate(Held(state): Held<State>, Path(client): Path<i64>) -> Answer {
    state.telegram().deactivate_client(client)?;
    Ok(done())
}

async fn calls(Held(state): Held<State>, Query(filter): Query<CallFilter>) -> Answer {
    serde_json::to_value(state.telegram().calls_where(&filter))
        .map(Json)
        .map_err(|error| unreadable(&error))
}

async fn deliveries(Held(state): Held<State>) -> Answer {
    serde_json::to_value(state.telegram().deliveries())
        .map(Json)
        .map_err(|error| unreadable(&error))
}

async fn list_faults(Held(state): Held<State>) -> Answer {
    let inner = &state.telegram().inner;
    Ok(Json(json!({ "calls": inner.call_faults.list(), "updates": inner.update_faults.list() })))
}

async fn add_call_fault(Held(state): Held<State>, Body(rule): Body<Rule<CallFault>>) -> Answer {
    Ok(Json(json!({ "id": state.telegram().fault(rule.when, rule.fault) })))
}

async fn add_update_fault(Held(state): Held<State>, Body(rule): Body<Rule<UpdateFault>>) -> Answer {
    Ok(Json(json!({ "id": state.telegram().update_fault(rule.when, rule.fault) })))
}

async fn remove_call_fault(Held(state): Held<State>, Path(rule): Path<u64>) -> Answer {
    removed(state.telegram().inner.call_faults.remove(rule))
}

async fn remove_update_fault(Held(state): Held<State>, Path(rule): Path<u64>) -> Answer {
    removed(state.telegram().inner.update_faults.remove(rule))
}

fn removed(was_there: bool) -> Answer {
    let unknown = || Refused(StatusCode::NOT_FOUND, "unknown: rule".to_owned());
    was_there.then(done).ok_or_else(unknown)
}

async fn clear_faults(Held(state): Held<State>) -> Answer {
    state.telegram().clear_faults();
    Ok(done())
}

#[derive(Deserialize)]
struct Advance {
    seconds: u64,
}

async fn advance_clock(Held(state): Held<State>, Body(advance): Body<Advance>) -> Answer {
    Telegram::advance_clock(state.telegram(), Duration::from_secs(advance.seconds));
    Ok(done())
}
