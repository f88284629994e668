use crate::extract::{AdminCaller, PageQuery, ValidQuery};
use crate::failures::{AdminOnly, Always, WithQuery};
use crate::problem::ApiError;
use crate::routes::api_keys::view::ApiKeyView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of API keys, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApiKeysAnswer {
    success: Success,
    api_keys: Vec<ApiKeyView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the API keys of all admins, also those that work no more.
#[utoipa::path(
    operation_id = "listApiKeys",
    tag = "api-keys",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page", body = ApiKeysAnswer), AdminOnly, WithQuery, Always)
)]
#[get("/api-keys")]
pub(super) async fn list(
    caller: AdminCaller,
    query: ValidQuery<PageQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = query.0.page()?;
    let page = services.api_keys.list(&caller.0.ctx, page).await?;
    Ok(HttpResponse::Ok().json(ApiKeysAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        api_keys: page.items.into_iter().map(ApiKeyView::from).collect(),
    }))
}
