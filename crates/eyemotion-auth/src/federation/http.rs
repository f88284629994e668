//! The way out to providers. It follows no redirect, waits 10 seconds and reads 1 MiB at most:
//! an answer from outside is hostile until it has been read.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oauth2::AsyncHttpClient;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

const TIME_OUT: Duration = Duration::from_secs(10);
const MOST_BYTES: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no whole answer within 10 seconds")]
    TimedOut,
    #[error("the answer has more than 1 MiB")]
    TooLarge,
    #[error("the request failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// An HTTP/1.1 client with rustls.
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Http {
    /// A client for the provider at `base`: only one that is itself without TLS, on a developer's
    /// machine, is called without.
    pub(super) fn for_base(base: &str) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        // A system has some that cannot be read, and that is no fault of ours.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let builder = if base.starts_with("http://") {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let connector = builder.enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        tokio::time::timeout(TIME_OUT, self.exchange(request))
            .await
            .map_err(|_| HttpError::TimedOut)?
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let response = self.0.request(request).await;
        let response = response.map_err(|error| HttpError::Failed(error.into()))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                HttpError::TooLarge
            } else {
                HttpError::Failed(error)
            }
        })?;
        Ok(Response::from_parts(head, body.to_bytes().into()))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}
