use crate::extract::{AdminCaller, ValidQuery};
use crate::failures::{AdminOnly, Always, WithQuery};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, rate};
use actix_web::{HttpResponse, get, web};
use chrono::NaiveDate;
use eyemotion_billing::Cohort;
use eyemotion_core::Ratio;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Whose cohorts are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CohortQuery {
    /// ISO 4217; absent: the platform's own.
    #[param(pattern = "^[A-Z]{3}$", example = "THB")]
    currency: Option<String>,
}

/// Subscribers by the month in which they first paid.
#[derive(Serialize, ToSchema)]
struct CohortsAnswer {
    success: Success,
    cohorts: Vec<CohortView>,
}

/// Those who first paid in one month. Amounts in minor units, tax included.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CohortView {
    /// Its first day.
    month: NaiveDate,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    size: i64,
    /// What they have paid until now.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    gross: i64,
    /// What of it went back.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded: i64,
    /// refunded / gross, to six decimals.
    refund_rate: Option<f64>,
    /// From that month to the present one.
    retention: Vec<RetentionView>,
}

/// A cohort when a month is over.
#[derive(Serialize, ToSchema)]
struct RetentionView {
    /// Its first day.
    month: NaiveDate,
    /// How many still or again pay.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    paying: i64,
    /// paying / size, to six decimals.
    share: Option<f64>,
}

impl From<Cohort> for CohortView {
    fn from(it: Cohort) -> Self {
        let months = it.months.iter().map(|month| RetentionView {
            month: month.month,
            paying: month.paying,
            share: Ratio::new(month.paying, it.size).map(rate),
        });
        Self {
            month: it.month,
            size: it.size,
            gross: it.gross,
            refunded: it.refunded,
            refund_rate: Ratio::new(it.refunded, it.gross).map(rate),
            retention: months.collect(),
        }
    }
}

/// Lists subscribers by the month in which they first paid, the first month first.
#[utoipa::path(
    operation_id = "listCohorts",
    tag = "admin",
    security(("bearer" = [])),
    params(CohortQuery),
    responses((status = 200, description = "At most a minute old", body = CohortsAnswer), AdminOnly, WithQuery, Always)
)]
#[get("/admin/analytics/cohorts")]
pub(super) async fn list_cohorts(
    caller: AdminCaller,
    query: ValidQuery<CohortQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let currency = query.0.currency;
    let cohorts = services.analytics.cohorts(&caller.0.ctx, currency).await?;
    Ok(HttpResponse::Ok().json(CohortsAnswer {
        success: Success,
        cohorts: cohorts.into_iter().map(CohortView::from).collect(),
    }))
}
