//! One-time codes on their way to people who sign in.

use hub_store::records::Delivery;

use super::engine::EngineParts;
use super::outcome::Outcome;

pub async fn send(parts: &EngineParts, delivery: &Delivery) -> Outcome {
    let (vault, clock) = (parts.store.vault(), parts.store.clock());
    match parts.gateways.send(vault, &**clock, &delivery.payload).await {
        Ok(()) => Outcome::Done,
        Err(error) => error.into(),
    }
}
