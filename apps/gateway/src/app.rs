use crate::config::{Environment, ServerSettings};
use crate::edge::{Edge, PREFIX};
use crate::fallback::fallback;
use crate::feature_gate::feature_gate;
use crate::routes::{self, ServiceConfig};
use crate::services::{Limits, Services};
use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header::HeaderName;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use std::net::TcpListener;
use std::time::Duration;

/// Serves on `listener` until told to stop; then running requests have `drain_secs` to end.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    services: web::Data<Services>,
    settings: &ServerSettings,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let limits = web::Data::new(Limits::from(settings));
    let origins = web::Data::new(Origins::new(settings));
    let workers = if settings.workers == 0 {
        cores()
    } else {
        settings.workers
    };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(services.clone())
            .app_data(limits.clone())
            .wrap(from_fn(feature_gate))
            .wrap(Compress::default())
            .wrap(cors(origins.clone()))
            .wrap(Edge)
            .configure(routes::docs::configure)
            .configure(routes::auth::recovery::pages::configure)
            .configure(|config| routes::root(&mut ServiceConfig::Handlers(config)))
            .service(web::scope(PREFIX).configure(|config| {
                routes::api(&mut ServiceConfig::Handlers(config));
            }))
            .default_service(web::to(fallback))
    })
    .workers(workers)
    .client_request_timeout(Duration::from_secs(settings.header_timeout_secs))
    .keep_alive(Duration::from_secs(settings.keep_alive_secs))
    .shutdown_timeout(settings.drain_secs)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Who may call from a browser.
struct Origins {
    exact: Vec<String>,
    /// `https://*.eyemotion.ai` as its two halves.
    patterns: Vec<(String, String)>,
    development: bool,
}

impl Origins {
    fn new(settings: &ServerSettings) -> Self {
        let mut listed: Vec<String> = settings
            .cors_origins
            .iter()
            .map(|origin| origin.to_ascii_lowercase())
            .collect();
        listed.extend(settings.frontend_url.as_deref().and_then(origin_of));
        let (patterns, exact): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|origin| origin.contains('*'));
        let halves = patterns.iter().filter_map(|origin| origin.split_once('*'));
        Self {
            exact,
            patterns: halves.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            development: settings.environment == Environment::Development,
        }
    }

    fn allow(&self, origin: &str) -> bool {
        if self.development && is_localhost(origin) {
            return true;
        }
        self.exact.iter().any(|allowed| allowed == origin)
            || self.patterns.iter().any(|(scheme, domain)| {
                origin
                    .strip_prefix(scheme.as_str())
                    .and_then(|rest| rest.strip_suffix(domain.as_str()))
                    .is_some_and(|label| {
                        !label.is_empty()
                            && label
                                .chars()
                                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
                    })
            })
    }
}

/// `https://host:port` of a URL.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(format!("{scheme}://{host}").to_ascii_lowercase())
}

fn is_localhost(origin: &str) -> bool {
    let Some(host) = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
    else {
        return false;
    };
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok());
    matches!(
        name.map_or(host, |(name, _)| name),
        "localhost" | "127.0.0.1" | "[::1]"
    )
}

fn cors(origins: web::Data<Origins>) -> Cors {
    const EXPOSED: [HeaderName; 10] = [
        HeaderName::from_static("etag"),
        HeaderName::from_static("link"),
        HeaderName::from_static("location"),
        HeaderName::from_static("content-range"),
        HeaderName::from_static("accept-ranges"),
        HeaderName::from_static("content-disposition"),
        HeaderName::from_static("retry-after"),
        HeaderName::from_static("ratelimit"),
        HeaderName::from_static("ratelimit-policy"),
        HeaderName::from_static("x-request-id"),
    ];
    Cors::default()
        .allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|text| origins.allow(text)))
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "apikey",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
            "range",
            "x-client-info",
            "x-request-id",
        ])
        .expose_headers(EXPOSED)
        // The cookie of a sign-in through a provider; everything else goes by bearer token.
        .supports_credentials()
        .max_age(600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://eyemotion.ai", true)]
    #[case("https://studio.eyemotion.ai", true)]
    #[case("https://app.example.com", true)]
    #[case("http://localhost:5173", true)]
    #[case("http://eyemotion.ai", false)]
    #[case("https://eyemotion.ai.evil.com", false)]
    #[case("https://evil.com/.eyemotion.ai", false)]
    #[case("https://evileyemotion.ai", false)]
    #[case("http://localhost.evil.com", false)]
    #[case("http://localhost:80@evil.com", false)]
    #[case("null", false)]
    fn origins_are_matched_whole(#[case] origin: &str, #[case] allowed: bool) {
        let origins = Origins::new(&ServerSettings {
            cors_origins: vec![
                "https://eyemotion.ai".into(),
                "https://*.eyemotion.ai".into(),
            ],
            frontend_url: Some("https://app.example.com/studio".into()),
            ..ServerSettings::default()
        });
        assert_eq!(origins.allow(origin), allowed);
    }
}
