use crate::edge::PREFIX;
use crate::extract::caller::services;
use crate::problem::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// Where clients reach this server: as configured, else where this very request came to.
pub struct Origin(String);

impl Origin {
    /// Whether clients come over TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The whole URL of a path below the canonical prefix; one of another host stays as it is.
    pub fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') {
            format!("{}{PREFIX}{url}", self.0)
        } else {
            url.to_owned()
        }
    }
}

impl FromRequest for Origin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(origin(req))
    }
}

fn origin(req: &HttpRequest) -> Result<Origin, ApiError> {
    let services = services(req)?;
    if let Some(url) = &services.public_url {
        return Ok(Origin(url.trim_end_matches('/').to_owned()));
    }
    let trusted = req
        .peer_addr()
        .is_some_and(|peer| services.trusted_proxies.contains(peer.ip()));
    let text = |name: header::HeaderName| req.headers().get(name)?.to_str().ok();
    let forwarded = |name: header::HeaderName| text(name).filter(|_| trusted);
    let scheme = forwarded(header::X_FORWARDED_PROTO).unwrap_or("http");
    let host = forwarded(header::X_FORWARDED_HOST)
        .or_else(|| text(header::HOST))
        .map_or_else(|| req.app_config().host().to_owned(), ToOwned::to_owned);
    Ok(Origin(format!("{scheme}://{host}")))
}
