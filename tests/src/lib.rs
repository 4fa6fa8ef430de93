//! What whole-product tests share: the product started in ways that tests can hold in hand.

pub mod hub;
