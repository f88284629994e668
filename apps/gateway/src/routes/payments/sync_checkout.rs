use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn};
use crate::names::OrderStatus;
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;

/// What has become of a checkout.
#[derive(Serialize, ToSchema)]
struct SyncAnswer {
    success: Success,
    #[schema(value_type = OrderStatus)]
    status: &'static str,
}

/// Takes over what has become of a checkout, for the page after paying.
///
/// It does what Stripe's own word does a moment later, and doing both is as good as one.
#[utoipa::path(
    operation_id = "syncCheckout",
    tag = "payments",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The checkout's id", max_length = 255)),
    responses((status = 200, description = "Where the order stands", body = SyncAnswer), SignedIn, Exhausted, Absent, Conflict, Always)
)]
#[post("/payments/checkout/{id}/sync")]
pub(super) async fn sync_checkout(
    caller: Caller,
    session: Id<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (payments, ctx) = (&services.payments, &caller.ctx);
    let status = payments.sync_checkout(ctx, &session.0).await?.as_str();
    let success = Success;
    Ok(HttpResponse::Ok().json(SyncAnswer { success, status }))
}
