//! The first step, and what adding an identity shares with it.

use crate::extract::{Guest, Id, Limited, Origin, SignIn, ValidJson};
use crate::failures::{self, Absent, Always, WithBody};
use crate::names::OauthProvider;
use crate::problem::ApiError;
use crate::routes::oauth::cookie;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::{FlowStart, FlowStarted, Provider};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to go afterwards.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OauthBody {
    /// The client's page that gets `code` and `state`: one of the server's `oauth.redirect_urls`, or
    /// its `frontend_url`, exactly as written there. Absent: the first of these.
    #[schema(max_length = 2048, example = "https://eyemotion.ai/auth/callback")]
    redirect_to: Option<String>,
    /// For clients whose requests carry no cookies: base64url of the SHA-256 of a verifier of 43 to
    /// 128 characters, which the client keeps (RFC 7636, S256).
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
    code_challenge: Option<String>,
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
pub struct OauthAnswer {
    success: Success,
    /// The provider's page.
    #[schema(format = "uri")]
    url: String,
}

/// Begins to sign in through a provider.
///
/// Send the browser to `url`. The provider sends it back to this server's callback, which leads it
/// on to `redirectTo` with `code` and `state` in the query (or `error` and `state`); the page hands
/// both to `POST /auth/callback`. The whole takes 300 seconds at most and works once, in this one
/// browser: the answer sets a cookie that must come back, so a page on another origin of the site
/// calls with `credentials: "include"`. A client that carries no cookies sends `codeChallenge`
/// instead, and the verifier in the end.
#[utoipa::path(
    operation_id = "beginOauth",
    tag = "auth",
    params(("provider" = OauthProvider, Path, description = "Through whom")),
    request_body = OauthBody,
    responses(
        (status = 200, description = "Begun", body = OauthAnswer, headers(("Set-Cookie" = String, description = "Binds the flow to this browser; absent with `codeChallenge`"))),
        WithBody,
        Absent,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/oauth/{provider}")]
pub(super) async fn begin_oauth(
    _: Limited<SignIn>,
    guest: Guest,
    provider: Id<Provider>,
    origin: Origin,
    body: ValidJson<OauthBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let OauthBody {
        redirect_to,
        code_challenge,
    } = body.value;
    let start = FlowStart {
        provider: provider.0,
        redirect_to,
        callback: callback_url(&origin, provider.0),
        code_challenge,
    };
    let started = services.federation.begin(&guest.ctx, start).await?;
    Ok(begun(&origin, started))
}

/// As it has to be registered with the provider.
pub fn callback_url(origin: &Origin, provider: Provider) -> String {
    origin.absolute(&format!("/auth/oauth/{}/callback", provider.as_str()))
}

/// The answer that begins a flow.
pub fn begun(origin: &Origin, started: FlowStarted) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    let browser = started
        .browser
        .and_then(|browser| cookie::set(origin, &started.state, browser));
    if let Some(cookie) = browser {
        response.cookie(cookie);
    }
    response.json(OauthAnswer {
        success: Success,
        url: started.url,
    })
}
