//! What proves drivers and what stands in for one.
//!
//! [`FakeChannel`] is a driver without a provider: tests of the hub inject what clients do, script how
//! sends end, hold them at a gate, and read what was sent. [`conformance`] is the suite that every
//! driver passes against a simulated provider. Neither is ever part of the product.

pub mod conformance;
mod fake;
mod fake_client;

pub use fake::{Call, FakeChannel, HoldAt, SECRET_HEADER, SentMessage};
pub use fake_client::FakeClient;
