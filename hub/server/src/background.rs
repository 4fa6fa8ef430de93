//! What runs by itself: polling under leases; cleaning up, and making clients findable, under one each.

pub mod index_contacts;
pub mod poll;
pub mod prune;
