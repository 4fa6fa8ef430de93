//! Flows through actions and the delivery engine, with the provider in the test's hand.

mod channels;
mod delivery;
mod replay;
