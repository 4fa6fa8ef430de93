//! Every query by name. [`Db`] is a connection of either engine; each method runs the shared query
//! compiled for that engine.

use hub_domain::channel::{Channel, ChannelKind, ChannelState};
use hub_domain::conversation::ReadMarker;
use hub_domain::delivery::DeliveryState;
use hub_domain::{
    AttachmentId, ChannelId, Company, CompanyId, ContactId, Conversation, ConversationId,
    DeliveryId, Draft, Member, MemberId, Message, MessageId, Preferences, QuickReply, QuickReplyId,
    Role, Scope, SessionId, Timestamp, UserId,
};

use crate::StoreError;
use crate::given::{GivenAttachment, GivenConversation, GivenKey, GivenMessage};
use crate::records::{
    Address, ApiToken, AttachmentRecord, Attempt, AttemptEnd, ChannelSecrets, ChannelTraffic,
    ClaimRequest, Claimable, ContactHits, ContactRecord, ContactSearch, ConversationCounts,
    ConversationPage, ConversationQuery, Delivery, DeliveryCounts, DeliverySubject, EventRow,
    KnownIdentity, LinkPurpose, MessageKey, NewAttachment, NewChannel, NewDelivery, NewMessage,
    NewSession, NewSignInCode, QuickReplyRecord, SessionRow, SignInCode, StreamRow,
    UnindexedContact, User, WidgetVisitor,
};
use crate::writer::PendingEvent;

/// A connection of either engine.
#[derive(Debug)]
pub enum Db<'c> {
    Sqlite(&'c mut sqlx::SqliteConnection),
    Postgres(&'c mut sqlx::PgConnection),
}

macro_rules! queries {
    ($($module:ident { $(
        $(#[$doc:meta])*
        fn $name:ident($($arg:ident: $kind:ty),* $(,)?) -> $answer:ty;
    )* })*) => {
        impl Db<'_> { $($(
            $(#[$doc])*
            #[expect(clippy::allow_attributes, reason = "some queries take many columns")]
            #[allow(clippy::too_many_arguments)]
            pub async fn $name(&mut self, $($arg: $kind),*) -> Result<$answer, StoreError> {
                match self {
                    Db::Sqlite(conn) => crate::sqlite::queries::$module::$name(conn, $($arg),*).await,
                    Db::Postgres(conn) => {
                        crate::postgres::queries::$module::$name(conn, $($arg),*).await
                    }
                }
            }
        )*)* }
    };
}

queries! {
    health {
        /// Answers when the database does.
        fn ping() -> ();
    }
    companies {
        fn insert_company(name: &str, time_zone: &str, epoch: &str, now: Timestamp) -> CompanyId;
        fn company(id: CompanyId) -> Option<Company>;
        fn company_by_name(name: &str) -> Option<Company>;
        fn save_company(company: &Company) -> ();
        fn company_count() -> i64;
        fn company_stream(id: CompanyId) -> Option<StreamRow>;
        /// The streams of these companies, without locking.
        fn company_streams(ids: &[i64]) -> Vec<StreamRow>;
        /// Locks the companies in one order until COMMIT.
        fn lock_companies(ids: &[i64]) -> Vec<StreamRow>;
    }
    members {
        fn insert_member(company: CompanyId, user: UserId, role: Role, version: i64, now: Timestamp) -> MemberId;
        fn save_member(company: CompanyId, member: &Member) -> ();
        fn member(company: CompanyId, id: MemberId) -> Option<Member>;
        fn member_of_user(company: CompanyId, user: UserId) -> Option<Member>;
        fn members(company: CompanyId) -> Vec<Member>;
        fn memberships(user: UserId) -> Vec<(Company, Member)>;
        /// Of each of the user's places.
        fn preferences_of_user(user: UserId) -> Vec<(MemberId, Preferences)>;
        fn save_preferences(company: CompanyId, id: MemberId, preferences: Preferences) -> ();
    }
    users {
        fn insert_user(phone: &str, name: &str, now: Timestamp) -> UserId;
        fn user(id: UserId) -> Option<User>;
        fn save_user_name(id: UserId, name: &str) -> ();
        fn user_by_phone(phone: &str) -> Option<User>;
    }
    sign_in {
        fn insert_session(session: &NewSession, now: Timestamp) -> SessionId;
        fn session_by_token(token_hash: &str) -> Option<SessionRow>;
        fn session(id: SessionId) -> Option<SessionRow>;
        fn touch_session(id: SessionId, now: Timestamp) -> ();
        fn delete_session(id: SessionId) -> ();
        fn insert_sign_in_code(code: &NewSignInCode, now: Timestamp) -> i64;
        /// When codes were made for this number after `since`, latest first.
        fn sign_in_code_times(phone: &str, since: Timestamp) -> Vec<Timestamp>;
        /// Ends every unused code of this number.
        fn void_sign_in_codes(phone: &str, now: Timestamp) -> ();
        /// The latest code asked for by this browser.
        fn sign_in_code(pre_session_hash: &str) -> Option<SignInCode>;
        /// Counts a wrong try. Returns how many there were.
        fn count_sign_in_try(id: i64) -> i64;
        /// `false` when somebody was faster.
        fn use_sign_in_code(id: i64, now: Timestamp) -> bool;
        fn insert_one_time_link(token_hash: &str, purpose: LinkPurpose, user: Option<UserId>, expires_at: Option<Timestamp>, now: Timestamp) -> ();
        fn one_time_link_is_valid(token_hash: &str, purpose: LinkPurpose, now: Timestamp) -> bool;
        /// Uses a link up. `None` when it is not valid (any more), else whose it is.
        fn use_one_time_link(token_hash: &str, purpose: LinkPurpose, now: Timestamp) -> Option<Option<UserId>>;
        fn delete_set_up_links() -> ();
        /// Makes the user's private token, in place of the one before.
        fn put_api_token(user: UserId, token_hash: &str, token_sealed: &str, now: Timestamp) -> ();
        fn api_token(user: UserId) -> Option<ApiToken>;
        fn api_token_by_hash(token_hash: &str) -> Option<ApiToken>;
        fn touch_api_token(token_hash: &str, now: Timestamp) -> ();
        /// Deletes ended sessions, and codes and links that can no longer be used.
        fn prune_sign_in(now: Timestamp, codes_before: Timestamp) -> ();
    }
    events {
        fn insert_events(events: &[PendingEvent]) -> ();
        /// Events with `after < offset <= through`, in order, at most `limit`.
        fn events_after(company: CompanyId, after: i64, through: i64, limit: i64) -> Vec<EventRow>;
        /// Deletes events older than `before`, at most `limit`, and moves the horizon. Returns how many.
        fn prune_events(company: CompanyId, before: Timestamp, limit: i64) -> i64;
        /// Starts the log anew under another epoch (after a restore).
        fn set_epoch(company: CompanyId, epoch: &str) -> ();
        fn companies_with_events_before(before: Timestamp) -> Vec<i64>;
    }
    channels {
        fn insert_channel(channel: &NewChannel, version: i64, now: Timestamp) -> ChannelId;
        fn save_channel(channel: &Channel) -> ();
        fn save_channel_secret(id: ChannelId, secret_sealed: &str) -> ();
        /// Of a deleted channel, which needs none.
        fn forget_channel_secrets(id: ChannelId) -> ();
        /// Whether a channel of any company has this account, deleted ones aside.
        fn account_is_connected(kind: ChannelKind, external_id: &str) -> bool;
        fn channel(company: CompanyId, id: ChannelId) -> Option<Channel>;
        /// Messages since a time by channel, and when the last one was; channels without any are absent.
        fn channel_traffic(scope: &Scope, since: Timestamp) -> Vec<ChannelTraffic>;
        /// With the deleted ones, which their conversations still name.
        fn channels(scope: &Scope) -> Vec<Channel>;
        /// Any company's channel: for webhooks and the engine, which prove themselves otherwise.
        fn channel_secrets(id: ChannelId) -> Option<ChannelSecrets>;
        /// Of many at once; those that do not exist or were deleted are missing.
        fn secrets_of_channels(ids: &[i64]) -> Vec<ChannelSecrets>;
        /// Those of these channels that were deleted.
        fn deleted_channels(ids: &[i64]) -> Vec<i64>;
        /// Channels that the hub polls, in working states.
        fn polled_channels(states: &[ChannelState]) -> Vec<ChannelId>;
        fn save_poll_cursor(id: ChannelId, cursor: Option<&str>) -> ();
        fn insert_raw_update(channel: ChannelId, reason: &str, body: &str, now: Timestamp) -> ();
        fn prune_raw_updates(before: Timestamp) -> i64;
        fn raw_update_count(channel: ChannelId) -> i64;
    }
    chat_list {
        /// In the order of the list, whichever side of the edge it is.
        fn conversations(scope: &Scope, page: &ConversationPage) -> Vec<Conversation>;
        fn conversation_counts(scope: &Scope, query: &ConversationQuery) -> ConversationCounts;
    }
    conversations {
        fn conversation(scope: &Scope, id: ConversationId) -> Option<Conversation>;
        /// Without a member's scope: for effects and updates of channels.
        fn conversation_of_company(company: CompanyId, id: ConversationId) -> Option<Conversation>;
        fn conversation_of_identity(channel: ChannelId, external_id: &str) -> Option<Conversation>;
        fn save_conversation(conversation: &Conversation) -> ();
        fn set_last_place(id: ConversationId, position: i64, ordinal: i64) -> ();
        fn raise_max_ordinal(id: ConversationId, ordinal: i64) -> ();
        /// Sets reachability unless something newer is known. `true` when it changed.
        fn set_reachable(id: ConversationId, reachable: bool, at: Timestamp) -> bool;
        fn read_marker(member: MemberId, id: ConversationId) -> Option<ReadMarker>;
        fn read_markers(member: MemberId, ids: &[i64]) -> Vec<ReadMarker>;
        fn save_read_marker(marker: &ReadMarker) -> ();
    }
    contacts {
        fn contact(company: CompanyId, id: ContactId) -> Option<ContactRecord>;
        /// With the terms it is found by.
        fn save_contact(company: CompanyId, contact: &ContactRecord) -> ();
        /// The conversations with these contacts that the member sees, latest activity first.
        fn conversations_of_contacts(scope: &Scope, ids: &[i64]) -> Vec<Conversation>;
        fn contacts_with_phone(company: CompanyId, phone: &str, limit: i64) -> Vec<i64>;
        /// Contacts with a conversation that the member sees; by term, then by id.
        fn search_contacts(scope: &Scope, search: &ContactSearch) -> ContactHits;
        /// Writes the terms of these contacts anew: after any change of what they are found by.
        fn index_contacts(ids: &[i64]) -> ();
        /// Contacts with an id above `after`, by id.
        fn contacts_to_index(after: i64, limit: i64) -> Vec<UnindexedContact>;
    }
    messages {
        fn insert_message(message: &NewMessage) -> MessageId;
        fn save_message(company: CompanyId, message: &Message) -> ();
        fn message(company: CompanyId, id: MessageId) -> Option<Message>;
        fn message_by_external(channel: ChannelId, external_id: &str) -> Option<Message>;
        /// The message of an intention, and the intention's fingerprint.
        fn message_by_client_id(company: CompanyId, client_message_id: &str) -> Option<(Message, Option<String>)>;
        /// Messages below `before` (newest first in the table), returned ascending.
        fn messages_before(conversation: ConversationId, before: MessageKey, limit: i64) -> Vec<Message>;
        /// Like `messages_before`, of what the client has: no notes, nothing that was not sent yet.
        fn client_messages_before(conversation: ConversationId, before: MessageKey, limit: i64) -> Vec<Message>;
        fn messages_after(conversation: ConversationId, after: MessageKey, limit: i64) -> Vec<Message>;
        fn message_address(company: CompanyId, id: MessageId) -> Option<Address>;
        fn set_message_external(company: CompanyId, id: MessageId, external_id: &str, ordinal: i64) -> ();
        /// Replaces the client's reactions unless newer ones are known. `true` when it changed.
        fn touch_reactions(company: CompanyId, id: MessageId, at: Timestamp) -> bool;
        fn last_message_key(conversation: ConversationId) -> Option<MessageKey>;
    }
    attachments {
        fn insert_attachment(attachment: &NewAttachment) -> AttachmentId;
        fn attachment(company: CompanyId, id: AttachmentId) -> Option<AttachmentRecord>;
        fn attachments_of_messages(ids: &[i64]) -> Vec<AttachmentRecord>;
        /// Gives an uploaded file to a message. `false` when it has one already.
        fn claim_attachment(company: CompanyId, id: AttachmentId, message: MessageId, place: i64) -> bool;
        fn save_attachment(company: CompanyId, record: &AttachmentRecord) -> ();
        /// Uploaded files that never became part of a message.
        fn orphaned_attachments(before: Timestamp, limit: i64) -> Vec<AttachmentRecord>;
        fn delete_attachment(id: AttachmentId) -> ();
    }
    ingest {
        fn known_identities(keys: &[GivenKey<'_>]) -> Vec<KnownIdentity>;
        fn known_messages(keys: &[GivenKey<'_>]) -> Vec<(i64, String, i64, i64)>;
        fn insert_identity(company: CompanyId, channel: ChannelId, sender: &hub_domain::channel::Sender, phone: Option<&str>, now: Timestamp) -> (i64, i64);
        fn insert_conversation(company: CompanyId, channel: ChannelId, contact: i64, identity: i64, activity: i64, now: Timestamp) -> ConversationId;
        fn position_of_late(conversation: ConversationId, ordinal: i64) -> Option<i64>;
        fn unanswered_after(conversation: ConversationId, key: MessageKey, version: i64) -> (i64, Option<Timestamp>);
        fn insert_incoming(messages: &[GivenMessage<'_>]) -> Vec<(i64, i64, String)>;
        fn set_reply(id: MessageId, quoted: MessageId) -> ();
        fn insert_incoming_attachments(files: &[GivenAttachment<'_>]) -> Vec<(i64, i64, i64)>;
        fn update_conversations(conversations: &[GivenConversation]) -> ();
        fn update_contact(contact: i64, name: &str, phone: Option<&str>) -> ();
        fn update_identity(identity: i64, chat_id: &str, username: Option<&str>) -> ();
    }
    deliveries {
        fn insert_deliveries(deliveries: &[NewDelivery], now: Timestamp) -> ();
        /// Heads of lanes that are due, whose targets are neither paused nor over their rate. Until this
        /// transaction ends nobody else is told of their lanes.
        fn claim_candidates(request: &ClaimRequest) -> Claimable;
        fn lease_deliveries(ids: &[i64], owner: &str, until: Timestamp) -> ();
        fn delivery(id: DeliveryId) -> Option<Delivery>;
        fn deliveries(company: CompanyId, state: DeliveryState, before: Option<i64>, limit: i64) -> Vec<Delivery>;
        /// What was and is done outside for a message and its files, oldest first; the latest `limit`.
        fn deliveries_of_message(company: CompanyId, message: MessageId, limit: i64) -> Vec<Delivery>;
        /// What these deliveries are about.
        fn delivery_subjects(ids: &[i64]) -> Vec<(i64, DeliverySubject)>;
        fn delivery_counts_of_company(company: CompanyId) -> DeliveryCounts;
        fn delivery_of_subject(subject: i64, kind: &str) -> Option<Delivery>;
        /// Stores an attempt before its call. `None` when the delivery is no longer `owner`'s.
        fn start_attempt(id: DeliveryId, owner: &str, now: Timestamp) -> Option<i64>;
        fn end_attempt(id: DeliveryId, number: i64, end: &AttemptEnd, now: Timestamp) -> ();
        /// Ends or re-plans a delivery. `false` when it is not `owner`'s any more.
        fn settle_delivery(id: DeliveryId, owner: &str, state: DeliveryState, not_before: Option<Timestamp>, end: &AttemptEnd, now: Timestamp) -> bool;
        /// Makes the lease of a call that takes long end later. `false` when it is not `owner`'s any more.
        fn hold_delivery(id: DeliveryId, owner: &str, until: Timestamp) -> bool;
        /// Gives back what was claimed and not started.
        fn release_delivery(id: DeliveryId, owner: &str) -> ();
        fn set_delivery_state(id: DeliveryId, from: DeliveryState, to: DeliveryState, not_before: Timestamp) -> bool;
        /// Makes what waits for a time in these targets due now.
        fn make_due(company: CompanyId, targets: &[String], now: Timestamp) -> ();
        /// Cancels what waits in a lane, and says why.
        fn cancel_lane(lane: &str, reason: &str, now: Timestamp) -> ();
        /// Deliveries whose lease has ended, and whether an attempt is open.
        fn expired_deliveries(before: Timestamp, limit: i64) -> Vec<(Delivery, bool)>;
        fn attempts_of(ids: &[i64]) -> Vec<(i64, Attempt)>;
        fn target_paces(targets: &[String]) -> Vec<(String, i64, i64)>;
        fn save_target_pace(target: &str, next_free_at: Timestamp) -> ();
        fn pause_target(target: &str, until: Timestamp) -> ();
        /// When the next pending delivery becomes due, at the earliest.
        fn next_due(now: Timestamp) -> Option<Timestamp>;
        fn delivery_counts() -> Vec<(String, i64)>;
        fn prune_deliveries(before: Timestamp, limit: i64) -> i64;
    }
    widgets {
        fn widget_settings(channel: ChannelId) -> Option<String>;
        fn save_widget_settings(company: CompanyId, channel: ChannelId, settings: &str, now: Timestamp) -> ();
        /// Any company's widget: its visitors prove themselves otherwise.
        fn widget_by_key(key: &str) -> Option<ChannelSecrets>;
        /// The key of the first widget of the installation that works.
        fn first_widget_key() -> Option<String>;
        fn widget_visitor(channel: ChannelId, visitor: &str) -> Option<WidgetVisitor>;
        fn visitor_of_conversation(company: CompanyId, id: ConversationId) -> Option<WidgetVisitor>;
        fn next_visitor_number(company: CompanyId) -> i64;
        fn save_widget_visitor(company: CompanyId, visitor: &WidgetVisitor) -> ();
        /// Messages of ours up to a position that the client is not known to have, or have read.
        fn messages_without_receipt(conversation: ConversationId, through: i64, read: bool, limit: i64) -> Vec<i64>;
        fn external_ids(ids: &[i64]) -> Vec<(i64, Option<String>)>;
        /// Up to where any member has read a conversation; 0: nobody has.
        fn seen_position(company: CompanyId, id: ConversationId) -> i64;
        /// Whether any member was there since.
        fn company_is_attended(company: CompanyId, since: Timestamp) -> bool;
        /// The client's `external_id`.
        fn identity_of_conversation(id: ConversationId) -> Option<String>;
        /// Events about one channel with `after < offset <= through`, in order.
        fn channel_events_after(company: CompanyId, channel: ChannelId, after: i64, through: i64) -> Vec<EventRow>;
    }
    quick_replies {
        fn insert_quick_reply(company: CompanyId, author: MemberId, name: &str, text: &str, now: Timestamp) -> QuickReplyId;
        /// Those still offered; with `deleted_too` also the marks of deleted ones.
        fn quick_replies(company: CompanyId, deleted_too: bool) -> Vec<QuickReply>;
        fn quick_reply(company: CompanyId, id: QuickReplyId) -> Option<QuickReplyRecord>;
        fn quick_reply_count(company: CompanyId) -> i64;
        fn save_quick_reply(company: CompanyId, quick_reply: &QuickReply) -> ();
        /// Where the bytes are; the rest of the file is a part of the quick reply.
        fn set_quick_reply_file(company: CompanyId, id: QuickReplyId, file_key: Option<&str>) -> ();
    }
    drafts {
        fn drafts(member: MemberId) -> Vec<Draft>;
        fn save_draft(member: MemberId, draft: &Draft) -> ();
        fn delete_draft(member: MemberId, conversation: ConversationId) -> ();
    }
    leases {
        /// Takes or renews a lease. The fence while it is ours, else `None`.
        fn take_lease(name: &str, owner: &str, now: Timestamp, until: Timestamp) -> Option<i64>;
        fn release_lease(name: &str, owner: &str) -> ();
        fn lease_is_held(name: &str, owner: &str, fence: i64, now: Timestamp) -> bool;
    }
}
