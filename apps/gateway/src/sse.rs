//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use crate::services::Services;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{Error, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use std::pin::pin;
use std::time::Duration;

/// Proxies cut connections that are silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How soon a stream notices that the server is stopping.
const DRAIN_CHECK: Duration = Duration::from_secs(1);

/// Answers with one event of this name for each item; ends with the items, or when the server
/// stops: the client comes back to another replica.
pub fn respond<T: Serialize + 'static>(
    name: &'static str,
    items: impl Stream<Item = T> + 'static,
    services: web::Data<Services>,
) -> HttpResponse {
    let stream = async_stream::stream! {
        let mut items = pin!(items);
        let mut tick = tokio::time::interval(DRAIN_CHECK);
        let mut silent = Duration::ZERO;
        yield Ok::<_, Error>(Bytes::from_static(b"retry: 2000\n\n"));
        loop {
            tokio::select! {
                item = items.next() => {
                    let Some(item) = item else { break };
                    let Ok(data) = serde_json::to_string(&item) else { break };
                    silent = Duration::ZERO;
                    yield Ok(Bytes::from(format!("event: {name}\ndata: {data}\n\n")));
                }
                _ = tick.tick() => {
                    if services.is_draining() {
                        break;
                    }
                    silent += DRAIN_CHECK;
                    if silent >= HEARTBEAT {
                        silent = Duration::ZERO;
                        yield Ok(Bytes::from_static(b": still here\n\n"));
                    }
                }
            }
        }
    };
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compressing would hold events back.
        .insert_header(ContentEncoding::Identity)
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream)
}
