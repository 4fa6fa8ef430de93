//! Storing what clients write: a whole set of messages of many callers in a handful of statements.
//!
//! Owns three promises: a message is stored once however often it is told (key: channel and external
//! id); a message that comes late stands where the provider's order puts it; and whoever reads the log
//! learns of each message exactly once. Runs under the locks of all companies concerned.

use std::collections::{BTreeSet, HashMap, HashSet};

use hub_domain::attachment::{Attachment, AttachmentKind, AttachmentState};
use hub_domain::content::{self, Content, ReplyTo};
use hub_domain::conversation::{MessagePreview, PREVIEW_LIMIT};
use hub_domain::delivery::DeliveryKind;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{
    AttachmentId, ChannelId, CompanyId, ContactCard, ContactId, Conversation, ConversationId,
    ConversationState, Direction, Message, MessageId, MessageStatus, Timestamp, phone,
};
use serde::Serialize;
use serde_json::json;

use crate::given::{GivenAttachment, GivenConversation, GivenKey, GivenMessage};
use crate::records::{Incoming, Ingested, KnownIdentity, MessageKey, NewDelivery};
use crate::{StoreError, Tx};

type IdentityKey = (i64, String);

/// A message of the set on its way in.
struct Item {
    request: usize,
    place: usize,
    company: CompanyId,
    incoming: Incoming,
    message: Option<Message>,
}

impl Item {
    fn identity(&self) -> IdentityKey {
        (self.incoming.channel_id.0, self.incoming.message.sender.external_id.clone())
    }

    fn key(&self) -> IdentityKey {
        (self.incoming.channel_id.0, self.incoming.message.external_id.clone())
    }
}

fn as_text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::inconsistent(error.to_string()))
}

fn given_keys<'k>(keys: impl Iterator<Item = &'k IdentityKey>) -> Vec<GivenKey<'k>> {
    keys.map(|(channel_id, external_id)| GivenKey { channel_id: *channel_id, external_id })
        .collect()
}

/// Stores messages inside a job of their company, so that what belongs to them is committed with them.
pub async fn ingest_within(
    tx: &mut Tx,
    messages: Vec<Incoming>,
) -> Result<Vec<Ingested>, StoreError> {
    let company = tx.company_id()?;
    Ok(run(tx, vec![(company, messages)]).await?.pop().unwrap_or_default())
}

/// Stores the set; answers per request, per message, in the order given.
pub(crate) async fn run(
    tx: &mut Tx,
    set: Vec<(CompanyId, Vec<Incoming>)>,
) -> Result<Vec<Vec<Ingested>>, StoreError> {
    let mut outcomes: Vec<Vec<Ingested>> =
        set.iter().map(|(_, messages)| vec![Ingested::Duplicate; messages.len()]).collect();
    let mut items = new_items(tx, set, &mut outcomes).await?;
    if items.is_empty() {
        return Ok(outcomes);
    }
    sort(&mut items);
    let mut known = identities(tx, &items).await?;
    let quoted = quoted_messages(tx, &items).await?;
    let mut next: HashMap<CompanyId, i64> = HashMap::new();
    for item in &mut items {
        let identity = item.identity();
        let state = known.get_mut(&identity).ok_or_else(|| {
            StoreError::inconsistent("an identity that was just written is not there")
        })?;
        let offset =
            next.entry(item.company).or_insert(tx.offset_of(item.company).ok_or_else(|| {
                StoreError::inconsistent(format!("company {} does not exist", item.company))
            })?);
        *offset += 1;
        let offset = *offset;
        let late =
            item.incoming.message.ordinal > 0 && item.incoming.message.ordinal <= state.max_ordinal;
        let before = if late {
            let ordinal = item.incoming.message.ordinal;
            tx.db().position_of_late(state.conversation.id, ordinal).await?
        } else {
            None
        };
        let quoted = item.incoming.message.reply_to.as_ref().and_then(|reply| {
            let external = reply.external_id.clone()?;
            quoted.get(&(item.incoming.channel_id.0, external)).copied()
        });
        let message = build_message(
            &item.incoming,
            state.conversation.id,
            before.unwrap_or(offset),
            offset,
            quoted,
            tx.now(),
        );
        item.message = Some(message);
    }
    insert_messages(tx, &mut items).await?;
    link_replies(tx, &mut items).await?;
    insert_attachments(tx, &mut items).await?;
    claim_uploaded(tx, &mut items).await?;
    answer_buttons(tx, &items).await?;
    let mut touched: BTreeSet<IdentityKey> = BTreeSet::new();
    let mut told = Vec::with_capacity(items.len());
    for item in &items {
        let Some(message) = &item.message else { continue };
        let identity = item.identity();
        let Some(state) = known.get_mut(&identity) else { continue };
        apply(state, &item.incoming, message);
        if came_late(message) && message.direction == Direction::Outgoing {
            let key = MessageKey::of(message);
            let (id, version) = (message.conversation_id, message.version);
            let (count, since) = tx.db().unanswered_after(id, key, version).await?;
            answer(&mut state.conversation, count, since);
        }
        touched.insert(identity);
        told.push(state.conversation.clone());
        outcomes[item.request][item.place] =
            Ingested::Stored { message_id: message.id, conversation_id: message.conversation_id };
    }
    update_conversations(tx, touched.iter().filter_map(|key| known.get(key))).await?;
    let now = tx.now();
    for (item, conversation) in items.into_iter().zip(told) {
        let channel_id = item.incoming.channel_id;
        let event_type = if item.incoming.message.by_us {
            EventType::MessageCreated
        } else {
            EventType::MessageReceived
        };
        let changes = Changes {
            message: item.message,
            conversation: Some(conversation),
            ..Changes::default()
        };
        let origin = Origin::Channel { channel_id };
        tx.push_event(item.company, event_type, origin, Some(channel_id), now, changes)?;
    }
    Ok(outcomes)
}

/// The provider's order within a chat, whatever order the updates came in; among chats the order of
/// time, so that after an outage the list stands as if we had been there.
fn sort(items: &mut [Item]) {
    let chat = |item: &Item| (item.company, item.incoming.channel_id.0, item.identity().1);
    items.sort_by_cached_key(|item| (chat(item), item.incoming.message.ordinal));
    let mut latest: Option<(_, Timestamp)> = None;
    let mut times = HashMap::with_capacity(items.len());
    for item in items.iter() {
        // A clock that goes back must not undo the order of ordinals.
        let sent_at = item.incoming.message.sent_at;
        let time = match latest {
            Some((ref before, time)) if *before == chat(item) => time.max(sent_at),
            _ => sent_at,
        };
        latest = Some((chat(item), time));
        times.insert((item.request, item.place), time);
    }
    items.sort_by_key(|item| (item.company, times.get(&(item.request, item.place)).copied()));
}

/// The message as both engines can store it: PostgreSQL has no NUL in its texts.
fn without_nul(mut incoming: Incoming) -> Incoming {
    fn clean(text: &mut String) {
        *text = content::without_nul(std::mem::take(text));
    }
    fn clean_some(text: &mut Option<String>) {
        if let Some(text) = text {
            clean(text);
        }
    }
    let message = &mut incoming.message;
    clean(&mut message.external_id);
    clean(&mut message.sender.external_id);
    clean(&mut message.sender.chat_id);
    clean(&mut message.sender.name);
    clean_some(&mut message.sender.username);
    clean_some(&mut message.sender.language);
    match &mut message.content {
        Content::Text { text, .. } => clean(text),
        Content::Location { title, address, .. } => {
            clean_some(title);
            clean_some(address);
        }
        Content::Contact { name, phone, .. } => {
            clean(name);
            clean_some(phone);
        }
        Content::Button { data, text } => {
            clean(data);
            clean_some(text);
        }
        Content::Unsupported { what, text } => {
            clean(what);
            clean_some(text);
        }
        Content::System { code, .. } => clean(code),
    }
    for file in &mut message.attachments {
        clean(&mut file.file_ref);
        clean_some(&mut file.file_name);
        clean_some(&mut file.mime_type);
        clean_some(&mut file.emoji);
    }
    clean_some(&mut message.album_id);
    if let Some(reply) = &mut message.reply_to {
        clean_some(&mut reply.external_id);
        clean(&mut reply.text);
    }
    if let Some(origin) = &mut message.forwarded_from {
        clean(&mut origin.name);
    }
    incoming
}

/// The messages nobody has told us of yet, of channels that are still there: whoever deletes one holds its
/// company, as we do.
async fn new_items(
    tx: &mut Tx,
    set: Vec<(CompanyId, Vec<Incoming>)>,
    outcomes: &mut [Vec<Ingested>],
) -> Result<Vec<Item>, StoreError> {
    let told = set.iter().flat_map(|(_, messages)| messages);
    let channels: BTreeSet<i64> = told.map(|incoming| incoming.channel_id.0).collect();
    let channels: Vec<i64> = channels.into_iter().collect();
    let deleted = tx.db().deleted_channels(&channels).await?;
    let mut items = Vec::new();
    let mut seen: HashSet<IdentityKey> = HashSet::new();
    for (request, (company, messages)) in set.into_iter().enumerate() {
        for (place, incoming) in messages.into_iter().enumerate() {
            if deleted.contains(&incoming.channel_id.0) {
                outcomes[request][place] = Ingested::ChannelDeleted;
                continue;
            }
            let incoming = without_nul(incoming);
            let item = Item { request, place, company, incoming, message: None };
            if seen.insert(item.key()) {
                items.push(item);
            }
        }
    }
    if items.is_empty() {
        return Ok(items);
    }
    let stored: HashSet<IdentityKey> = tx
        .db()
        .known_messages(&given_keys(seen.iter()))
        .await?
        .into_iter()
        .map(|(channel, external, _, _)| (channel, external))
        .collect();
    items.retain(|item| !stored.contains(&item.key()));
    Ok(items)
}

/// Identities and conversations of the senders; those who write for the first time are added.
async fn identities(
    tx: &mut Tx,
    items: &[Item],
) -> Result<HashMap<IdentityKey, KnownIdentity>, StoreError> {
    let wanted: HashSet<IdentityKey> = items.iter().map(Item::identity).collect();
    let mut known: HashMap<IdentityKey, KnownIdentity> = tx
        .db()
        .known_identities(&given_keys(wanted.iter()))
        .await?
        .into_iter()
        .map(|row| ((row.channel_id, row.external_id.clone()), row))
        .collect();
    let now = tx.now();
    let mut found_anew = Vec::new();
    for item in items {
        let sender = &item.incoming.message.sender;
        let phone = item.incoming.message.verified_phone.as_deref().and_then(phone::normalize);
        match known.get_mut(&item.identity()) {
            None => {
                let channel = item.incoming.channel_id;
                let (contact, identity) = tx
                    .db()
                    .insert_identity(item.company, channel, sender, phone.as_deref(), now)
                    .await?;
                // A place at the end of the list until the message below takes its own.
                let activity = tx.offset_of(item.company).unwrap_or_default() + 1;
                let id = tx
                    .db()
                    .insert_conversation(item.company, channel, contact, identity, activity, now)
                    .await?;
                let fresh = first_contact(item, id, ContactId(contact), identity, phone, now);
                known.insert(item.identity(), fresh);
                found_anew.push(contact);
            }
            Some(state) => {
                if refresh_identity(tx, state, item, phone).await? {
                    found_anew.push(state.conversation.contact.id.0);
                }
            }
        }
    }
    if !found_anew.is_empty() {
        tx.db().index_contacts(&found_anew).await?;
    }
    Ok(known)
}

fn first_contact(
    item: &Item,
    id: ConversationId,
    contact: ContactId,
    identity_id: i64,
    phone: Option<String>,
    now: Timestamp,
) -> KnownIdentity {
    let sender = &item.incoming.message.sender;
    KnownIdentity {
        channel_id: item.incoming.channel_id.0,
        external_id: sender.external_id.clone(),
        chat_id: sender.chat_id.clone(),
        identity_id,
        username: sender.username.clone(),
        conversation: Conversation {
            id,
            company_id: item.company,
            channel_id: item.incoming.channel_id,
            contact: ContactCard {
                id: contact,
                name: sender.name.clone(),
                named_by_member: false,
                phone,
                phone_by_member: false,
                username: sender.username.clone(),
                comment: String::new(),
            },
            state: ConversationState::Open,
            assignee_id: None,
            unanswered_count: 0,
            waiting_since: None,
            activity: 0,
            last_incoming_position: 0,
            last_message: None,
            reachable: true,
            created_at: now,
            version: 0,
        },
        last_position: 0,
        last_ordinal: 0,
        max_ordinal: 0,
        reachable_at: 0,
    }
}

/// What the sender told of themselves since. `true`: they are found by other terms now.
async fn refresh_identity(
    tx: &mut Tx,
    state: &mut KnownIdentity,
    item: &Item,
    phone: Option<String>,
) -> Result<bool, StoreError> {
    let message = &item.incoming.message;
    // An old message must not bring back an old name.
    if message.by_us || (message.ordinal > 0 && message.ordinal < state.max_ordinal) {
        return Ok(false);
    }
    let sender = &message.sender;
    let contact = &mut state.conversation.contact;
    let renamed =
        !contact.named_by_member && !sender.name.is_empty() && sender.name != contact.name;
    let new_phone = !contact.phone_by_member && phone.is_some() && phone != contact.phone;
    let new_username = sender.username != state.username;
    if renamed || new_phone {
        if renamed {
            contact.name.clone_from(&sender.name);
        }
        if new_phone {
            contact.phone = phone;
        }
        tx.db().update_contact(contact.id.0, &contact.name, contact.phone.as_deref()).await?;
    }
    if new_username || sender.chat_id != state.chat_id {
        state.username.clone_from(&sender.username);
        state.chat_id.clone_from(&sender.chat_id);
        state.conversation.contact.username.clone_from(&sender.username);
        tx.db()
            .update_identity(state.identity_id, &sender.chat_id, sender.username.as_deref())
            .await?;
    }
    Ok(renamed || new_phone || new_username)
}

/// Ids of the stored messages that the set answers.
async fn quoted_messages(
    tx: &mut Tx,
    items: &[Item],
) -> Result<HashMap<IdentityKey, i64>, StoreError> {
    let wanted: HashSet<IdentityKey> = items
        .iter()
        .filter_map(|item| {
            let external = item.incoming.message.reply_to.as_ref()?.external_id.clone()?;
            Some((item.incoming.channel_id.0, external))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let found = tx.db().known_messages(&given_keys(wanted.iter())).await?;
    Ok(found.into_iter().map(|(channel, external, id, _)| ((channel, external), id)).collect())
}

fn build_message(
    incoming: &Incoming,
    conversation_id: ConversationId,
    position: i64,
    version: i64,
    quoted: Option<i64>,
    now: Timestamp,
) -> Message {
    let source = &incoming.message;
    let attachments = source
        .attachments
        .iter()
        .map(|file| {
            let too_big = file.size_bytes.is_some_and(|size| size > incoming.download_limit_bytes);
            Attachment {
                id: AttachmentId(0),
                kind: file.kind,
                state: if too_big {
                    AttachmentState::Unavailable
                } else {
                    AttachmentState::Pending
                },
                failure: too_big.then(|| "file_too_big".to_owned()),
                file_name: file.file_name.clone(),
                mime_type: file.mime_type.clone(),
                size_bytes: file.size_bytes,
                width: file.width,
                height: file.height,
                duration_seconds: file.duration_seconds,
                emoji: file.emoji.clone(),
            }
        })
        .collect();
    Message {
        id: MessageId(0),
        conversation_id,
        direction: if source.by_us { Direction::Outgoing } else { Direction::Incoming },
        author_member_id: None,
        client_message_id: None,
        content: source.content.clone(),
        attachments,
        album_id: source.album_id.clone(),
        reply_to: source
            .reply_to
            .as_ref()
            .map(|reply| ReplyTo { message_id: quoted.map(MessageId), text: reply.text.clone() }),
        forwarded_from: source.forwarded_from.clone(),
        reactions: Vec::new(),
        status: source.by_us.then_some(MessageStatus::Sent),
        failure: None,
        retry_at: None,
        position,
        ordinal: source.ordinal,
        sent_at: source.sent_at,
        edited_at: source.edited_at,
        deleted_at: None,
        created_at: now,
        version,
    }
}

async fn insert_messages(tx: &mut Tx, items: &mut [Item]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Some(message) = &item.message else { continue };
        let source = &item.incoming.message;
        rows.push(GivenMessage {
            company_id: item.company,
            channel_id: item.incoming.channel_id,
            conversation_id: message.conversation_id,
            direction: message.direction,
            external_id: &source.external_id,
            content: as_text(&message.content)?,
            album_id: message.album_id.as_deref(),
            reply_to_external_id: source
                .reply_to
                .as_ref()
                .and_then(|reply| reply.external_id.as_deref()),
            reply_to_message_id: message.reply_to.as_ref().and_then(|reply| reply.message_id),
            reply_to_text: message.reply_to.as_ref().map(|reply| reply.text.as_str()),
            forwarded_from: message.forwarded_from.as_ref().map(|origin| origin.name.as_str()),
            status: message.status,
            position: message.position,
            ordinal: message.ordinal,
            sent_at: message.sent_at,
            edited_at: message.edited_at,
            raw: source.raw.as_ref().map(ToString::to_string),
            version: message.version,
            created_at: message.created_at,
        });
    }
    let inserted: HashMap<IdentityKey, i64> = tx
        .db()
        .insert_incoming(&rows)
        .await?
        .into_iter()
        .map(|(id, channel, external)| ((channel, external), id))
        .collect();
    for item in items {
        let id = inserted.get(&item.key()).copied();
        if let Some(message) = &mut item.message {
            message.id = MessageId(id.ok_or_else(|| {
                StoreError::inconsistent("a message that was just inserted is not there")
            })?);
        }
    }
    Ok(())
}

/// A message and the answer to it may come in one set: the answer learns the number just given.
async fn link_replies(tx: &mut Tx, items: &mut [Item]) -> Result<(), StoreError> {
    let numbers: HashMap<IdentityKey, MessageId> =
        items.iter().filter_map(|item| Some((item.key(), item.message.as_ref()?.id))).collect();
    for item in items {
        let channel = item.incoming.channel_id.0;
        let quoted = item.incoming.message.reply_to.as_ref();
        let Some(external) = quoted.and_then(|quoted| quoted.external_id.clone()) else { continue };
        let Some(message) = &mut item.message else { continue };
        let Some(reply) = message.reply_to.as_mut().filter(|reply| reply.message_id.is_none())
        else {
            continue;
        };
        if let Some(quoted) = numbers.get(&(channel, external)) {
            reply.message_id = Some(*quoted);
            tx.db().set_reply(message.id, *quoted).await?;
        }
    }
    Ok(())
}

async fn insert_attachments(tx: &mut Tx, items: &mut [Item]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for item in items.iter() {
        let Some(message) = &item.message else { continue };
        for (place, (file, source)) in
            message.attachments.iter().zip(&item.incoming.message.attachments).enumerate()
        {
            rows.push(GivenAttachment {
                company_id: item.company,
                channel_id: item.incoming.channel_id,
                message_id: message.id,
                place: place as i64,
                kind: file.kind,
                state: file.state,
                failure: file.failure.as_deref(),
                file_ref: &source.file_ref,
                file_name: file.file_name.as_deref(),
                mime_type: file.mime_type.as_deref(),
                size_bytes: file.size_bytes,
                width: file.width,
                height: file.height,
                duration_seconds: file.duration_seconds,
                emoji: file.emoji.as_deref(),
                created_at: message.created_at,
            });
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let inserted: HashMap<(i64, i64), i64> = tx
        .db()
        .insert_incoming_attachments(&rows)
        .await?
        .into_iter()
        .map(|(id, message, place)| ((message, place), id))
        .collect();
    let mut fetches = Vec::new();
    for item in items {
        let (company, channel) = (item.company, item.incoming.channel_id);
        let Some(message) = &mut item.message else { continue };
        for (place, file) in message.attachments.iter_mut().enumerate() {
            let id = inserted.get(&(message.id.0, place as i64)).ok_or_else(|| {
                StoreError::inconsistent("a file that was just inserted is not there")
            })?;
            file.id = AttachmentId(*id);
            if file.state == AttachmentState::Pending {
                fetches.push(fetch_delivery(company, channel, file.id, now));
            }
        }
    }
    if !fetches.is_empty() {
        tx.db().insert_deliveries(&fetches, now).await?;
        tx.wake_deliveries();
    }
    Ok(())
}

/// Gives messages the files that were uploaded for them.
async fn claim_uploaded(tx: &mut Tx, items: &mut [Item]) -> Result<(), StoreError> {
    for item in items {
        let (company, channel) = (item.company, item.incoming.channel_id);
        let Some(message) = &mut item.message else { continue };
        for id in &item.incoming.uploaded {
            let place = message.attachments.len() as i64;
            let record = tx.db().attachment(company, *id).await?;
            let record = record.filter(|record| record.channel_id == channel);
            let claimed = tx.db().claim_attachment(company, *id, message.id, place).await?;
            match record {
                Some(record) if claimed => message.attachments.push(record.attachment),
                _ => return Err(StoreError::inconsistent(format!("file {id} cannot be taken"))),
            }
        }
    }
    Ok(())
}

/// Ends the waiting of clients who pressed a button.
async fn answer_buttons(tx: &mut Tx, items: &[Item]) -> Result<(), StoreError> {
    let now = tx.now();
    let answers: Vec<NewDelivery> = items
        .iter()
        .filter_map(|item| {
            let message = item.message.as_ref()?;
            let external_id = item.incoming.answer_button.as_ref()?;
            let channel = item.incoming.channel_id;
            Some(NewDelivery {
                company_id: Some(item.company),
                kind: DeliveryKind::AnswerButton,
                // Nobody else waits for it, and it waits for nobody.
                lane: format!("button:{}", message.id),
                target: format!("channel:{channel}"),
                subject_id: message.id.0,
                payload: json!({ "external_id": external_id }).to_string(),
                not_before: now,
            })
        })
        .collect();
    if !answers.is_empty() {
        tx.db().insert_deliveries(&answers, now).await?;
        tx.wake_deliveries();
    }
    Ok(())
}

/// The delivery that brings a client's file into our files.
pub fn fetch_delivery(
    company: CompanyId,
    channel: ChannelId,
    attachment: AttachmentId,
    now: Timestamp,
) -> NewDelivery {
    NewDelivery {
        company_id: Some(company),
        kind: DeliveryKind::FetchAttachment,
        lane: format!("attachment:{attachment}"),
        target: format!("channel:{channel}:files"),
        subject_id: attachment.0,
        payload: "{}".to_owned(),
        not_before: now,
    }
}

/// Whether the message stands elsewhere than at the end, where its event is.
const fn came_late(message: &Message) -> bool {
    message.position < message.version
}

/// Somebody answered all but the last `count` messages, which wait since `since`.
fn answer(conversation: &mut Conversation, count: i64, since: Option<Timestamp>) {
    if count < conversation.unanswered_count {
        conversation.unanswered_count = count;
        conversation.waiting_since = since;
    }
}

/// What the message changes in its conversation. A late answer of ours is weighed by the caller.
fn apply(state: &mut KnownIdentity, incoming: &Incoming, message: &Message) {
    let conversation = &mut state.conversation;
    conversation.version = message.version;
    conversation.state = ConversationState::Open;
    if message.direction == Direction::Incoming {
        conversation.unanswered_count += 1;
        conversation.waiting_since = conversation.waiting_since.or(Some(message.created_at));
        conversation.activity = message.version;
        conversation.last_incoming_position =
            conversation.last_incoming_position.max(message.position);
    } else if !came_late(message) {
        answer(conversation, 0, None);
    }
    if conversation.activity == 0 {
        // Nothing of the client yet: the place of the conversation's first event.
        conversation.activity = message.version;
    }
    if (message.position, message.ordinal) >= (state.last_position, state.last_ordinal) {
        state.last_position = message.position;
        state.last_ordinal = message.ordinal;
        conversation.last_message = Some(preview(message));
    }
    state.max_ordinal = state.max_ordinal.max(message.ordinal);
    // Who writes can be answered.
    if !incoming.message.by_us && message.sent_at.0 >= state.reachable_at {
        state.reachable_at = message.sent_at.0;
        conversation.reachable = true;
    }
}

async fn update_conversations<'k>(
    tx: &mut Tx,
    states: impl Iterator<Item = &'k KnownIdentity>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for state in states {
        let conversation = &state.conversation;
        rows.push(GivenConversation {
            id: conversation.id,
            state: conversation.state,
            unanswered_count: conversation.unanswered_count,
            waiting_since: conversation.waiting_since,
            activity: conversation.activity,
            last_incoming_position: conversation.last_incoming_position,
            last_message: as_text(&conversation.last_message)?,
            last_message_at: conversation.last_message_at(),
            last_position: state.last_position,
            last_ordinal: state.last_ordinal,
            max_ordinal: state.max_ordinal,
            reachable: conversation.reachable,
            reachable_at: state.reachable_at,
            version: conversation.version,
        });
    }
    tx.db().update_conversations(&rows).await
}

/// A message as the chat list shows it.
pub fn preview(message: &Message) -> MessagePreview {
    let content_kind = match &message.content {
        Content::Text { .. } => "text",
        Content::Location { .. } => "location",
        Content::Contact { .. } => "contact",
        Content::Button { .. } => "button",
        Content::System { .. } => "system",
        Content::Unsupported { .. } => "unsupported",
    };
    let attachment_kind: Option<AttachmentKind> =
        message.attachments.first().map(|attachment| attachment.kind);
    let text = if message.deleted_at.is_some() {
        String::new()
    } else if let Content::System { code, .. } = &message.content {
        code.clone()
    } else {
        message.content.words().chars().take(PREVIEW_LIMIT).collect()
    };
    MessagePreview {
        id: message.id,
        direction: message.direction,
        author_member_id: message.author_member_id,
        status: message.status,
        content_kind: content_kind.to_owned(),
        text,
        attachment_kind,
        deleted: message.deleted_at.is_some(),
        sent_at: message.sent_at,
    }
}
