use crate::extract::Guest;
use crate::failures::Always;
use crate::problem::ApiError;
use crate::routes::payments::view::PlanView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// The plans on sale, cheapest first.
#[derive(Serialize, ToSchema)]
struct PlansAnswer {
    success: Success,
    plans: Vec<PlanView>,
}

/// Lists the plans on sale.
#[utoipa::path(
    operation_id = "listPlans",
    tag = "payments",
    responses((status = 200, description = "Cheapest first", body = PlansAnswer), Always)
)]
#[get("/payments/plans")]
pub(super) async fn list_plans(
    guest: Guest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let plans = services.billing.plans(&guest.ctx).await?;
    let plans = plans.into_iter().map(PlanView::from).collect();
    Ok(HttpResponse::Ok().json(PlansAnswer {
        success: Success,
        plans,
    }))
}
