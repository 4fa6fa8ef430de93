//! What the store promises, on both engines: every case runs on a SQLite file and on a PostgreSQL
//! database of its own, and must end the same.

mod conflicts;
mod events;
mod harness;
mod incoming;
mod leases;
mod migrations;
mod nodes;
mod order;
mod text;
mod vault;
mod writer;
