use crate::extract::{Caller, IdempotencyHeader, ValidJson};
use crate::failures::{Always, Conflict, Exhausted, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::routes::payments::view::CheckoutAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_billing::ReturnUrls;
use eyemotion_core::Credits;
use serde::Deserialize;
use utoipa::ToSchema;

/// What to pay for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BuyCreditsBody {
    /// 0.50 THB each; at least what can be charged, 10 THB.
    #[schema(minimum = 20, maximum = 1_000_000, example = 500)]
    credit_amount: i64,
    /// Where the browser goes after paying, on an origin of the server's list. Stripe puts the
    /// session's id for `{CHECKOUT_SESSION_ID}` in it. Without it: a page of the client's.
    #[schema(max_length = 2048)]
    success_url: Option<String>,
    /// Where it goes after turning back.
    #[schema(max_length = 2048)]
    cancel_url: Option<String>,
}

/// Opens a page of Stripe's on which the caller buys credits.
///
/// Asked again for as many, it is the same page while it is open.
#[utoipa::path(
    operation_id = "buyCredits",
    tag = "payments",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = BuyCreditsBody,
    responses((status = 200, description = "The page", body = CheckoutAnswer), SignedIn, Exhausted, Conflict, WithBody, Always)
)]
#[post("/payments/credits")]
pub(super) async fn buy_credits(
    caller: Caller,
    body: ValidJson<BuyCreditsBody>,
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
        .buy_credits(&ctx, Credits(body.credit_amount), urls)
        .await?;
    Ok(HttpResponse::Ok().json(CheckoutAnswer::from(checkout)))
}
