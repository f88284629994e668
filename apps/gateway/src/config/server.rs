//! `[server]`: the HTTP listener and what it accepts.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::problem::Problems;

/// Where this server runs; shown in `/health`, and development adds localhost to the CORS list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A person's own machine.
    Development,
    /// Users depend on it.
    Production,
}

impl Environment {
    /// The name as it is set and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// The `[server]` section. Sizes are bytes, times seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerSettings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Threads that answer requests; 0 is one per core.
    pub workers: usize,
    /// Development or production.
    pub environment: Environment,
    /// The URL under which clients reach this server; upload and download URLs start with it.
    /// Absent: `http://<host>:<port>`.
    pub public_url: Option<String>,
    /// The web client's URL: links in mail lead there and its origin may call this server.
    pub frontend_url: Option<String>,
    /// Origins that may call this server from a browser; one `*` may stand for a subdomain.
    pub cors_origins: Vec<String>,
    /// Addresses or networks (`10.0.0.0/8`) of proxies whose `Forwarded` headers are believed.
    pub trusted_proxies: Vec<String>,
    /// Largest JSON body. Uploads have their own limit in `[storage]`.
    pub max_body_bytes: usize,
    /// Time for a client to send its request headers.
    pub header_timeout_secs: u64,
    /// Time within which a JSON body must have arrived, and the longest silence in an upload.
    pub body_timeout_secs: u64,
    /// How long an idle connection is kept.
    pub keep_alive_secs: u64,
    /// How long running requests may take to end after SIGTERM.
    pub drain_secs: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8000,
            workers: 0,
            environment: Environment::Development,
            public_url: None,
            frontend_url: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            max_body_bytes: 1024 * 1024,
            header_timeout_secs: 10,
            body_timeout_secs: 30,
            keep_alive_secs: 75,
            drain_secs: 30,
        }
    }
}

impl ServerSettings {
    /// Where clients reach this server, as far as the settings tell.
    pub fn own_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| {
            let host = match self.host {
                any if any.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
                host => host,
            };
            format!("http://{}", SocketAddr::new(host, self.port))
        })
    }

    pub(super) fn validate(&self, problems: &mut Problems) {
        let web = |url: &Option<String>| url.as_deref().is_none_or(is_web_url);
        let url = "must start with http:// or https:// and name a host";
        problems.require(web(&self.public_url), "server.public_url", url);
        problems.require(web(&self.frontend_url), "server.frontend_url", url);
        problems.require(
            self.cors_origins.iter().all(|origin| is_origin(origin)),
            "server.cors_origins",
            "each must be an origin such as https://eyemotion.ai or https://*.eyemotion.ai, \
             without a path",
        );
        problems.require(
            self.trusted_proxies
                .iter()
                .all(|network| is_network(network)),
            "server.trusted_proxies",
            "each must be an IP address or a network such as 10.0.0.0/8",
        );
        problems.require(
            self.workers <= 1024,
            "server.workers",
            "must be at most 1024",
        );
        problems.require(
            (1024..=64 * 1024 * 1024).contains(&self.max_body_bytes),
            "server.max_body_bytes",
            "must be from 1024 (1 KiB) to 67108864 (64 MiB)",
        );
        for (key, seconds) in [
            ("server.header_timeout_secs", self.header_timeout_secs),
            ("server.body_timeout_secs", self.body_timeout_secs),
        ] {
            problems.require(
                (1..=3600).contains(&seconds),
                key,
                "must be from 1 to 3600 seconds",
            );
        }
        for (key, seconds) in [
            ("server.keep_alive_secs", self.keep_alive_secs),
            ("server.drain_secs", self.drain_secs),
        ] {
            problems.require(seconds <= 3600, key, "must be at most 3600 seconds");
        }
    }
}

fn after_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
}

fn is_web_url(url: &str) -> bool {
    after_scheme(url).is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !rest.contains(char::is_whitespace)
    })
}

fn is_origin(origin: &str) -> bool {
    after_scheme(origin).is_some_and(|host| {
        !host.is_empty()
            && !host.contains(['/', '?', '#', '@'])
            && !host.contains(char::is_whitespace)
            && (!host.contains('*') || host.starts_with("*.") && host.matches('*').count() == 1)
    })
}

fn is_network(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok()
}
