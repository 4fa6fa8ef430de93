//! The driver against the provider's contract: payloads in, calls out, and the shared conformance suite.

mod conformance;
mod inbound;
mod outbound;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use channel_telegram_bot::{Options, TelegramBot};
use hub_domain::channel::ChannelAccess;
use hub_domain::{ChannelId, FixedClock, Timestamp};
use secrecy::SecretString;

const TOKEN: &str = "7420011:AAtest-token_of_the_right_form_0001";
const WEBHOOK_SECRET: &str = "webhook-secret_1";
const NOW: Timestamp = Timestamp::from_seconds(1_795_009_999);

fn access() -> ChannelAccess {
    ChannelAccess {
        channel_id: ChannelId(1),
        secret: SecretString::from(TOKEN),
        webhook_secret: SecretString::from(WEBHOOK_SECRET),
        external_id: "7420011".to_owned(),
    }
}

/// A driver that gives up soon, so that a test of giving up is soon over.
fn driver_of(api_url: &str) -> TelegramBot {
    let options = Options {
        poll_seconds: 1,
        connect_timeout: Duration::from_secs(2),
        send_timeout: Duration::from_millis(700),
        upload_bytes_per_second: 64 * 1024,
        download_stall_timeout: Duration::from_millis(500),
        clock: Arc::new(FixedClock::at(NOW)),
    };
    TelegramBot::new(api_url, options).expect("a driver")
}
