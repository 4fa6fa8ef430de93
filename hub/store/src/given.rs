//! Rows given to a set-based statement: a struct a row, whose fields are the columns.
//!
//! Owns how such a struct becomes columns; each engine binds them in its own way (`dialect::fetch_given`,
//! `dialect::execute_given`). The rule: the first column is never NULL, so that an engine can tell a row
//! from what fills up a statement.

use std::borrow::Cow;

use hub_domain::attachment::{AttachmentKind, AttachmentState};
use hub_domain::delivery::DeliveryKind;
use hub_domain::{
    ChannelId, CompanyId, ConversationId, ConversationState, Direction, MessageId, MessageStatus,
    Timestamp,
};

/// Of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Boolean,
}

/// One field of one row.
#[derive(Debug)]
pub enum Value<'v> {
    Integer(Option<i64>),
    Text(Option<Cow<'v, str>>),
    Boolean(bool),
}

/// What a field of a given row may be.
pub trait GivenValue {
    const KIND: Kind;
    fn value(&self) -> Value<'_>;
}

/// A row of a set-based statement; made by [`given_row!`].
pub trait GivenRow: Sync {
    /// Names and kinds, in order.
    const COLUMNS: &'static [(&'static str, Kind)];

    /// Gives each field in the order of the columns.
    fn each<'s>(&'s self, give: impl FnMut(Value<'s>));
}

/// Declares a struct whose fields are the columns of a given row.
macro_rules! given_row {
    ($(#[$doc:meta])* pub struct $name:ident $(<$life:lifetime>)? {
        $(pub $field:ident: $kind:ty),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name $(<$life>)? {
            $(pub $field: $kind),+
        }

        impl $(<$life>)? $crate::given::GivenRow for $name $(<$life>)? {
            const COLUMNS: &'static [(&'static str, $crate::given::Kind)] = &[
                $((stringify!($field), <$kind as $crate::given::GivenValue>::KIND)),+
            ];

            fn each<'s>(&'s self, mut give: impl FnMut($crate::given::Value<'s>)) {
                $(give($crate::given::GivenValue::value(&self.$field));)+
            }
        }
    };
}

macro_rules! given_values {
    ($kind:ident: $($of:ty => |$value:ident| $given:expr),+ $(,)?) => {$(
        impl GivenValue for $of {
            const KIND: Kind = Kind::$kind;
            fn value(&self) -> Value<'_> {
                let $value = self;
                Value::$kind($given)
            }
        }
    )+};
}

given_values! { Integer:
    i64 => |number| Some(*number),
    Option<i64> => |number| *number,
    Option<i32> => |number| number.map(i64::from),
    CompanyId => |id| Some(id.0),
    Option<CompanyId> => |id| id.map(|id| id.0),
    ChannelId => |id| Some(id.0),
    Option<ChannelId> => |id| id.map(|id| id.0),
    ConversationId => |id| Some(id.0),
    MessageId => |id| Some(id.0),
    Option<MessageId> => |id| id.map(|id| id.0),
    Timestamp => |time| Some(time.0),
    Option<Timestamp> => |time| time.map(|time| time.0),
}

given_values! { Boolean:
    bool => |yes| *yes,
}

given_values! { Text:
    &str => |text| Some(Cow::Borrowed(*text)),
    Option<&str> => |text| text.map(Cow::Borrowed),
    String => |text| Some(Cow::Borrowed(text.as_str())),
    Option<String> => |text| text.as_deref().map(Cow::Borrowed),
    Direction => |word| Some(Cow::Borrowed(word.as_str())),
    Option<MessageStatus> => |word| word.map(|word| Cow::Borrowed(word.as_str())),
    ConversationState => |word| Some(Cow::Borrowed(word.as_str())),
    AttachmentKind => |word| Some(Cow::Borrowed(word.as_str())),
    AttachmentState => |word| Some(Cow::Borrowed(word.as_str())),
    DeliveryKind => |word| Some(Cow::Borrowed(word.as_str())),
}

/// Names of the columns of `G`, each through `name`, parted by commas.
pub fn columns<G: GivenRow>(name: impl Fn(&str) -> String) -> String {
    G::COLUMNS.iter().map(|(column, _)| name(column)).collect::<Vec<_>>().join(", ")
}

given_row! {
    /// What a message or an identity is found by.
    pub struct GivenKey<'k> {
        pub channel_id: i64,
        pub external_id: &'k str,
    }
}

given_row! {
    /// A message that came from a channel.
    pub struct GivenMessage<'m> {
        pub company_id: CompanyId,
        pub channel_id: ChannelId,
        pub conversation_id: ConversationId,
        pub direction: Direction,
        pub external_id: &'m str,
        pub content: String,
        pub album_id: Option<&'m str>,
        pub reply_to_external_id: Option<&'m str>,
        pub reply_to_message_id: Option<MessageId>,
        pub reply_to_text: Option<&'m str>,
        pub forwarded_from: Option<&'m str>,
        pub status: Option<MessageStatus>,
        pub position: i64,
        pub ordinal: i64,
        pub sent_at: Timestamp,
        pub edited_at: Option<Timestamp>,
        pub raw: Option<String>,
        pub version: i64,
        pub created_at: Timestamp,
    }
}

given_row! {
    /// A file of such a message.
    pub struct GivenAttachment<'m> {
        pub company_id: CompanyId,
        pub channel_id: ChannelId,
        pub message_id: MessageId,
        pub place: i64,
        pub kind: AttachmentKind,
        pub state: AttachmentState,
        pub failure: Option<&'m str>,
        pub file_ref: &'m str,
        pub file_name: Option<&'m str>,
        pub mime_type: Option<&'m str>,
        pub size_bytes: Option<i64>,
        pub width: Option<i32>,
        pub height: Option<i32>,
        pub duration_seconds: Option<i32>,
        pub emoji: Option<&'m str>,
        pub created_at: Timestamp,
    }
}

given_row! {
    /// What a set of messages changes in a conversation.
    pub struct GivenConversation {
        pub id: ConversationId,
        pub state: ConversationState,
        pub unanswered_count: i64,
        pub waiting_since: Option<Timestamp>,
        pub activity: i64,
        pub last_incoming_position: i64,
        pub last_message: String,
        pub last_message_at: Timestamp,
        pub last_position: i64,
        pub last_ordinal: i64,
        pub max_ordinal: i64,
        pub reachable: bool,
        pub reachable_at: i64,
        pub version: i64,
    }
}

given_row! {
    /// A term of a contact.
    pub struct GivenTerm<'t> {
        pub contact_id: i64,
        pub company_id: i64,
        pub term: &'t str,
    }
}

given_row! {
    /// An event of the log.
    pub struct GivenEvent<'e> {
        pub company_id: CompanyId,
        pub offset: i64,
        pub event_type: &'static str,
        pub channel_id: Option<ChannelId>,
        pub at: Timestamp,
        pub payload: &'e str,
    }
}

given_row! {
    /// Where the log of a company ends.
    pub struct GivenEnd {
        pub id: CompanyId,
        pub event_offset: i64,
    }
}

given_row! {
    /// An effect to be had outside.
    pub struct GivenDelivery<'d> {
        pub kind: DeliveryKind,
        pub company_id: Option<CompanyId>,
        pub lane: &'d str,
        pub target: &'d str,
        pub subject_id: i64,
        pub payload: &'d str,
        pub state: &'static str,
        pub not_before: Timestamp,
        pub created_at: Timestamp,
    }
}
