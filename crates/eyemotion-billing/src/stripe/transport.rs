//! The way out to Stripe: behind async-stripe's seam, with our connection pool, our roots of trust
//! and the whole of a refusal. (The client that async-stripe brings opens a connection for every
//! call and keeps neither the status nor the id of a refusal whose object it cannot read.)

use super::error::StripeError;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use stripe::CustomizedStripeRequest;
use stripe_client_core::{StripeClient, StripeMethod, VERSION};

const MOST_BYTES: usize = 16 * 1024 * 1024;
const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const OUR_NAME: &str = concat!("eyemotion/", env!("CARGO_PKG_VERSION"));

/// One attempt at a time, over connections that are kept.
pub(super) struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Without a slash at its end.
    base: String,
    authorization: HeaderValue,
    timeout: Duration,
}

impl Transport {
    /// Only a double of Stripe, whose address has no TLS, is called without.
    pub(super) fn new(
        base: &str,
        key: &SecretString,
        timeout: Duration,
    ) -> Result<Self, StripeError> {
        let mut roots = RootCertStore::empty();
        // A system has some that cannot be read, and that is no fault of ours.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| StripeError::Config(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let builder = if base.starts_with("http://") {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| StripeError::Config("the key is no text of visible ASCII".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(builder.enable_http1().build()),
            base: base.trim_end_matches('/').to_owned(),
            authorization,
            timeout,
        })
    }

    fn request(
        &self,
        request: CustomizedStripeRequest,
    ) -> Result<Request<Full<Bytes>>, StripeError> {
        let (request, settings) = request.into_pieces();
        let query = request.query.filter(|query| !query.is_empty());
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let method = match request.method {
            StripeMethod::Get => Method::GET,
            StripeMethod::Post => Method::POST,
            StripeMethod::Delete => Method::DELETE,
        };
        let mut builder = Request::builder()
            .method(method)
            .uri(format!("{}/v1{}{query}", self.base, request.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, OUR_NAME)
            .header(STRIPE_VERSION, VERSION.as_str());
        if let Some(key) = settings.request_strategy.and_then(|each| each.get_key()) {
            builder = builder.header(IDEMPOTENCY_KEY, key.as_str());
        }
        if request.body.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        builder
            .body(Full::new(request.body.unwrap_or_default().into()))
            .map_err(|error| StripeError::Config(error.to_string()))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Bytes, StripeError> {
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| StripeError::Transport(error.into()))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(StripeError::Transport)?.to_bytes();
        if head.status == StatusCode::OK {
            return Ok(body);
        }
        let text = |name: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(ToOwned::to_owned)
        };
        let retry_after = text(RETRY_AFTER.as_str()).and_then(|value| value.parse().ok());
        Err(StripeError::refused(
            head.status.as_u16(),
            &body,
            text("request-id"),
            retry_after.map(Duration::from_secs),
        ))
    }
}

impl StripeClient for Transport {
    type Err = StripeError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, StripeError> {
        let request = self.request(request)?;
        tokio::time::timeout(self.timeout, self.exchange(request))
            .await
            .map_err(|_| StripeError::TimedOut)?
    }
}
