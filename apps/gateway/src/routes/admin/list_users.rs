use crate::extract::{AdminCaller, PageQuery, ValidQuery};
use crate::failures::{AdminOnly, Always, WithQuery};
use crate::problem::ApiError;
use crate::routes::admin::view::{AccountStatusView, AdminUserView};
use crate::routes::auth::view::RoleView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use eyemotion_auth::{AccountStatus, Part, PeopleFilter};
use eyemotion_core::{FieldError, UserRole};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Beyond this, lists are read by cursor.
const LAST_PAGE: i64 = 1000;

/// Which people are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Which page; not together with a cursor.
    #[param(minimum = 1, maximum = 1000, default = 1)]
    page: Option<i64>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// A piece of the e-mail address or the name.
    #[param(min_length = 1, max_length = 254)]
    filter: Option<String>,
    /// Only those of this role.
    #[param(value_type = Option<RoleView>)]
    role: Option<String>,
    /// Only those who stand so; absent: all but the deleted.
    #[param(value_type = Option<AccountStatusView>)]
    status: Option<String>,
}

/// A page of people, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsersAnswer {
    success: Success,
    users: Vec<AdminUserView>,
    pagination: PaginationView,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaginationView {
    /// Absent where the page was asked for by cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    page: Option<i64>,
    #[schema(minimum = 1, maximum = 100)]
    limit: i64,
    /// People in the whole list.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// Pages of the whole list.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    pages: i64,
}

/// Lists people, newest first.
#[utoipa::path(
    operation_id = "listUsers",
    tag = "admin",
    security(("bearer" = [])),
    params(UserQuery),
    responses((status = 200, description = "A page", body = UsersAnswer), AdminOnly, WithQuery, Always)
)]
#[get("/admin/users")]
pub(super) async fn list_users(
    caller: AdminCaller,
    query: ValidQuery<UserQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (filter, part) = query.0.parse()?;
    let list = services.people.list(&caller.0.ctx, filter, part).await?;
    let (page, limit) = match part {
        Part::Numbered { page, limit } => (Some(page), limit),
        Part::After(page) => (None, page.limit),
    };
    let rounded_up = list.total.saturating_add(limit - 1) / limit;
    Ok(HttpResponse::Ok().json(UsersAnswer {
        success: Success,
        pagination: PaginationView {
            page,
            limit,
            total: list.total,
            pages: rounded_up,
        },
        next_cursor: list.next.map(|next| next.encode()),
        users: list.people.into_iter().map(AdminUserView::from).collect(),
    }))
}

impl UserQuery {
    fn parse(self) -> Result<(PeopleFilter, Part), ApiError> {
        let by_cursor = self.cursor.is_some();
        let wanted = PageQuery::new(self.limit, self.cursor).page()?;
        let part = match self.page {
            None if by_cursor => Part::After(wanted),
            page => Part::Numbered {
                page: page.unwrap_or(1),
                limit: wanted.limit,
            },
        };
        let mut errors = Vec::new();
        if self.page.is_some() && by_cursor {
            let detail = "must not be given together with a cursor";
            errors.push(FieldError::new("page", "conflict", detail));
        }
        if self
            .page
            .is_some_and(|page| !(1..=LAST_PAGE).contains(&page))
        {
            let detail = format!("must be from 1 to {LAST_PAGE}; go further by cursor");
            errors.push(FieldError::new("page", "out_of_range", detail));
        }
        let text = self.filter;
        if text
            .as_ref()
            .is_some_and(|text| !(1..=254).contains(&text.chars().count()))
        {
            let detail = "must have 1 to 254 characters";
            errors.push(FieldError::new("filter", "out_of_range", detail));
        }
        let role = self.role.map(|text| text.parse::<UserRole>());
        if matches!(role, Some(Err(_))) {
            let detail = "must be one of user, admin, super_admin";
            errors.push(FieldError::new("role", "unknown_value", detail));
        }
        let status = self.status.map(|text| AccountStatus::parse(&text));
        if status == Some(None) {
            let detail = "must be one of active, unconfirmed, banned, deleted";
            errors.push(FieldError::new("status", "unknown_value", detail));
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        let filter = PeopleFilter {
            text,
            role: role.and_then(Result::ok),
            status: status.flatten(),
        };
        Ok((filter, part))
    }
}
