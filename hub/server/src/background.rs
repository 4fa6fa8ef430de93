//! What runs by itself: polling under leases, and cleaning up under one.

pub mod poll;
pub mod prune;
