//! The server: everything between the store and the world.
//!
//! `main.rs` only reads the command line. [`app::App`] holds the long-lived parts; [`router`] lists every
//! route; `http` reads requests and calls `actions`; errors leave as [`error::ApiError`].

pub mod app;
pub mod assets;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod http;
pub mod keys;
pub mod layers;
pub mod lifecycle;
pub mod listen;
pub mod random;
pub mod router;
pub mod telemetry;
