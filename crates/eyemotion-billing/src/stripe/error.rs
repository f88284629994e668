use eyemotion_core::{Coded, ErrorCode};
use serde::Deserialize;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;
use stripe_client_core::StripeClientErr;

/// When it does not say itself when it wants to be asked again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why Stripe did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// It refused (docs.stripe.com/api/errors).
    #[error("Stripe answered {status}: {message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// Its `code`: `resource_missing`, `card_declined` ...
        code: Option<String>,
        /// Its `type`: `card_error`, `invalid_request_error`, `idempotency_error`, `api_error`.
        kind: Box<str>,
        /// Its words, fit for people only when `kind` is `card_error`.
        message: Box<str>,
        /// The payment that it is about, with what the browser needs to confirm it.
        payment_intent: Option<Box<Confirmation>>,
        /// The id under which Stripe finds the call again.
        request_id: Option<String>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// No whole answer in time: whether it did it is unknown.
    #[error("Stripe gave no whole answer in time")]
    TimedOut,
    /// The connection failed: whether it did it is unknown.
    #[error("Stripe cannot be reached")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
    /// The answer is not what Stripe documents.
    #[error("Stripe's answer cannot be read")]
    Decode(#[source] Box<dyn Error + Send + Sync>),
    /// The client cannot be set up so.
    #[error("the client of Stripe cannot be set up: {0}")]
    Config(String),
}

/// A payment that its owner has to confirm, with 3-D Secure for example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Confirmation {
    /// The payment intent's id.
    pub id: String,
    /// Where it stands: `requires_action` ...
    #[serde(default)]
    pub status: String,
    /// What Stripe.js confirms it with; secret to the owner.
    pub client_secret: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Fields,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "type", default)]
    kind: Box<str>,
    code: Option<String>,
    #[serde(default)]
    message: Box<str>,
    payment_intent: Option<Box<Confirmation>>,
}

impl StripeError {
    pub(super) fn refused(
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        // A proxy on the way answers in its own words.
        let fields = serde_json::from_slice::<Refusal>(body).map_or_else(
            |_| Fields {
                kind: "api_error".into(),
                code: None,
                message: "no reason given".into(),
                payment_intent: None,
            },
            |refusal| refusal.error,
        );
        Self::Api {
            status,
            code: fields.code,
            kind: fields.kind,
            message: fields.message,
            payment_intent: fields.payment_intent,
            request_id,
            retry_after,
        }
    }

    pub(super) fn not_found() -> Self {
        Self::Api {
            status: 404,
            code: Some("resource_missing".to_owned()),
            kind: "invalid_request_error".into(),
            message: "no such object".into(),
            payment_intent: None,
            request_id: None,
            retry_after: None,
        }
    }

    /// Whether the same call with the same key may succeed later. A refusal that stands is none.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Api { status, .. } => {
                matches!(status, 409 | 424 | 429 | 500..) && !self.is_key_reused()
            }
            Self::TimedOut | Self::Transport(_) => true,
            Self::Decode(_) | Self::Config(_) => false,
        }
    }

    /// Whether trying again at once, within one use of the client, makes sense.
    pub(super) fn is_worth_another_try(&self) -> bool {
        // Who has waited for a whole time-out has waited long enough.
        self.is_retryable() && !matches!(self, Self::TimedOut)
    }

    /// Whether Stripe does not know the object (any more).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api { status: 404, .. }) || self.has_code("resource_missing")
    }

    /// Whether the idempotency key was used with other parameters before: a mistake of ours.
    pub fn is_key_reused(&self) -> bool {
        matches!(self, Self::Api { kind, code, .. }
            if **kind == *"idempotency_error" && code.as_deref() != Some("idempotency_key_in_use"))
    }

    /// Whether the card or its bank refused.
    pub fn is_card_error(&self) -> bool {
        matches!(self, Self::Api { kind, status, .. } if **kind == *"card_error" || *status == 402)
    }

    /// Whether it carries this code.
    pub fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Api { code: Some(code), .. } if code == wanted)
    }
}

impl Coded for StripeError {
    fn code(&self) -> ErrorCode {
        match self {
            // A key that Stripe does not take is no key.
            Self::Api {
                status: 401 | 403, ..
            }
            | Self::Config(_) => ErrorCode::BillingNotConfigured,
            Self::Api { .. } if self.is_card_error() => ErrorCode::PaymentDeclined,
            Self::Api { .. } if !self.is_retryable() => ErrorCode::PaymentRefused,
            Self::Api { .. } | Self::TimedOut | Self::Transport(_) | Self::Decode(_) => {
                ErrorCode::PaymentsUnavailable
            }
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let wanted = match self {
            Self::Api { retry_after, .. } => *retry_after,
            _ => None,
        };
        (self.code() == ErrorCode::PaymentsUnavailable).then(|| wanted.unwrap_or(RETRY_AFTER))
    }
}

impl StripeClientErr for StripeError {
    fn deserialize_err(message: impl Display) -> Self {
        Self::Decode(message.to_string().into())
    }
}
