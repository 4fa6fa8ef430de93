//! What the driver asks of the provider, and what it makes of the answers.
