use crate::extract::{AdminCaller, PageQuery, ValidQuery};
use crate::failures::{AdminOnly, Always, WithQuery};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use eyemotion_admin::{AuditEntry, AuditFilter};
use eyemotion_core::{FieldError, PageRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which lines are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those in the log of this person.
    #[param(value_type = Option<Uuid>)]
    user_id: Option<String>,
    /// Only those of what this person did.
    #[param(value_type = Option<Uuid>)]
    actor_id: Option<String>,
    /// Only those of this action.
    #[param(min_length = 1, max_length = 100, example = "account.role_changed")]
    action: Option<String>,
    /// Only those of this moment and later ones.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Only those before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
}

/// A page of the audit log, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditAnswer {
    success: Success,
    entries: Vec<AuditEntryView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntryView {
    id: Uuid,
    created_at: Timestamp,
    /// In whose log it stands.
    user_id: Option<Uuid>,
    /// Who acted: `user:` and an id, `system:` and a part of the platform, `api_key:` and an id,
    /// or `anonymous`.
    #[schema(example = "system:auth")]
    actor: String,
    #[schema(example = "project.created")]
    action: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    /// Further facts.
    #[schema(value_type = Object)]
    details: Value,
    ip_address: Option<String>,
    user_agent: Option<String>,
    session_id: Option<Uuid>,
    request_id: Option<String>,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            created_at: entry.created_at.into(),
            user_id: entry.user.map(|user| user.0),
            actor: entry.actor.name(),
            action: entry.action,
            resource_type: entry.resource_type,
            resource_id: entry.resource_id,
            details: entry.details,
            ip_address: entry.ip_address,
            user_agent: entry.user_agent,
            session_id: entry.session,
            request_id: entry.request_id,
        }
    }
}

/// Lists the audit log, newest first.
#[utoipa::path(
    operation_id = "listAudit",
    tag = "admin",
    security(("bearer" = [])),
    params(AuditQuery),
    responses((status = 200, description = "A page", body = AuditAnswer), AdminOnly, WithQuery, Always)
)]
#[get("/admin/audit")]
pub(super) async fn list_audit(
    caller: AdminCaller,
    query: ValidQuery<AuditQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.parse()?;
    let page = services.audit.list(&caller.0.ctx, filter, page).await?;
    Ok(HttpResponse::Ok().json(AuditAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        entries: page.items.into_iter().map(AuditEntryView::from).collect(),
    }))
}

impl AuditQuery {
    fn parse(self) -> Result<(AuditFilter, PageRequest), ApiError> {
        let page = PageQuery::new(self.limit, self.cursor).page()?;
        let mut errors = Vec::new();
        let mut fault = |name: &str, detail: &str| {
            errors.push(FieldError::new(name, "invalid", detail));
        };
        let mut id = |name, text: Option<String>| {
            let id = text?.parse().ok();
            if id.is_none() {
                fault(name, "must be a UUID");
            }
            id
        };
        let user = id("userId", self.user_id);
        let actor = id("actorId", self.actor_id);
        let mut moment = |name, text: Option<String>| {
            let moment: Option<DateTime<Utc>> = text?.parse().ok();
            if moment.is_none() {
                fault(name, "must be a moment such as 2026-01-31T00:00:00Z");
            }
            moment
        };
        let from = moment("from", self.from);
        let to = moment("to", self.to);
        if let Some(action) = &self.action
            && !(1..=100).contains(&action.chars().count())
        {
            fault("action", "must have 1 to 100 characters");
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        let filter = AuditFilter {
            user,
            actor,
            action: self.action,
            from,
            to,
        };
        Ok((filter, page))
    }
}
