use crate::extract::Caller;
use crate::failures::{Absent, Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::payments::view::SubscriptionView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's live subscription.
#[derive(Serialize, ToSchema)]
struct SubscriptionAnswer {
    success: Success,
    subscription: SubscriptionView,
}

/// Returns the caller's live subscription.
#[utoipa::path(
    operation_id = "getSubscription",
    tag = "payments",
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription", body = SubscriptionAnswer), SignedIn, Absent, Always)
)]
#[get("/payments/subscription")]
pub(super) async fn get_subscription(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let subscription = services.billing.subscription(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(SubscriptionAnswer {
        success: Success,
        subscription: subscription.into(),
    }))
}
