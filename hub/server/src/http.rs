//! Handlers by resource. Thin: they read the request, call an action or the store, and shape the answer.

pub mod health;
pub mod openapi;
pub mod session;
