use crate::extract::Caller;
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn};
use crate::problem::ApiError;
use crate::routes::payments::view::SubscriptionChangeAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};

/// Ends the subscription with its period.
///
/// Until then everything stays as it is. Once more changes nothing.
#[utoipa::path(
    operation_id = "cancelSubscription",
    tag = "payments",
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription now", body = SubscriptionChangeAnswer), SignedIn, Exhausted, Absent, Conflict, Always)
)]
#[post("/payments/cancel")]
pub(super) async fn cancel_subscription(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.payments.cancel(&caller.ctx).await?;
    let subscription = services.billing.subscription(&caller.ctx).await?;
    let answer =
        SubscriptionChangeAnswer::new("The subscription ends with its period.", subscription);
    Ok(HttpResponse::Ok().json(answer))
}
