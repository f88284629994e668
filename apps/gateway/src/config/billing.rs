//! `[billing]`: rules of paying that are the house's own.

use eyemotion_billing::RedirectOrigins;
use serde::{Deserialize, Serialize};

use super::problem::Problems;

/// The `[billing]` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BillingSettings {
    /// Further addresses whose origins (scheme, host and port) a browser may be led back to after
    /// paying. `server.frontend_url` is one of them, and in development every port of localhost.
    pub redirect_urls: Vec<String>,
    /// How long a plan goes on while its payment is owed.
    pub grace_days: u64,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self {
            redirect_urls: Vec::new(),
            grace_days: 7,
        }
    }
}

impl BillingSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        let origins = RedirectOrigins::new("http://localhost", &self.redirect_urls, true);
        problems.require(
            origins.is_ok(),
            "billing.redirect_urls",
            "each must be a whole address such as https://eyemotion.ai, without user or password",
        );
        problems.require(
            self.grace_days <= 90,
            "billing.grace_days",
            "must be 0 to 90",
        );
    }
}
