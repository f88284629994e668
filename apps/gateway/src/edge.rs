//! The outermost layer: request ids, one log line for each request, errors in one shape, panics
//! caught, the prefixes that existing clients call.

use crate::problem::ApiError;
use crate::rate_limit::Allowance;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use eyemotion_core::ErrorCode;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// The canonical prefix.
pub const PREFIX: &str = "/api/v1";

/// What clients of the former backend call. The longer one first: it contains the other.
pub const ALIASES: [&str; 2] = [
    "/functions/v1/make-server-7dc8476e",
    "/make-server-7dc8476e",
];

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id, in its extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The middleware.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edge;

impl<S, B> Transform<S, ServiceRequest> for Edge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = EdgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(EdgeService {
            service: Rc::new(service),
        }))
    }
}

/// [`Edge`] around the service below it.
pub struct EdgeService<S> {
    service: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let started = Instant::now();
        let id = request_id(&req);
        req.extensions_mut().insert(RequestId(id.clone()));
        canonical_path(&mut req);
        // HEAD is GET without the body, which the HTTP layer leaves out (RFC 9110 section 9.3.2).
        // Bytes of files are served by a HEAD of their own that does not read them.
        if req.method() == Method::HEAD && !req.path().contains("/storage/") {
            req.head_mut().method = Method::GET;
        }
        let method = req.method().clone();
        let path = req.path().to_owned();
        let span = tracing::info_span!("request", request_id = %id);
        let service = Rc::clone(&self.service);
        let handled = async move {
            let outcome = AssertUnwindSafe(service.call(req)).catch_unwind().await;
            let mut response = match outcome {
                Ok(Ok(response)) => response.map_into_boxed_body(),
                // Only middleware below fails like this; there is no request left to answer with.
                Ok(Err(error)) => return Err(error),
                Err(panic) => {
                    let error = ApiError::internal(panic_text(panic.as_ref())).with_request_id(&id);
                    log(&method, &path, error.status_code(), started, Some(&error));
                    return Err(error.into());
                }
            };
            let problem = as_problem(&mut response, &id);
            log(&method, &path, response.status(), started, problem.as_ref());
            let allowance = response.request().extensions().get::<Allowance>().copied();
            if let Some(allowance) = allowance {
                allowance.show(response.headers_mut());
            }
            finish(response.headers_mut(), &id);
            Ok(response)
        };
        Box::pin(handled.instrument(span))
    }
}

/// The client's own id if it is one that may be logged, else a new one.
fn request_id(req: &ServiceRequest) -> String {
    let given = req
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let good = given.filter(|id| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    });
    good.map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// Rewrites the alias prefixes to the canonical one.
fn canonical_path(req: &mut ServiceRequest) {
    let path = req.uri().path();
    let rest = ALIASES.iter().find_map(|alias| {
        path.strip_prefix(alias)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let Some(rest) = rest else { return };
    let query = req
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let Ok(uri) = format!("{PREFIX}{rest}{query}").parse::<Uri>() else {
        return;
    };
    req.match_info_mut().get_mut().update(&uri);
    req.head_mut().uri = uri;
}

/// Gives the response the one shape of errors; what was wrong is returned for the log.
fn as_problem(response: &mut ServiceResponse, id: &str) -> Option<ApiError> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let ours = response
        .response_mut()
        .extensions_mut()
        .remove::<ApiError>();
    let problem = ours
        .unwrap_or_else(|| foreign(response))
        .with_request_id(id);
    let kept = std::mem::replace(response.headers_mut(), header::HeaderMap::new());
    *response.response_mut() = problem.error_response();
    // CORS and the like stand outside; what they have added stays.
    for (name, value) in kept {
        if name == header::VARY || name.as_str().starts_with("access-control-") {
            response.headers_mut().append(name, value);
        }
    }
    Some(problem)
}

/// An error that the HTTP library made by itself.
fn foreign(response: &ServiceResponse) -> ApiError {
    let (code, detail) = match response.status() {
        StatusCode::NOT_FOUND => (ErrorCode::NotFound, "There is nothing at this path."),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::BodyTooLarge, "The body is too large."),
        StatusCode::REQUEST_TIMEOUT => (
            ErrorCode::RequestTimeout,
            "The request took too long to arrive.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            ErrorCode::UnsupportedMediaType,
            "The content type is not supported here.",
        ),
        status if status.is_client_error() => (
            ErrorCode::MalformedRequest,
            "The request could not be understood.",
        ),
        _ => {
            let cause = response.response().error().map(ToString::to_string);
            return ApiError::internal(cause.unwrap_or_else(|| "an unnamed error".to_owned()));
        }
    };
    ApiError::new(code, detail)
}

fn finish(headers: &mut header::HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// One line for each request: faults of ours are errors with their causes, refusals warnings.
fn log(
    method: &Method,
    path: &str,
    status: StatusCode,
    started: Instant,
    problem: Option<&ApiError>,
) {
    let status = status.as_u16();
    let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match problem {
        Some(problem) if status >= 500 => {
            let (code, cause) = (problem.code().slug(), problem.chain());
            tracing::error!(%method, path, status, elapsed_us, code, cause, "failed");
        }
        Some(problem) => {
            let (code, cause) = (problem.code().slug(), problem.chain());
            tracing::warn!(%method, path, status, elapsed_us, code, cause, "refused");
        }
        None => tracing::info!(%method, path, status, elapsed_us, "answered"),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// Answers in the one shape where no route does.
pub(crate) fn not_found() -> HttpResponse {
    ApiError::new(ErrorCode::NotFound, "There is nothing at this path.").error_response()
}
