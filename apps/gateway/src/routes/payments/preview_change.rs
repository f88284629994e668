use crate::extract::{Caller, ValidQuery};
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::payments::view::PlanChangeAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which plan.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// The plan's name.
    #[param(min_length = 1, max_length = 64, example = "pro")]
    plan_name: String,
}

/// Returns what a change of plan would cost, to the satang.
#[utoipa::path(
    operation_id = "previewPlanChange",
    tag = "payments",
    security(("bearer" = [])),
    params(PreviewQuery),
    responses((status = 200, description = "The change, as it would be", body = PlanChangeAnswer), SignedIn, Exhausted, Absent, Conflict, WithQuery, Always)
)]
#[get("/payments/change-plan/preview")]
pub(super) async fn preview_plan_change(
    caller: Caller,
    query: ValidQuery<PreviewQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let plan = &query.0.plan_name;
    let change = services.payments.preview_change(&caller.ctx, plan).await?;
    Ok(HttpResponse::Ok().json(PlanChangeAnswer::from(change)))
}
