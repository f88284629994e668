//! Every error leaves as `application/problem+json` (RFC 9457).

use crate::names;
use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use eyemotion_core::{Coded, ErrorCode, ErrorKind, FieldError};
use serde::Serialize;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// What a client is told when the fault is ours.
const INTERNAL_DETAIL: &str =
    "The server could not do this. It has been logged under the requestId; please try again later.";

/// An error on its way to the client. Made from any domain error by `?`.
///
/// Boxed: it is the rare end of every handler's result.
#[derive(Clone)]
pub struct ApiError(Box<Fault>);

#[derive(Clone)]
struct Fault {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    allow: Vec<Method>,
    /// Goes to the log, never to the client.
    cause: Option<Arc<dyn Error + Send + Sync>>,
    request_id: Option<String>,
}

impl ApiError {
    /// An error that `detail` explains to the client.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Fault {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
            allow: Vec::new(),
            cause: None,
            request_id: None,
        }))
    }

    /// 422 with the values that are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let details: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}", error.pointer, error.detail))
            .collect();
        let mut error = Self::new(ErrorCode::ValidationFailed, details.join("; "));
        error.0.errors = errors;
        error
    }

    /// 405: the path takes other methods.
    pub(crate) fn method_not_allowed(allow: Vec<Method>) -> Self {
        let names: Vec<&str> = allow.iter().map(Method::as_str).collect();
        let detail = format!("This path takes {}.", names.join(", "));
        let mut error = Self::new(ErrorCode::MethodNotAllowed, detail);
        error.0.allow = allow;
        error
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorCode::Internal, "");
        error.0.cause = Some(Arc::from(cause.into()));
        error
    }

    pub(crate) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        self.0.request_id = Some(id.to_owned());
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The cause and its causes, for the log.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.0.detail.clone();
        let mut cause: Option<&(dyn Error + 'static)> = self
            .0
            .cause
            .as_deref()
            .map(|error| error as &(dyn Error + 'static));
        while let Some(error) = cause {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    fn render(&self) -> HttpResponse {
        let ours = self.0.code.kind() == ErrorKind::Internal;
        let detail = if ours {
            INTERNAL_DETAIL
        } else {
            &self.0.detail
        };
        let problem = Problem {
            r#type: format!("/problems/{}", self.0.code.slug()),
            title: self.0.code.title(),
            status: self.status_code().as_u16(),
            detail: detail.to_owned(),
            error: detail.to_owned(),
            code: self.0.code.slug(),
            request_id: self.0.request_id.clone(),
            errors: self.0.errors.iter().map(ProblemField::from).collect(),
            members: self.0.members.clone(),
        };
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        self.add_headers(&mut response);
        response.body(serde_json::to_vec(&problem).unwrap_or_default())
    }

    fn add_headers(&self, response: &mut HttpResponseBuilder) {
        if self.status_code() == StatusCode::UNAUTHORIZED {
            let challenge = match self.0.code {
                ErrorCode::TokenExpired
                | ErrorCode::TokenInvalid
                | ErrorCode::SessionEnded
                | ErrorCode::ApiKeyInvalid => "Bearer realm=\"eyemotion\", error=\"invalid_token\"",
                _ => "Bearer realm=\"eyemotion\"",
            };
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(after) = self.0.retry_after {
            response.insert_header((header::RETRY_AFTER, after.as_secs().max(1).to_string()));
        }
        if !self.0.allow.is_empty() {
            let names: Vec<&str> = self.0.allow.iter().map(Method::as_str).collect();
            if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
                response.insert_header((header::ALLOW, value));
            }
        }
        if self.0.code == ErrorCode::RangeNotSatisfiable
            && let Some(size) = self.0.members.get("size").and_then(Value::as_u64)
        {
            response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        }
    }
}

impl<E: Coded> From<E> for ApiError {
    fn from(error: E) -> Self {
        let errors = error.field_errors();
        let mut made = if errors.is_empty() {
            Self::new(error.code(), error.to_string())
        } else {
            Self::invalid(errors)
        };
        made.0.code = error.code();
        made.0.members = error.members();
        made.0.retry_after = error.retry_after();
        if made.status_code().is_server_error() {
            made.0.cause = Some(error_chain(&error));
        }
        made
    }
}

/// The causes below `error`, flattened: the error itself is consumed by the conversion.
fn error_chain(error: &dyn Error) -> Arc<dyn Error + Send + Sync> {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    Arc::from(Box::<dyn Error + Send + Sync>::from(text))
}

const fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Malformed => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Gone => StatusCode::GONE,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.slug(), self.chain())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status(self.0.code.kind())
    }

    /// Rendered here for whoever asks, and once more by the edge, which knows the request's id.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = self.render();
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// The body of every error, `application/problem+json`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Names the sort of problem; stable.
    #[schema(example = "/problems/project_not_found")]
    r#type: String,
    /// A short sentence, the same for every problem of this sort.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong here, and what would help.
    detail: String,
    /// The same text as `detail`, for existing clients.
    error: String,
    /// The stable code to branch on.
    #[schema(value_type = names::ErrorCode)]
    code: &'static str,
    /// The request's id, to be named in a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = true)]
    request_id: Option<String>,
    /// Each value that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField>,
    /// Further facts of this sort of problem, such as `creditsNeeded`.
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// One value of the request that is wrong.
#[derive(Serialize, ToSchema)]
pub struct ProblemField {
    /// Where: a JSON Pointer (RFC 6901) into the body, or a parameter's name.
    #[schema(example = "/name")]
    pointer: String,
    /// What sort of fault.
    #[schema(example = "too_long")]
    code: &'static str,
    /// What would be right.
    detail: String,
}

impl From<&FieldError> for ProblemField {
    fn from(error: &FieldError) -> Self {
        Self {
            pointer: error.pointer.clone(),
            code: error.code,
            detail: error.detail.clone(),
        }
    }
}
