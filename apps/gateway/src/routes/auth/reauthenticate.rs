use crate::extract::{Caller, ValidJson};
use crate::failures::{Always, Limited, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, post, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The caller's password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReauthenticateBody {
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Since when the caller's word counts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReauthenticateAnswer {
    success: Success,
    message: &'static str,
    authenticated_at: Timestamp,
}

/// Proves once more who the caller is.
///
/// What is dangerous (another password or address, deleting the account) answers 403
/// `reauthentication_needed` with `maxAge`, in seconds, unless the caller signed in or called this
/// less than so long ago.
#[utoipa::path(
    operation_id = "reauthenticate",
    tag = "auth",
    security(("bearer" = [])),
    request_body = ReauthenticateBody,
    responses((status = 200, description = "Proved", body = ReauthenticateAnswer), SignedIn, WithBody, Limited, Always)
)]
#[post("/auth/reauthenticate")]
pub(super) async fn reauthenticate(
    caller: Caller,
    body: ValidJson<ReauthenticateBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let password = body.value.password;
    let at = services
        .sessions
        .reauthenticate(&caller.ctx, password)
        .await?;
    Ok(HttpResponse::Ok().json(ReauthenticateAnswer {
        success: Success,
        message: "Thank you.",
        authenticated_at: at.into(),
    }))
}
