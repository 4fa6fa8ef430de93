//! Files over slow connections, against the simulated Bot API: what moves is waited for.

use std::time::Duration;

use bytes::Bytes;
use channel_telegram_bot::{Options, TelegramBot};
use hub_domain::AttachmentKind;
use hub_domain::channel::{
    ChannelAccess, ChannelDriver as _, DriverError, OutboundAttachment, OutboundMessage,
    SendReceipt,
};
use secrecy::SecretString;
use simulator::Simulator;
use simulator::faults::When;
use simulator::telegram::{Bot, BotSpec, CallFault, Client, ClientSpec};

/// More than sockets hold, so that a sender notices how fast it is read.
const SIZE: usize = 24 << 20;
const PATIENCE: Duration = Duration::from_millis(400);

struct Place {
    simulator: Simulator,
    bot: Bot,
    client: Client,
    driver: TelegramBot,
}

impl Place {
    /// `rate`: at which a file must move at least, by and large.
    async fn new(rate: u64) -> Self {
        let simulator = Simulator::start("127.0.0.1:0").await.expect("a simulator");
        let bot = simulator.telegram().create_bot(BotSpec::default());
        let client = bot.new_client(ClientSpec::named("Ирина"));
        client.start(None).expect("started");
        let options =
            Options { send_timeout: PATIENCE, upload_bytes_per_second: rate, ..Options::default() };
        let driver = TelegramBot::new(&simulator.base_url(), options).expect("a driver");
        Self { simulator, bot, client, driver }
    }

    async fn send(&self) -> Result<SendReceipt, DriverError> {
        let access = ChannelAccess {
            channel_id: hub_domain::ChannelId(1),
            secret: SecretString::from(self.bot.token()),
            webhook_secret: SecretString::from(""),
            external_id: self.bot.id().to_string(),
        };
        let message = OutboundMessage {
            chat_id: self.client.id().to_string(),
            text: String::new(),
            attachment: Some(OutboundAttachment {
                kind: AttachmentKind::Document,
                file_name: "a.bin".to_owned(),
                mime_type: "application/octet-stream".to_owned(),
                bytes: Bytes::from(vec![b'x'; SIZE]),
            }),
            reply_to: None,
        };
        self.driver.send(&access, &message).await
    }

    fn reading(&self, bytes_per_second: u64) {
        let fault = CallFault::ReadSlowly { bytes_per_second };
        self.simulator.telegram().fault(When::once("sendDocument"), fault);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_moves_is_waited_for_longer_than_any_other_call() {
    let place = Place::new(1 << 20).await;
    // 24 MB take more than a second, and any other call would be over by then.
    place.reading(20 << 20);
    place.send().await.expect("sent");
    assert_eq!(place.client.inbox().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_stands_still_was_not_sent_and_may_be_tried_again() {
    let place = Place::new(1 << 10).await;
    place.reading(0);
    // At the rate alone this would take hours.
    let error = place.send().await.expect_err("nobody reads");
    assert!(matches!(error, DriverError::Retry { code: "provider_unreachable", .. }), "{error:?}");
    place.send().await.expect("sent");
    assert_eq!(place.client.inbox().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_creeps_is_given_up_and_known_not_to_have_arrived() {
    // Faster than it moves: the whole call has its limit too.
    let place = Place::new(1 << 30).await;
    place.reading(8 << 20);
    let error = place.send().await.expect_err("too slow");
    assert!(matches!(error, DriverError::Retry { code: "provider_unreachable", .. }), "{error:?}");
    assert_eq!(place.client.inbox().len(), 0);
}
