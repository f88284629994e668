use crate::extract::{AdminCaller, ValidQuery};
use crate::failures::{AdminOnly, Always, WithQuery};
use crate::names::ReportPeriod;
use crate::problem::ApiError;
use crate::routes::admin::analytics_view::AnalyticsView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::ReportPeriod as Period;
use eyemotion_core::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which figures are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FinancialQuery {
    /// Over how many days, today included; absent: 30d.
    #[param(inline, value_type = Option<ReportPeriod>)]
    period: Option<String>,
    /// ISO 4217; absent: the platform's own.
    #[param(pattern = "^[A-Z]{3}$", example = "THB")]
    currency: Option<String>,
}

/// The money of a period.
#[derive(Serialize, ToSchema)]
struct FinancialAnswer {
    success: Success,
    analytics: AnalyticsView,
}

/// Returns revenue, subscriptions and what is reckoned of them.
#[utoipa::path(
    operation_id = "getFinancialAnalytics",
    tag = "admin",
    security(("bearer" = [])),
    params(FinancialQuery),
    responses((status = 200, description = "At most a minute old", body = FinancialAnswer), AdminOnly, WithQuery, Always)
)]
#[get("/admin/analytics/financial")]
pub(super) async fn get_financial_analytics(
    caller: AdminCaller,
    query: ValidQuery<FinancialQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let FinancialQuery { period, currency } = query.0;
    let period = match period.as_deref().map(str::parse) {
        None => Period::Month,
        Some(Ok(period)) => period,
        Some(Err(error)) => {
            let fault = FieldError::new("period", "invalid", format!("{error}"));
            return Err(ApiError::invalid(vec![fault]));
        }
    };
    let analytics = &services.analytics;
    let report = analytics.financial(&caller.0.ctx, period, currency).await?;
    Ok(HttpResponse::Ok().json(FinancialAnswer {
        success: Success,
        analytics: report.into(),
    }))
}
