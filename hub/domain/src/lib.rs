//! Vocabulary and rules of Uzel. No I/O, no async runtime, no SQL.
//!
//! The glossary every layer shares (SQL, Rust, JSON, TypeScript use the same words):
//!
//! - **company**: the tenant; every row belongs to one.
//! - **user**, **member**: a person with a login; that person's place in one company, with a role.
//! - **channel**: one connected messenger account of a company.
//! - **contact**, **contact identity**: a client; one address of that client on one channel.
//! - **conversation**: the correspondence with one identity on one channel.
//! - **message**: incoming, outgoing, system or note.
//! - **quick reply**: a saved answer of a company, with an optional file.
//! - **draft**: what a member has begun to write in a conversation; nobody else sees it.
//! - **event**, **stream**, **position**: an entry of a company's log; the log; `{epoch, offset}` in it.
//! - **delivery**, **attempt**, **lane**: an effect to be made outside; one try; what keeps order.
//!
//! Everything here is plain data plus the rules that hold whatever stores or carries it.
//! Drivers and the store depend on this crate; it depends on neither.

pub mod attachment;
pub mod channel;
pub mod clock;
pub mod company;
pub mod contact;
pub mod content;
pub mod conversation;
pub mod delivery;
pub mod draft;
pub mod event;
pub mod ids;
pub mod member;
pub mod message;
pub mod phone;
pub mod quick_reply;
pub mod terms;

pub use attachment::{Attachment, AttachmentKind, AttachmentState};
pub use clock::{Clock, FixedClock, SystemClock, Timestamp};
pub use company::Company;
pub use contact::ContactCard;
pub use content::{Content, Entity, ForwardOrigin, ReplyTo};
pub use conversation::{ChatOrder, Conversation, ConversationState, MessagePreview};
pub use draft::Draft;
pub use event::{Audience, Ephemeral, Event, StreamPosition};
pub use ids::*;
pub use member::{Member, Preferences, Role, Scope, Visibility};
pub use message::{Direction, Failure, Message, MessageStatus};
pub use quick_reply::{QuickReply, QuickReplyFile};
