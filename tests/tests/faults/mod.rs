//! The promise under faults: the real binary is killed, stopped and lied to by a provider, and nothing is lost,
//! doubled or out of order.
//!
//! The product is seen from outside only: what HTTP acknowledged, what sessions were told, what the simulated
//! provider recorded. No test here looks into the server's tables.

mod checker;
mod crash;
mod desk;
mod load;
mod nodes;
mod providers;
mod shutdown;
mod updates;
