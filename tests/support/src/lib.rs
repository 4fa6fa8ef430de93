//! PostgreSQL and Redis for tests, started from the installed binaries.
//!
//! Owns the processes and their directories; knows nothing of the product's schema or
//! its crates, so that every crate can use it in its tests.
//!
//! - [`create_database`] gives a test a fresh database on the *shared* PostgreSQL server:
//!   the one of `UZEL_TEST_POSTGRES_URL` (set by the nextest setup script and by
//!   `scripts/with-services.sh`), or else one that this process starts for itself.
//! - [`redis_url`] is the *shared* Redis (`UZEL_TEST_REDIS_URL`). Pub/sub is not separated
//!   by database number, so a test that listens starts its own: [`RedisServer::start_own`]
//!   takes some 20 ms.
//! - [`PostgresServer::start_own`] and [`RedisServer::start_own`] are servers that a test
//!   may kill and restart.
//!
//! The rule: no server outlives the process that started it, however that process ends.
//! A small shell stands between the two; it holds the reading end of a pipe, and when the
//! pipe closes it stops the server and removes the directory.
//!
//! Everything blocks and panics with the reason: a test without its database has nothing
//! better to do.

mod database;
mod postgres;
mod process;
mod redis;

pub use database::{Database, create_database, postgres_url};
pub use postgres::PostgresServer;
pub use redis::{RedisServer, redis_url};
