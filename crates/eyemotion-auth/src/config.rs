use crate::recovery::Links;
use crate::throttle::Throttling;
use chrono::TimeDelta;

/// The service's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// Life of an access token.
    pub access_ttl: TimeDelta,
    /// How long a session lives on without being refreshed.
    pub session_idle_ttl: TimeDelta,
    /// How long a session lives at most.
    pub session_ttl: TimeDelta,
    /// Passwords hashed at once, each taking 19 MiB and a core for some 20 ms; 0: one a core.
    pub hash_permits: usize,
    /// Passwords that may wait for that; more are answered with "overloaded".
    pub hash_queue: usize,
    /// How long after signing in, or giving the password again, what is dangerous may be done.
    pub reauthentication_max_age: TimeDelta,
    /// Who is held back after wrong passwords and too many mails.
    pub throttling: Throttling,
    /// Whether an address must be confirmed before its first sign-in.
    pub require_email_confirmation: bool,
    /// Whether passwords that everybody tries first are refused.
    pub refuse_common_passwords: bool,
    /// Where the links in mails lead.
    pub links: Links,
    /// How long a deletion of an account can be undone; none: the next run of the job does it.
    pub deletion_undo: TimeDelta,
    /// Exports of people's data that may be under way at once, in this process.
    pub exports_at_once: usize,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            issuer: "eyemotion".to_owned(),
            audience: "authenticated".to_owned(),
            access_ttl: TimeDelta::seconds(600),
            session_idle_ttl: TimeDelta::days(30),
            session_ttl: TimeDelta::days(90),
            hash_permits: 0,
            hash_queue: 64,
            reauthentication_max_age: TimeDelta::seconds(600),
            throttling: Throttling::On,
            require_email_confirmation: false,
            refuse_common_passwords: true,
            links: Links::default(),
            deletion_undo: TimeDelta::days(14),
            exports_at_once: 4,
        }
    }
}
