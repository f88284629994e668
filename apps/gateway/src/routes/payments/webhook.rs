use crate::extract::{Guest, RawBody};
use crate::failures::Always;
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Binary;
use actix_web::{HttpRequest, HttpResponse, post, web};
use eyemotion_billing::MAX_BODY;
use serde::Serialize;
use utoipa::ToSchema;

/// What Stripe wants to hear.
#[derive(Serialize, ToSchema)]
struct WebhookAnswer {
    received: bool,
}

/// Takes an event of Stripe's.
///
/// Kept before it is answered and worked on afterwards, in any order and any number of times. No
/// feature flag switches it off: what it tells of has happened.
#[utoipa::path(
    operation_id = "receiveStripeEvent",
    tag = "payments",
    params(("Stripe-Signature" = String, Header, description = "`t=...,v1=...` over the raw body")),
    request_body(content = Binary, content_type = "*/*", description = "An event (docs.stripe.com/api/events/object) byte for byte as it was signed, at most 1 MiB"),
    responses(
        (status = 200, description = "The event is kept", body = WebhookAnswer),
        (status = 400, description = "The signature is not Stripe's, or the event is of the other mode", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The event is too large", body = Problem, content_type = "application/problem+json"),
        Always,
    )
)]
#[post("/payments/webhook")]
pub(super) async fn receive_stripe_event(
    req: HttpRequest,
    guest: Guest,
    services: web::Data<Services>,
    body: RawBody<MAX_BODY>,
) -> Result<HttpResponse, ApiError> {
    let header = req.headers().get("stripe-signature");
    let signature = header.and_then(|value| value.to_str().ok());
    services
        .webhooks
        .receive(&guest.ctx, &body.0, signature)
        .await?;
    Ok(HttpResponse::Ok().json(WebhookAnswer { received: true }))
}
