use crate::extract::{SignOutCaller, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::sessions::ScopeName;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::IntoParams;

/// How far to sign out.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SignoutQuery {
    /// Which sessions are to end; `local` if absent.
    #[param(inline)]
    scope: Option<ScopeName>,
}

/// Ends the caller's session, or several of the caller's.
///
/// Signing out twice changes nothing. An access token that has expired still ends its own session,
/// whatever the scope.
#[utoipa::path(
    operation_id = "signOut",
    tag = "auth",
    security(("bearer" = [])),
    params(SignoutQuery),
    responses((status = 200, description = "Signed out", body = Done), SignedIn, WithQuery, Always)
)]
#[post("/auth/signout")]
pub(super) async fn signout(
    caller: SignOutCaller,
    query: ValidQuery<SignoutQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let wanted = query.0.scope.unwrap_or(ScopeName::Local);
    let scope = caller.at_most(wanted.into());
    services.sessions.sign_out(&caller.ctx, scope).await?;
    Ok(HttpResponse::Ok().json(Done::new("Signed out.")))
}
