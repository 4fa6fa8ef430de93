//! How much one visitor, and everybody behind one network, may ask of widgets.

use std::net::IpAddr;
use std::num::NonZeroU32;

use channel_widget::identity::VisitorId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::WidgetConfig;
use crate::error::ApiError;
use crate::limits::{Network, take};

/// Requests of one network in a second, and how many may come at once.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(500).expect("not zero");

#[derive(Debug)]
pub struct VisitorLimits {
    messages_of_visitor: DefaultKeyedRateLimiter<VisitorId>,
    messages_of_network: DefaultKeyedRateLimiter<Network>,
    files_of_network: DefaultKeyedRateLimiter<Network>,
    visitors_of_network: DefaultKeyedRateLimiter<Network>,
    requests_of_network: DefaultKeyedRateLimiter<Network>,
}

impl VisitorLimits {
    pub fn new(config: &WidgetConfig) -> Self {
        let per_minute = |count| RateLimiter::keyed(Quota::per_minute(count));
        Self {
            messages_of_visitor: RateLimiter::keyed(Quota::per_minute(
                config.messages_per_visitor_per_minute,
            )),
            messages_of_network: per_minute(config.messages_per_network_per_minute),
            files_of_network: per_minute(config.files_per_network_per_minute),
            visitors_of_network: RateLimiter::keyed(Quota::per_hour(
                config.visitors_per_network_per_hour,
            )),
            requests_of_network: RateLimiter::keyed(
                Quota::per_second(REQUESTS_PER_SECOND).allow_burst(REQUESTS_AT_ONCE),
            ),
        }
    }

    pub fn request_made(&self, address: IpAddr) -> Result<(), ApiError> {
        take(&self.requests_of_network, &Network::of(address))
    }

    pub fn visitor_came(&self, address: IpAddr) -> Result<(), ApiError> {
        take(&self.visitors_of_network, &Network::of(address))
    }

    pub fn message_written(&self, address: IpAddr, visitor: &VisitorId) -> Result<(), ApiError> {
        take(&self.messages_of_network, &Network::of(address))?;
        take(&self.messages_of_visitor, visitor)
    }

    pub fn file_sent(&self, address: IpAddr) -> Result<(), ApiError> {
        take(&self.files_of_network, &Network::of(address))
    }

    /// Forgets whoever has been quiet, so that the tables do not grow for ever.
    pub fn forget_the_quiet(&self) {
        self.messages_of_visitor.retain_recent();
        self.messages_of_network.retain_recent();
        self.files_of_network.retain_recent();
        self.visitors_of_network.retain_recent();
        self.requests_of_network.retain_recent();
    }
}
