//! What the store promises, on both engines: every case runs on a SQLite file and on a PostgreSQL
//! database of its own, and must end the same.

#![expect(clippy::unwrap_used, reason = "what a test did not expect is its failure")]

mod chat_list;
mod conflicts;
mod contacts;
mod conversations;
mod deliveries;
mod events;
mod harness;
mod incoming;
mod leases;
mod messages;
mod migrations;
mod nodes;
mod order;
mod plans;
mod text;
mod vault;
mod writer;
