//! Rate limits at the door: how often one network, and everybody together, may ask for codes and try
//! them. Limits of one phone number are kept with its codes in the store, so that all nodes share them.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

use crate::config::SignInConfig;
use crate::error::{ApiError, Code};

/// The part of an address that stands for whoever is behind it: /24 of IPv4, /64 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Ipv4Addr::new(a, b, c, 0).into()
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

#[derive(Debug)]
pub struct Limits {
    codes_of_network: DefaultKeyedRateLimiter<Network>,
    codes_of_all: DefaultDirectRateLimiter,
    tries_of_network: DefaultKeyedRateLimiter<Network>,
    uploads_of_user: DefaultKeyedRateLimiter<i64>,
    requests_of_user: DefaultKeyedRateLimiter<i64>,
}

/// Uploads of one user in a minute.
const UPLOADS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("not zero");
/// Requests of one user in a second, and how many may come at once.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("not zero");
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(2000).expect("not zero");

impl Limits {
    pub fn new(config: &SignInConfig) -> Self {
        let per_minute = |count| Quota::per_minute(count);
        Self {
            codes_of_network: RateLimiter::keyed(Quota::per_hour(
                config.codes_per_network_per_hour,
            )),
            codes_of_all: RateLimiter::direct(per_minute(config.codes_per_minute)),
            tries_of_network: RateLimiter::keyed(per_minute(config.tries_per_network_per_minute)),
            uploads_of_user: RateLimiter::keyed(per_minute(UPLOADS_PER_MINUTE)),
            requests_of_user: RateLimiter::keyed(
                Quota::per_second(REQUESTS_PER_SECOND).allow_burst(REQUESTS_AT_ONCE),
            ),
        }
    }

    /// Somebody asks for a code.
    pub fn code_asked(&self, address: IpAddr) -> Result<(), ApiError> {
        take(&self.codes_of_network, &Network::of(address))?;
        self.codes_of_all.check().map_err(|wait| refusal(&wait))
    }

    /// Somebody tries a code or a link.
    pub fn secret_tried(&self, address: IpAddr) -> Result<(), ApiError> {
        take(&self.tries_of_network, &Network::of(address))
    }

    pub fn file_uploaded(&self, user: i64) -> Result<(), ApiError> {
        take(&self.uploads_of_user, &user)
    }

    pub fn request_made(&self, user: i64) -> Result<(), ApiError> {
        take(&self.requests_of_user, &user)
    }

    /// Forgets whoever has been quiet, so that the tables do not grow for ever.
    pub fn forget_the_quiet(&self) {
        self.codes_of_network.retain_recent();
        self.tries_of_network.retain_recent();
        self.uploads_of_user.retain_recent();
        self.requests_of_user.retain_recent();
    }
}

pub(crate) fn take<K: Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), ApiError> {
    limiter.check_key(key).map_err(|wait| refusal(&wait))
}

fn refusal(until: &NotUntil<<DefaultClock as governor::clock::Clock>::Instant>) -> ApiError {
    let wait = until.wait_time_from(DefaultClock::default().now());
    ApiError::wait(Code::RateLimited, wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};

    #[test]
    fn neighbours_share_a_limit_and_others_do_not() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.7"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    }

    #[test]
    fn a_network_that_tries_too_often_is_told_to_wait_and_others_are_not() {
        let inputs = Inputs::from_flags([("sign_in.tries_per_network_per_minute", "2")]);
        let limits = Limits::new(&load(&inputs).unwrap().config.sign_in);
        let noisy: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(limits.secret_tried(noisy).is_ok());
        assert!(limits.secret_tried(noisy).is_ok());
        assert_eq!(limits.secret_tried(noisy).unwrap_err().code, Code::RateLimited);
        assert!(limits.secret_tried("198.51.100.1".parse().unwrap()).is_ok());
    }
}
