//! What whole-product tests share: the product started in ways that tests can hold in hand.
//!
//! [`TestApp`] is the application with its port, and [`Browser`]s that can only do what HTTP lets them;
//! [`hub`] is its inside without HTTP; [`process`] is the real binary, with clients ([`client`],
//! [`session`]) that know nothing but its public API. Each test has a database of its own.

mod browser;
pub mod client;
mod code_recorder;
mod company;
pub mod hub;
pub mod process;
pub mod session;
mod test_app;

pub use browser::{Answer, Browser};
pub use code_recorder::CodeRecorder;
pub use company::TestCompany;
pub use hub::Database;
pub use test_app::{TestApp, TestAppBuilder, eventually};

/// Writes each test once and runs it on both engines: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_both_engines {
    ($(async fn $name:ident($database:ident: Database) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "each test uses some of them")]
            use super::*;

            async fn run($database: $crate::Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::Database::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::Database::Postgres).await;
            }
        }
    )+};
}
