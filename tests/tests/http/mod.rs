//! What each part of the HTTP interface promises.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod access;
mod channels;
mod contacts;
mod conversations;
mod deliveries;
mod files;
mod health;
mod messages;
mod notes;
mod profile;
mod quick_replies;
mod set_up;
mod sign_in;
mod storage;
mod webhooks;
mod widgets;
