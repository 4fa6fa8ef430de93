//! The delivery engine: every effect outside the database is made here, and nowhere else.
//!
//! [`engine`] claims heads of lanes under a lease, stores an attempt, has the effect made, and settles
//! it. What is made is one file per kind of effect; [`outcome`] is what they have in common: how an
//! attempt ended, and what follows from that.

pub mod configure;
pub mod engine;
pub mod fetch;
pub mod message;
pub mod outcome;
pub mod sign_in_code;

pub use engine::{Engine, EngineParts};
