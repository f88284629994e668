use crate::extract::{Caller, ValidJson};
use crate::failures::{Always, Limited, SignedIn, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, post, web};
use eyemotion_core::FieldError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The caller's password, once more, or the code that `/auth/reauthenticate/code` has mailed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReauthenticateBody {
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    /// Six digits.
    #[schema(value_type = Option<String>, max_length = 20)]
    code: Option<SecretString>,
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
    responses(
        (status = 200, description = "Proved", body = ReauthenticateAnswer),
        (status = 403, description = "The code is not valid (any more)", body = Problem, content_type = "application/problem+json"),
        SignedIn,
        WithBody,
        Limited,
        Always,
    )
)]
#[post("/auth/reauthenticate")]
pub(super) async fn reauthenticate(
    caller: Caller,
    body: ValidJson<ReauthenticateBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ReauthenticateBody { password, code } = body.value;
    let at = match (password, code) {
        (Some(password), None) => {
            let sessions = &services.sessions;
            sessions.reauthenticate(&caller.ctx, password).await?
        }
        (None, Some(code)) => {
            let recovery = &services.recovery;
            recovery.reauthenticate_with_code(&caller.ctx, code).await?
        }
        (None, None) | (Some(_), Some(_)) => {
            let detail = "give either the password or the code";
            let fault = FieldError::new("/password", "required", detail);
            return Err(ApiError::invalid(vec![fault]));
        }
    };
    Ok(HttpResponse::Ok().json(ReauthenticateAnswer {
        success: Success,
        message: "Thank you.",
        authenticated_at: at.into(),
    }))
}
