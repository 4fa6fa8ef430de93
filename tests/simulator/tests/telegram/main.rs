//! The simulated Bot API as a bot meets it: over real HTTP, compared with the contract.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod calls;
mod control;
mod faults;
mod files;
mod polling;
mod setting;
mod shapes;
mod webhook;
