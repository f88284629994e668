use crate::extract::Caller;
use crate::failures::{Always, SignedIn};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::CreditsOverview;
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's credits.
#[derive(Serialize, ToSchema)]
struct CreditsAnswer {
    success: Success,
    credits: CreditsView,
}

/// A balance and what it is made of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreditsView {
    /// What can be spent now.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    balance: i64,
    /// What came with the plan in this period.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    included: i64,
    /// What of that is spent.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    used: i64,
    /// What is left of bought and given credits.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    extra: i64,
    /// What is set aside for work under way.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    held: i64,
    /// When the included ones end and new ones come.
    resets_at: Option<Timestamp>,
}

impl From<CreditsOverview> for CreditsView {
    fn from(credits: CreditsOverview) -> Self {
        Self {
            balance: credits.balance.0,
            included: credits.included.0,
            used: credits.used.0,
            extra: credits.extra.0,
            held: credits.held.0,
            resets_at: credits.resets_at.map(Timestamp),
        }
    }
}

/// Returns the caller's credits.
#[utoipa::path(
    operation_id = "getCredits",
    tag = "payments",
    security(("bearer" = [])),
    responses((status = 200, description = "The balance", body = CreditsAnswer), SignedIn, Always)
)]
#[get("/payments/credits")]
pub(super) async fn get_credits(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let credits = services.billing.credits(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(CreditsAnswer {
        success: Success,
        credits: credits.into(),
    }))
}
