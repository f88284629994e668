//! Errors in Stripe's shape: <https://docs.stripe.com/api/errors>.

use serde_json::{Map, Value, json};

/// One refusal, with the status that it is answered with.
#[derive(Clone, Debug)]
pub struct StripeError {
    pub status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
    more: Map<String, Value>,
    /// The state changed all the same, so the answer belongs to its idempotency key.
    pub committed: bool,
}

pub type Answer = Result<Value, StripeError>;

impl StripeError {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            param: None,
            message: message.into(),
            more: Map::new(),
            committed: false,
        }
    }

    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}."))
            .code("parameter_missing")
            .param(param)
    }

    pub fn unknown(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}"))
            .code("parameter_unknown")
            .param(param)
    }

    pub fn not_found(noun: &str, id: &str, param: &str) -> Self {
        let mut error = Self::invalid(format!("No such {noun}: '{id}'"))
            .code("resource_missing")
            .param(param);
        error.status = 404;
        error
    }

    pub fn no_route(method: &str, path: &str) -> Self {
        let mut error = Self::invalid(format!("Unrecognized request URL ({method}: {path})."));
        error.status = 404;
        error
    }

    pub fn unauthorized() -> Self {
        let mut error = Self::invalid("Invalid API Key provided.");
        error.status = 401;
        error
    }

    /// The same key came with another body (400), or while its first use is under way (409).
    pub fn idempotency(in_use: bool) -> Self {
        let mut error = Self::invalid(if in_use {
            "There is currently another in-progress request using this Idempotent Key."
        } else {
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
        });
        error.kind = "idempotency_error";
        if in_use {
            error.status = 409;
            error.code = Some("idempotency_key_in_use");
        }
        error
    }

    /// A card that was refused. What happened stays: a failed charge, an open invoice.
    pub fn card(code: &'static str, decline: Option<&str>, message: &str, intent: Value) -> Self {
        let mut error = Self::invalid(message).code(code);
        error.status = 402;
        error.kind = "card_error";
        error.committed = true;
        if let Some(decline) = decline {
            error.more.insert("decline_code".into(), decline.into());
        }
        if let Some(charge) = intent.get("latest_charge").filter(|it| !it.is_null()) {
            error.more.insert("charge".into(), charge.clone());
        }
        error.more.insert("payment_intent".into(), intent);
        error
    }

    pub fn status(status: u16) -> Self {
        let mut error = Self::invalid(match status {
            429 => "Too many requests hit the API too quickly.",
            409 => {
                "This object cannot be accessed right now because another request is accessing it."
            }
            _ => "An unknown error occurred.",
        });
        error.status = status;
        match status {
            429 => error.code = Some("rate_limit"),
            409 => error.code = Some("lock_timeout"),
            _ => error.kind = "api_error",
        }
        error
    }

    pub fn body(&self, request: &str) -> Value {
        let mut error = self.more.clone();
        error.insert("type".into(), self.kind.into());
        error.insert("message".into(), self.message.clone().into());
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            error.insert(
                "doc_url".into(),
                format!(
                    "https://stripe.com/docs/error-codes/{}",
                    code.replace('_', "-")
                )
                .into(),
            );
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), param.clone().into());
        }
        error.insert(
            "request_log_url".into(),
            format!("https://dashboard.stripe.com/test/logs/{request}").into(),
        );
        json!({ "error": error })
    }
}
