use crate::extract::{Caller, PageQuery, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::CreditUsage;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the caller spent credits on, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageAnswer {
    success: Success,
    usage: Vec<UsageView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One time that credits were spent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageView {
    id: Uuid,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_used: i64,
    #[schema(example = "file_upload")]
    action: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    subscription_id: Option<Uuid>,
    #[schema(value_type = Object)]
    details: Value,
    created_at: Timestamp,
}

impl From<CreditUsage> for UsageView {
    fn from(usage: CreditUsage) -> Self {
        Self {
            id: usage.id,
            credits_used: usage.credits.0,
            action: usage.action,
            resource_type: usage.resource_type,
            resource_id: usage.resource_id,
            subscription_id: usage.subscription_id,
            details: usage.details,
            created_at: usage.created_at.into(),
        }
    }
}

/// Lists what the caller spent credits on.
#[utoipa::path(
    operation_id = "listCreditUsage",
    tag = "payments",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = UsageAnswer), SignedIn, WithQuery, Always)
)]
#[get("/payments/credits/usage")]
pub(super) async fn list_usage(
    caller: Caller,
    query: ValidQuery<PageQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = services.billing.usage(&caller.ctx, query.0.page()?).await?;
    Ok(HttpResponse::Ok().json(UsageAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        usage: page.items.into_iter().map(UsageView::from).collect(),
    }))
}
