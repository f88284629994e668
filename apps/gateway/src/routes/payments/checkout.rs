use crate::extract::{Caller, IdempotencyHeader, ValidJson};
use crate::failures::{Always, Conflict, Exhausted, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::routes::payments::view::CheckoutAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_billing::ReturnUrls;

use serde::Deserialize;
use utoipa::ToSchema;

/// What to pay for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckoutBody {
    #[schema(min_length = 1, max_length = 64, example = "creator")]
    plan_name: String,
    /// Where the browser goes after paying, on an origin of the server's list. Stripe puts the
    /// session's id for `{CHECKOUT_SESSION_ID}` in it. Without it: a page of the client's.
    #[schema(max_length = 2048)]
    success_url: Option<String>,
    /// Where it goes after turning back.
    #[schema(max_length = 2048)]
    cancel_url: Option<String>,
}

/// Opens a page of Stripe's on which the caller subscribes to a plan.
///
/// Asked again for the same, it is the same page while it is open. The price is the plan's.
#[utoipa::path(
    operation_id = "createCheckout",
    tag = "payments",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = CheckoutBody,
    responses((status = 200, description = "The page", body = CheckoutAnswer), SignedIn, Exhausted, Conflict, WithBody, Always)
)]
#[post("/payments/checkout")]
pub(super) async fn create_checkout(
    caller: Caller,
    body: ValidJson<CheckoutBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.idempotent(&body)?;
    let body = body.value;
    let urls = ReturnUrls {
        success: body.success_url,
        cancel: body.cancel_url,
    };
    let checkout = services
        .payments
        .checkout(&ctx, &body.plan_name, urls)
        .await?;
    Ok(HttpResponse::Ok().json(CheckoutAnswer::from(checkout)))
}
