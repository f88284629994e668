use crate::extract::Caller;
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn};
use crate::problem::ApiError;
use crate::routes::payments::view::SubscriptionChangeAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};

/// Takes a cancellation back, while the period lasts.
#[utoipa::path(
    operation_id = "resumeSubscription",
    tag = "payments",
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription now", body = SubscriptionChangeAnswer), SignedIn, Exhausted, Absent, Conflict, Always)
)]
#[post("/payments/resume")]
pub(super) async fn resume_subscription(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.payments.resume(&caller.ctx).await?;
    let subscription = services.billing.subscription(&caller.ctx).await?;
    let answer = SubscriptionChangeAnswer::new("The subscription goes on.", subscription);
    Ok(HttpResponse::Ok().json(answer))
}
