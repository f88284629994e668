//! How often one client address may try something, counted in this process: the cheap first line
//! before the limits per account, which the account service keeps in PostgreSQL.

use crate::config::LimitsSettings;
use crate::problem::ApiError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use eyemotion_auth::Throttling;
use eyemotion_core::ErrorCode;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Clients that one limiter remembers before it looks for those that it may forget.
const FEW: usize = 1024;
/// Clients that it remembers before it takes whole providers for one: somebody has an IPv6 /32.
const MANY: usize = 100_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiter {
    /// Checking passwords.
    SignIn,
    /// Making accounts.
    Register,
    /// Renewing tokens.
    Refresh,
    /// Sending mails to whoever is named.
    Mail,
}

/// The limiters of this process.
pub struct RateLimits {
    throttling: Throttling,
    sign_in: PerClient,
    register: PerClient,
    refresh: PerClient,
    mail: PerClient,
}

impl RateLimits {
    /// Full allowances for everybody.
    pub fn new(settings: &LimitsSettings, throttling: Throttling) -> Self {
        Self {
            throttling,
            sign_in: PerClient::new("sign_in", settings.sign_in_per_minute, 60),
            register: PerClient::new("register", settings.register_per_hour, 3600),
            refresh: PerClient::new("refresh", settings.refresh_per_5_minutes, 300),
            mail: PerClient::new("mail", settings.mail_per_hour, 3600),
        }
    }

    /// Takes one from what `limiter` allows this client; none: the client is not limited.
    pub(crate) fn take(&self, limiter: Limiter, client: Option<IpAddr>) -> Option<Allowance> {
        if !self.throttling.limits(client) {
            return None;
        }
        // A client without an address cannot be told from others: all of them are one.
        let client = client.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let limiter = match limiter {
            Limiter::SignIn => &self.sign_in,
            Limiter::Register => &self.register,
            Limiter::Refresh => &self.refresh,
            Limiter::Mail => &self.mail,
        };
        Some(limiter.take(client))
    }
}

/// What a client has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    name: &'static str,
    most: u32,
    window: u64,
    left: u32,
    /// Seconds until everything is there again.
    full_in: u64,
    /// How long to wait; none: this time it is allowed.
    wait: Option<Duration>,
}

impl Allowance {
    /// The problem to answer with, if there was nothing left.
    pub(crate) fn refusal(&self) -> Option<ApiError> {
        let wait = self.wait?;
        let detail = format!(
            "Too many requests: {} in {} s are allowed. Try again in {} s.",
            self.most,
            self.window,
            wait.as_secs()
        );
        let error = ApiError::new(ErrorCode::RateLimited, detail)
            .with_member("limiter", self.name)
            .with_retry_after(wait);
        Some(error)
    }

    /// Says so in the headers of draft-ietf-httpapi-ratelimit-headers-10.
    pub(crate) fn show(&self, headers: &mut HeaderMap) {
        let Self {
            name,
            most,
            window,
            left,
            full_in,
            ..
        } = self;
        let policy = format!("\"{name}\";q={most};w={window}");
        let state = format!("\"{name}\";r={left};t={full_in}");
        for (header, text) in [(RATELIMIT_POLICY, policy), (RATELIMIT, state)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header, value);
            }
        }
    }
}

type Buckets<C> = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, StateInformationMiddleware>;

/// A bucket for each client.
struct PerClient<C: Clock = MonotonicClock> {
    name: &'static str,
    window: u64,
    quota: Quota,
    buckets: Buckets<C>,
    clock: C,
    /// With how many clients to look again for some to forget.
    sweep_at: AtomicUsize,
}

impl PerClient {
    fn new(name: &'static str, most: u32, window: u64) -> Self {
        Self::with_clock(name, most, window, MonotonicClock)
    }
}

impl<C: Clock + Clone> PerClient<C> {
    fn with_clock(name: &'static str, most: u32, window: u64, clock: C) -> Self {
        let most = NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN);
        // The whole allowance at once, and then one after another.
        let each = Duration::from_secs(window) / most.get();
        let quota = Quota::with_period(each)
            .unwrap_or(Quota::per_second(most))
            .allow_burst(most);
        let buckets = Buckets::new(quota, HashMapStateStore::default(), clock.clone());
        Self {
            name,
            window,
            quota,
            buckets,
            clock,
            sweep_at: AtomicUsize::new(FEW),
        }
    }

    fn take(&self, client: IpAddr) -> Allowance {
        let most = self.quota.burst_size().get();
        let (left, wait) = match self.buckets.check_key(&self.key(client)) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refused) => (
                0,
                Some(whole_seconds(refused.wait_time_from(self.clock.now()))),
            ),
        };
        let missing = self.quota.replenish_interval() * most.saturating_sub(left);
        Allowance {
            name: self.name,
            most,
            window: self.window,
            left,
            full_in: whole_seconds(missing).as_secs(),
            wait,
        }
    }

    /// One customer has one IPv4 address or one IPv6 /64.
    fn key(&self, client: IpAddr) -> IpAddr {
        let clients = self.forget();
        match client.to_canonical() {
            IpAddr::V6(ip) => {
                let bits = if clients < MANY { 64 } else { 32 };
                let mask = u128::MAX << (128 - bits);
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
            ip @ IpAddr::V4(_) => ip,
        }
    }

    /// Forgets clients whose allowance is full again, whenever there are twice as many as after
    /// the last time; how many there are.
    fn forget(&self) -> usize {
        let clients = self.buckets.len();
        if clients < self.sweep_at.load(Ordering::Relaxed) {
            return clients;
        }
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
        let clients = self.buckets.len();
        self.sweep_at
            .store(clients.saturating_mul(2).max(FEW), Ordering::Relaxed);
        clients
    }
}

/// Rounded up: whoever comes back then is let on.
fn whole_seconds(duration: Duration) -> Duration {
    let more = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs(duration.as_secs() + more)
}

#[cfg(test)]
mod tests;
