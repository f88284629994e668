//! Stripe, as far as this crate needs it: async-stripe builds and carries the calls, the answers
//! become narrow structures of ours ([`objects`]), for Stripe adds and moves members with every
//! version of its API and none that we do not read may hurt.

mod calls;
mod error;
pub(crate) mod objects;
mod transport;

pub use error::{Confirmation, StripeError};

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stripe::{CustomizedStripeRequest, RequestStrategy};
use stripe_client_core::{RequestBuilder, StripeClient, StripeMethod};
use transport::Transport;

const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How to reach Stripe.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// `sk_live_`, `sk_test_` or a restricted key.
    pub secret_key: SecretString,
    /// Where Stripe's API is; a double of it in tests.
    pub base_url: String,
    /// For one attempt, until the whole answer has come.
    pub timeout: Duration,
}

impl StripeConfig {
    /// Stripe itself.
    pub const BASE_URL: &str = "https://api.stripe.com";

    /// Stripe itself with this key, and 20 seconds for an attempt.
    pub fn new(secret_key: SecretString) -> Self {
        Self {
            secret_key,
            base_url: Self::BASE_URL.to_owned(),
            timeout: Duration::from_secs(20),
        }
    }
}

/// The key under which Stripe does a call once, however often it is sent. It is made of the id of
/// a row of ours that was committed before the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(stripe::IdempotencyKey);

impl IdempotencyKey {
    /// `{what}:{id}`, at most 255 characters.
    ///
    /// # Errors
    /// [`StripeError::Config`] if it is longer.
    pub fn of(what: &str, id: impl fmt::Display) -> Result<Self, StripeError> {
        stripe::IdempotencyKey::new(format!("{what}:{id}"))
            .map(Self)
            .map_err(|error| StripeError::Config(error.to_string()))
    }
}

/// A client of Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Stripe {
    transport: Arc<Transport>,
    live: bool,
}

impl Stripe {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`StripeError::Config`] if the key cannot stand in a header.
    pub fn new(config: &StripeConfig) -> Result<Self, StripeError> {
        let key = config.secret_key.expose_secret();
        let transport = Transport::new(&config.base_url, &config.secret_key, config.timeout)?;
        Ok(Self {
            transport: Arc::new(transport),
            live: key.starts_with("sk_live_") || key.starts_with("rk_live_"),
        })
    }

    /// Whether the key moves real money: events of the other mode are not ours.
    pub fn is_live(&self) -> bool {
        self.live
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, StripeError> {
        self.send(|| {
            RequestBuilder::new(StripeMethod::Get, path)
                .query(query)
                .customize()
        })
        .await
    }

    /// Tried again only under the same key, so that it is done once.
    async fn post<T: DeserializeOwned>(
        &self,
        key: &IdempotencyKey,
        path: &str,
        form: &Value,
    ) -> Result<T, StripeError> {
        self.send(|| {
            let request = RequestBuilder::new(StripeMethod::Post, path);
            // The encoder makes a parameter of nothing.
            let is_empty = form.as_object().is_some_and(Map::is_empty);
            let request = if is_empty {
                request
            } else {
                request.form(form)
            };
            request
                .customize()
                .request_strategy(RequestStrategy::Idempotent(key.0.clone()))
        })
        .await
    }

    /// What is gone stays gone.
    async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, StripeError> {
        self.send(|| RequestBuilder::new(StripeMethod::Delete, path).customize())
            .await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> stripe_client_core::CustomizableStripeRequest<()>,
    ) -> Result<T, StripeError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let answer = Answer::new(&self.transport);
            match request().send(&answer).await {
                Ok(()) => return answer.read(),
                Err(error) if attempt < ATTEMPTS && error.is_worth_another_try() => {
                    tracing::debug!(attempt, %error, "Stripe is asked again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error),
            }
        }
        Err(StripeError::TimedOut)
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

/// Keeps an answer as it came, for async-stripe itself would read it with another deserializer.
struct Answer<'a> {
    transport: &'a Transport,
    body: OnceLock<Bytes>,
}

impl<'a> Answer<'a> {
    fn new(transport: &'a Transport) -> Self {
        Self {
            transport,
            body: OnceLock::new(),
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, StripeError> {
        let body = self.body.get().map_or(&[][..], AsRef::as_ref);
        serde_json::from_slice(body).map_err(|error| StripeError::Decode(error.into()))
    }
}

impl StripeClient for Answer<'_> {
    type Err = StripeError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, StripeError> {
        let body = self.transport.execute(request).await?;
        // Each answer is used for one call.
        let _ = self.body.set(body);
        Ok(Bytes::from_static(b"null"))
    }
}
