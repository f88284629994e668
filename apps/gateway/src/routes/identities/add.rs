use crate::extract::{Caller, Origin, ValidJson};
use crate::failures::{Always, SignedIn, WithBody};
use crate::names::OauthProvider;
use crate::problem::{ApiError, Problem};
use crate::routes::oauth::begin::{OauthAnswer, begun, callback_url};
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::{FlowStart, Provider};
use eyemotion_core::FieldError;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which identity, and where to go afterwards.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IdentityBody {
    #[schema(value_type = OauthProvider)]
    provider: String,
    /// As for `POST /auth/oauth/{provider}`.
    #[schema(max_length = 2048)]
    redirect_to: Option<String>,
    /// As for `POST /auth/oauth/{provider}`.
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
    code_challenge: Option<String>,
}

/// Begins to add an identity to the caller's account.
///
/// Goes on as a sign-in does; `POST /auth/callback` then answers without a session, for there is one.
#[utoipa::path(
    operation_id = "addIdentity",
    tag = "auth",
    security(("bearer" = [])),
    request_body = IdentityBody,
    responses(
        (status = 200, description = "Begun", body = OauthAnswer, headers(("Set-Cookie" = String, description = "Binds the flow to this browser; absent with `codeChallenge`"))),
        (status = 403, description = "Prove once more who you are", body = Problem, content_type = "application/problem+json"),
        SignedIn,
        WithBody,
        Always,
    )
)]
#[post("/auth/identities")]
pub(super) async fn add_identity(
    caller: Caller,
    origin: Origin,
    body: ValidJson<IdentityBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let IdentityBody {
        provider,
        redirect_to,
        code_challenge,
    } = body.value;
    let provider: Provider = provider.parse().map_err(|_| {
        let names = Provider::ALL.iter().map(|provider| provider.as_str());
        let detail = format!("must be one of {}", names.collect::<Vec<_>>().join(", "));
        ApiError::invalid(vec![FieldError::new("/provider", "invalid", detail)])
    })?;
    let start = FlowStart {
        provider,
        redirect_to,
        callback: callback_url(&origin, provider),
        code_challenge,
    };
    let started = services.federation.begin(&caller.ctx, start).await?;
    Ok(begun(&origin, started))
}
