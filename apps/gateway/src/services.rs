use crate::config::ServerSettings;
use crate::rate_limit::RateLimits;
use eyemotion_admin::{Audit, Overview};
use eyemotion_auth::{
    Accounts, ApiKeys, Federation, People, Privacy, Recovery, SessionGate, Sessions,
};
use eyemotion_billing::{Analytics, Billing, Payments, Webhooks};
use eyemotion_health::Health;
use eyemotion_kv::{FlagSettings, KeyValue};
use eyemotion_ports::Flags;
use eyemotion_projects::Projects;
use eyemotion_storage::Files;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the routes call. One of it for the process.
pub struct Services {
    /// People, sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// Who may come in.
    pub gate: Arc<dyn SessionGate>,
    /// Getting in and back in by mail.
    pub recovery: Arc<dyn Recovery>,
    /// Sign-in through providers.
    pub federation: Arc<dyn Federation>,
    /// What people may have done with what is kept about them.
    pub privacy: Arc<dyn Privacy>,
    /// Where people are signed in.
    pub sessions: Arc<dyn Sessions>,
    /// People, as operators know them.
    pub people: Arc<dyn People>,
    /// The audit log.
    pub audit: Arc<dyn Audit>,
    /// The figures of the business.
    pub analytics: Arc<dyn Analytics>,
    /// How many people and projects there are.
    pub overview: Arc<dyn Overview>,
    /// Plans, subscriptions and credits.
    pub billing: Arc<dyn Billing>,
    /// What people pay for.
    pub payments: Arc<dyn Payments>,
    /// What Stripe tells.
    pub webhooks: Arc<dyn Webhooks>,
    /// Projects.
    pub projects: Arc<dyn Projects>,
    /// Files and their bytes.
    pub files: Arc<dyn Files>,
    /// How everything is.
    pub health: Arc<dyn Health>,
    /// The key-value store.
    pub kv: Arc<dyn KeyValue>,
    /// Feature flags, for whoever changes them.
    pub flag_settings: Arc<dyn FlagSettings>,
    /// Feature flags, for whoever obeys them.
    pub flags: Arc<dyn Flags>,
    /// Keys with which programs call.
    pub api_keys: Arc<dyn ApiKeys>,
    /// How often one client may try something.
    pub rate_limits: RateLimits,
    /// Whose word about a client's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// Where clients reach this server; none: where the request says it came to.
    pub public_url: Option<String>,
    /// `development` or `production`, shown by the health route.
    pub environment: &'static str,
    pub(crate) draining: AtomicBool,
}

impl Services {
    /// Whether the server has been told to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// What a request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest JSON body, bytes.
    pub max_body_bytes: usize,
    /// Within which a JSON body must have arrived; in an upload, the longest silence.
    pub body_timeout: Duration,
}

impl From<&ServerSettings> for Limits {
    fn from(settings: &ServerSettings) -> Self {
        Self {
            max_body_bytes: settings.max_body_bytes,
            body_timeout: Duration::from_secs(settings.body_timeout_secs),
        }
    }
}

/// Proxies in front of the server, by network.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks; the configuration has checked that they are such.
    pub fn new(networks: &[String]) -> Self {
        let parse = |text: &String| {
            text.parse()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        };
        Self(networks.iter().filter_map(parse).collect())
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    }
}
