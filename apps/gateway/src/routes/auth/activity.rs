use crate::extract::{Caller, PageQuery, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_admin::{AuditActor, AuditEntry};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A page of the caller's activity, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActivityAnswer {
    success: Success,
    activity: Vec<ActivityView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Something that was done with the caller's account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActivityView {
    id: Uuid,
    created_at: Timestamp,
    by: ActivityByView,
    #[schema(example = "session.created")]
    action: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    /// Further facts.
    #[schema(value_type = Object)]
    details: Value,
    ip_address: Option<String>,
    user_agent: Option<String>,
    session_id: Option<Uuid>,
}

/// Who did something with an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActivityByView {
    /// The caller.
    You,
    /// Another person: an operator.
    Operator,
    /// The platform, or somebody who had not signed in yet.
    Platform,
}

impl From<AuditEntry> for ActivityView {
    fn from(entry: AuditEntry) -> Self {
        let by = match entry.actor {
            AuditActor::User(actor) if Some(actor) == entry.user => ActivityByView::You,
            AuditActor::User(_) => ActivityByView::Operator,
            AuditActor::Anonymous | AuditActor::Other(_) => ActivityByView::Platform,
        };
        Self {
            id: entry.id,
            created_at: entry.created_at.into(),
            by,
            action: entry.action,
            resource_type: entry.resource_type,
            resource_id: entry.resource_id,
            details: entry.details,
            ip_address: entry.ip_address,
            user_agent: entry.user_agent,
            session_id: entry.session,
        }
    }
}

/// Lists what was done with the caller's account, newest first.
#[utoipa::path(
    operation_id = "listActivity",
    tag = "auth",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page", body = ActivityAnswer), SignedIn, WithQuery, Always)
)]
#[get("/auth/activity")]
pub(super) async fn list_activity(
    caller: Caller,
    query: ValidQuery<PageQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = query.0.page()?;
    let page = services.audit.own(&caller.ctx, page).await?;
    Ok(HttpResponse::Ok().json(ActivityAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        activity: page.items.into_iter().map(ActivityView::from).collect(),
    }))
}
