use crate::extract::{Caller, ValidJson};
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::routes::payments::view::PlanChangeAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

/// A change of plan.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangePlanBody {
    #[schema(min_length = 1, max_length = 64, example = "pro")]
    plan_name: String,
    /// That of a preview of the last ten minutes: what is charged is then what it showed.
    proration_date: Option<DateTime<Utc>>,
}

/// Changes the plan of the paid subscription.
///
/// A dearer plan begins now, and the rest of the period is charged; a cheaper one begins with the next
/// period. The present plan takes a planned change back. 402 when the card's owner has to confirm the
/// payment: `clientSecret` and `invoiceUrl` say with what, and until then nothing changes.
#[utoipa::path(
    operation_id = "changePlan",
    tag = "payments",
    security(("bearer" = [])),
    request_body = ChangePlanBody,
    responses((status = 200, description = "The change", body = PlanChangeAnswer), SignedIn, Exhausted, Absent, Conflict, WithBody, Always)
)]
#[post("/payments/change-plan")]
pub(super) async fn change_plan(
    caller: Caller,
    body: ValidJson<ChangePlanBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (body, payments) = (body.value, &services.payments);
    let change = payments.change_plan(&caller.ctx, &body.plan_name, body.proration_date);
    Ok(HttpResponse::Ok().json(PlanChangeAnswer::from(change.await?)))
}
