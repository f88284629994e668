use crate::extract::{Caller, PageQuery, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::sessions::view::SessionsAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};

/// Lists the devices that the caller is signed in on, newest first.
#[utoipa::path(
    operation_id = "listSessions",
    tag = "sessions",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page", body = SessionsAnswer), SignedIn, WithQuery, Always)
)]
#[get("/auth/sessions")]
pub(super) async fn list(
    caller: Caller,
    query: ValidQuery<PageQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = query.0.page()?;
    let page = services.sessions.list(&caller.ctx, page).await?;
    Ok(HttpResponse::Ok().json(SessionsAnswer::from(page)))
}
