//! `[limits]`: how often one client may try something.

use serde::{Deserialize, Serialize};

use super::problem::Problems;
use super::server::Environment;
use eyemotion_auth::Throttling;

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedClients {
    /// Everybody in production; in development everybody but clients on this very machine.
    Auto,
    /// Everybody.
    All,
    /// Nobody: something in front of the server does it.
    None,
}

/// The `[limits]` section: per client address, counted by each process for itself. Limits per
/// account hold across processes and are not settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LimitsSettings {
    /// Who is limited, by these and per account.
    pub clients: LimitedClients,
    /// Sign-ins in a minute.
    pub sign_in_per_minute: u32,
    /// Registrations in an hour.
    pub register_per_hour: u32,
    /// Refreshes in five minutes.
    pub refresh_per_5_minutes: u32,
    /// Requests in an hour that send a mail.
    pub mail_per_hour: u32,
}

impl Default for LimitsSettings {
    fn default() -> Self {
        Self {
            clients: LimitedClients::Auto,
            sign_in_per_minute: 10,
            register_per_hour: 5,
            refresh_per_5_minutes: 150,
            mail_per_hour: 30,
        }
    }
}

impl LimitsSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        for (key, most) in [
            ("limits.sign_in_per_minute", self.sign_in_per_minute),
            ("limits.register_per_hour", self.register_per_hour),
            ("limits.refresh_per_5_minutes", self.refresh_per_5_minutes),
            ("limits.mail_per_hour", self.mail_per_hour),
        ] {
            problems.require(
                (1..=1_000_000).contains(&most),
                key,
                "must be from 1 to 1000000; limits.clients = \"none\" switches the limits off",
            );
        }
    }

    /// Who is limited in this environment.
    pub fn throttling(&self, environment: Environment) -> Throttling {
        match (self.clients, environment) {
            (LimitedClients::None, _) => Throttling::Off,
            (LimitedClients::Auto, Environment::Development) => Throttling::Remote,
            (LimitedClients::All, _) | (LimitedClients::Auto, Environment::Production) => {
                Throttling::On
            }
        }
    }
}
