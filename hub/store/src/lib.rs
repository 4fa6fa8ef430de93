//! All SQL of Uzel, and nothing else: one [`Store`] over two engines.
//!
//! - **Queries are written once.** `queries/*.rs` is compiled twice, as `sqlite::queries` and
//!   `postgres::queries`; each engine supplies the types and the few words of SQL that differ
//!   (`dialect`). [`db::Db`] lists every query and passes it on to the engine in use, so no driver type
//!   appears in a caller's signature.
//! - **Reads** take a [`Reader`]; **writes** are jobs given to the [`writer`], which commits what waits
//!   in one transaction, each job in its own savepoint.
//! - **Events** are appended by the job that makes the change ([`Tx::append`]); their offsets are
//!   gap-free because the company's row is locked until COMMIT.
//!
//! To add a query: write it in the module of its table group, list its signature in `db.rs`, and test
//! it on both engines (`tests/`). Rules of a business kind do not live here; they are actions of the
//! server over rows loaded and saved through this crate.

#![expect(clippy::duplicate_mod, reason = "the shared queries are compiled once for each engine")]

pub mod db;
pub mod error;
pub(crate) mod given;
pub mod ingest;
mod postgres;
pub mod records;
mod sqlite;
pub mod store;
pub mod vault;
pub mod writer;

pub use db::Db;
pub use error::StoreError;
pub use store::{Commit, Reader, Store, StoreOptions};
pub use vault::Vault;
pub use writer::Tx;
