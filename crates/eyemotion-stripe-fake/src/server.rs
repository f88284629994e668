//! HTTP over one listener on the loopback interface.

use crate::controls;
use crate::error::StripeError;
use crate::fault::FaultKind;
use crate::world::{Reply, Request, World};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// What the server and whoever steers it share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connection without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer is given")
    }
}

impl std::error::Error for Cut {}

const NEVER: Duration = Duration::from_mins(10);

pub async fn serve(listener: TcpListener, shared: Shared) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        if shared.lock().down {
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(shared.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the client's to notice.
            drop(
                connection
                    .serve_connection(TokioIo::new(stream), answer)
                    .await,
            );
        });
    }
}

async fn answer(
    shared: Shared,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    if let Some(control) = path.strip_prefix("/_fake/") {
        let (status, told) = controls::answer(&shared, control, &query, &body);
        return Ok(response(status, &told));
    }
    if shared.lock().down {
        return Err(Cut);
    }
    let header = |name: &str| text(&head.headers, name);
    let request = Request {
        method: head.method.to_string(),
        path,
        form: form(&query, &body),
        idempotency_key: header("idempotency-key"),
        api_version: header("stripe-version"),
        authorization: header("authorization"),
        status: None,
        at: shared.lock().state.now,
    };
    let reply = decide(&shared, request).await?;
    Ok(dress(&reply))
}

/// Answers a request, or does what a fault says.
async fn decide(shared: &Shared, request: Request) -> Result<Reply, Cut> {
    let fault = shared.lock().fault(&request);
    match fault {
        Some(FaultKind::ConnectionReset) => {
            shared.lock().log(request, None);
            return Err(Cut);
        }
        Some(FaultKind::Status(status)) => {
            let mut world = shared.lock();
            let reply = world.refuse(&StripeError::status(status));
            world.log(request, Some(&reply));
            return Ok(reply);
        }
        _ => {}
    }
    let in_use = shared.lock().lock(&request);
    if in_use {
        let mut world = shared.lock();
        let reply = world.refuse(&StripeError::idempotency(true));
        world.log(request, Some(&reply));
        return Ok(reply);
    }
    if let Some(FaultKind::Slow(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    let instead = match fault {
        Some(FaultKind::StatusAfterCommit(status)) => Some(status),
        _ => None,
    };
    let silent = [
        Some(FaultKind::TimeoutAfterCommit),
        Some(FaultKind::ResetAfterCommit),
    ];
    let silent = silent.contains(&fault);
    let reply = {
        let mut world = shared.lock();
        let reply = world.serve(&request, instead);
        world.unlock(&request);
        world.log(request, Some(&reply).filter(|_| !silent));
        reply
    };
    if fault == Some(FaultKind::TimeoutAfterCommit) {
        tokio::time::sleep(NEVER).await;
    }
    if silent { Err(Cut) } else { Ok(reply) }
}

/// Names and values of the query and the body.
pub fn form(query: &str, body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .chain(url::form_urlencoded::parse(body))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn dress(reply: &Reply) -> Response<Full<Bytes>> {
    let mut response = response(reply.status, &reply.body);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&reply.request) {
        headers.insert("request-id", id);
    }
    if reply.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    if reply.status == 429 {
        headers.insert("retry-after", HeaderValue::from_static("1"));
        headers.insert("stripe-should-retry", HeaderValue::from_static("true"));
    }
    response
}

fn response(status: u16, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
