use crate::extract::{Caller, ValidQuery};
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::Promotion;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which code.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PromotionQuery {
    /// As people type it.
    #[param(min_length = 1, max_length = 255, example = "PREMIERE")]
    code: String,
}

/// A promotion code that can be used.
#[derive(Serialize, ToSchema)]
struct PromotionAnswer {
    success: Success,
    promotion: PromotionView,
}

/// What a promotion code is worth: a share or an amount.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PromotionView {
    #[schema(example = "PREMIERE")]
    code: String,
    percent_off: Option<f64>,
    /// Minor units of `currency`.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    amount_off: Option<i64>,
    currency: Option<String>,
    /// `once`, `repeating` or `forever`.
    #[schema(example = "once")]
    duration: String,
    /// How long, if it is `repeating`.
    #[schema(maximum = 1200)]
    months: Option<i64>,
    expires_at: Option<Timestamp>,
}

impl From<Promotion> for PromotionView {
    fn from(it: Promotion) -> Self {
        let (amount_off, currency) = it.amount_off.map(|it| (it.amount, it.currency)).unzip();
        Self {
            code: it.code,
            percent_off: it.percent_off,
            amount_off,
            currency,
            duration: it.duration,
            months: it.months,
            expires_at: it.expires_at.map(Timestamp),
        }
    }
}

/// Returns what a promotion code is worth.
#[utoipa::path(
    operation_id = "getPromotionCode",
    tag = "payments",
    security(("bearer" = [])),
    params(PromotionQuery),
    responses((status = 200, description = "It can be used", body = PromotionAnswer), SignedIn, Exhausted, Absent, Conflict, WithQuery, Always)
)]
#[get("/payments/promotion-codes")]
pub(super) async fn get_promotion_code(
    caller: Caller,
    query: ValidQuery<PromotionQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let promotion = services.payments.promotion_code(&caller.ctx, &query.0.code);
    Ok(HttpResponse::Ok().json(PromotionAnswer {
        promotion: promotion.await?.into(),
        success: Success,
    }))
}
