//! What the store promises, on both engines: every case runs on a SQLite file and on a PostgreSQL
//! database of its own, and must end the same.

mod harness;
mod leases;
mod migrations;
mod vault;
mod writer;
