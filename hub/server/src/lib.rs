//! The server: everything between the store and the world.
//!
//! `main.rs` only reads the command line. [`app::App`] holds the long-lived parts; [`router`] lists every
//! route; `http` reads requests and calls `actions`; errors leave as [`error::ApiError`].

pub mod actions;
pub mod app;
pub mod assets;
pub mod auth;
pub mod background;
pub mod bus;
pub mod checks;
pub mod cli;
pub mod config;
pub mod delivery;
#[cfg(feature = "simulator")]
pub mod demo;
pub mod drivers;
pub mod error;
pub mod extract;
pub mod files;
pub mod gateways;
pub mod http;
pub mod keys;
pub mod layers;
pub mod lifecycle;
pub mod limits;
pub mod listen;
pub mod random;
pub mod router;
pub mod start;
pub mod telemetry;
pub mod tidy;
pub mod webhook_channels;
pub mod widget;
pub mod ws;
