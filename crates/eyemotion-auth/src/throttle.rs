//! Limits that hold for an account or an address, whoever asks and from wherever: they are counted
//! in PostgreSQL, so they hold across replicas and restarts. What is counted need not exist: an
//! unknown address is slowed down just as a known one, and costs the same.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::repository::throttles::{self, CounterRow};
use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::Ctx;
use eyemotion_db::Tx;
use std::net::IpAddr;

/// Who is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttling {
    /// Nobody.
    Off,
    /// Everybody but clients on this very machine: somebody develops here.
    Remote,
    /// Everybody.
    #[default]
    On,
}

impl Throttling {
    /// Whether a client with this address is limited.
    pub fn limits(self, ip: Option<IpAddr>) -> bool {
        match self {
            Self::Off => false,
            Self::Remote => !ip.is_some_and(|ip| ip.to_canonical().is_loopback()),
            Self::On => true,
        }
    }
}

/// How fast something may be done.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// So often in any window; a window begins with its first.
    Window { most: i32, length: TimeDelta },
    /// After each failure a pause twice as long, 1 s to 15 min; forgotten after 15 quiet minutes.
    Backoff,
}

const QUARTER_HOUR: TimeDelta = TimeDelta::minutes(15);

/// A limit with its name, which the client is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pace: Pace,
}

impl Rule {
    /// Wrong passwords for one address, from everywhere together.
    pub(crate) const SIGN_IN_ACCOUNT: Self = Self::window("sign_in_account", 5, QUARTER_HOUR);
    /// Wrong passwords for one address from one network, or from one signed-in device.
    pub(crate) const SIGN_IN_NETWORK: Self = Self {
        name: "sign_in_network",
        pace: Pace::Backoff,
    };
    /// Wrong passwords in one session.
    pub(crate) const REAUTHENTICATION: Self = Self::window("reauthentication", 5, QUARTER_HOUR);
    /// Mails to one address that its owner has not asked for while signed in.
    pub(crate) const MAIL: Self = Self::window("mail", 4, TimeDelta::hours(1));

    /// At most `most` in `length`.
    pub(crate) const fn window(name: &'static str, most: i32, length: TimeDelta) -> Self {
        Self {
            name,
            pace: Pace::Window { most, length },
        }
    }

    /// Where a counter stands after one more.
    fn charge(self, counter: CounterRow, now: DateTime<Utc>) -> CounterRow {
        let before = if now < counter.resets_at {
            counter.spent
        } else {
            0
        };
        let spent = before.saturating_add(1);
        match self.pace {
            Pace::Window { most, length } => {
                let resets_at = if before == 0 {
                    now + length
                } else {
                    counter.resets_at
                };
                let free_at = if spent < most { now } else { resets_at };
                CounterRow {
                    spent,
                    free_at,
                    resets_at,
                }
            }
            Pace::Backoff => {
                let doubled = spent.clamp(1, 11).saturating_sub(1);
                let pause = TimeDelta::seconds(1 << doubled).min(QUARTER_HOUR);
                let free_at = counter.free_at.max(now) + pause;
                CounterRow {
                    spent,
                    free_at: free_at.min(now + QUARTER_HOUR),
                    resets_at: free_at + QUARTER_HOUR,
                }
            }
        }
    }
}

/// What becomes of one more while a counter lets nobody on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is refused and not counted.
    Refuses,
    /// It is counted: it has happened.
    Counts,
}

/// Makes the counters' keys.
pub(crate) struct Throttles(hmac::Key);

impl Throttles {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The key of what `rule` counts for `subject`.
    pub(crate) fn key(&self, rule: Rule, subject: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(rule.name.as_bytes());
        context.update(&[0]);
        context.update(subject.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        key
    }
}

/// The network that a client's address belongs to: /24, or /48 in IPv6, which is what one
/// customer has.
pub(crate) fn network(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        None => String::new(),
    }
}

impl AccountService {
    /// Takes one of what `rule` allows `subject`, and keeps it whatever becomes of the request:
    /// in a transaction of its own.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] when nothing is left.
    pub(crate) async fn throttle(
        &self,
        ctx: &Ctx,
        rule: Rule,
        subject: &str,
    ) -> Result<(), AuthError> {
        if !self.config.throttling.limits(ctx.ip) {
            return Ok(());
        }
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        let counter = (rule, self.throttles.key(rule, subject));
        self.count(&mut tx, &[counter], Held::Refuses).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Refuses while any of the counters does. `tx` is the platform's.
    ///
    /// # Errors
    /// [`AuthError::Throttled`].
    pub(crate) async fn hold_back(
        &self,
        tx: &mut Tx,
        counters: &[(Rule, [u8; 32])],
    ) -> Result<(), AuthError> {
        if counters.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        refuse_held(throttles::held(tx, &keys(counters), now).await?, now)
    }

    /// Takes one from each of the counters. `tx` is the platform's.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] with [`Held::Refuses`]; `tx` must then be dropped.
    pub(crate) async fn count(
        &self,
        tx: &mut Tx,
        counters: &[(Rule, [u8; 32])],
        held: Held,
    ) -> Result<(), AuthError> {
        if counters.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut counters = counters.to_vec();
        // Everybody locks in this order, so that nobody waits for somebody who waits for them.
        counters.sort_unstable_by_key(|(_, key)| *key);
        for (rule, key) in &counters {
            let counter = throttles::lock(tx, *key, rule.name, now).await?;
            if held == Held::Refuses && now < counter.free_at {
                return Err(throttled(rule.name, counter.free_at, now));
            }
            throttles::store(tx, *key, rule.charge(counter, now)).await?;
        }
        throttles::sweep(tx, now).await?;
        Ok(())
    }

    /// Forgets the counters: the right password was given. Still refuses if they refuse by now,
    /// for of many guesses made at once the right one must not pass when the others have used up
    /// what is allowed. `tx` is the platform's and must then be dropped.
    ///
    /// # Errors
    /// [`AuthError::Throttled`].
    pub(crate) async fn count_success(
        &self,
        tx: &mut Tx,
        counters: &[(Rule, [u8; 32])],
    ) -> Result<(), AuthError> {
        if counters.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let cleared = throttles::clear(tx, &keys(counters)).await?;
        refuse_held(cleared.into_iter().filter(|(_, at)| now < *at), now)
    }
}

/// The counters' keys.
pub(crate) fn keys(counters: &[(Rule, [u8; 32])]) -> Vec<[u8; 32]> {
    counters.iter().map(|(_, key)| *key).collect()
}

/// Refuses until the last of these lets somebody on.
///
/// # Errors
/// [`AuthError::Throttled`].
pub(crate) fn refuse_held(
    held: impl IntoIterator<Item = (String, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> Result<(), AuthError> {
    match held.into_iter().max_by_key(|(_, free_at)| *free_at) {
        Some((rule, free_at)) => Err(throttled(&rule, free_at, now)),
        None => Ok(()),
    }
}

fn throttled(limiter: &str, free_at: DateTime<Utc>, now: DateTime<Utc>) -> AuthError {
    AuthError::Throttled {
        limiter: limiter.to_owned(),
        // Whole seconds, rounded up: who comes back then is let on.
        retry_after: (free_at - now + TimeDelta::milliseconds(999))
            .to_std()
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
