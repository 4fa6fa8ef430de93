//! The queries, written once. This folder is compiled for each engine (see `sqlite.rs`, `postgres.rs`),
//! which supplies `Conn` and `dialect` one level up.

use super::{Conn, dialect};

pub mod attachments;
pub mod channels;
pub mod chat_list;
pub mod companies;
pub mod contacts;
pub mod conversations;
pub mod deliveries;
pub mod drafts;
pub mod events;
pub mod health;
pub mod ingest;
pub mod leases;
pub mod members;
pub mod messages;
pub mod quick_replies;
pub mod sign_in;
pub mod users;
pub mod widgets;
