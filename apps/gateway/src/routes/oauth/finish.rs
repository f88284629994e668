use crate::extract::{Guest, Origin, ValidJson};
use crate::failures::{Always, Conflict, WithBody};
use crate::problem::{ApiError, Problem};
use crate::routes::auth::view::{AccountView, SessionView};
use crate::routes::oauth::cookie;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpRequest, HttpResponse, post, web};
use eyemotion_auth::{Federated, FlowFinish};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the page was given.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallbackBody {
    /// The provider's code.
    #[schema(min_length = 1, max_length = 4096)]
    code: String,
    /// The flow's state.
    #[schema(min_length = 1, max_length = 128)]
    state: String,
    /// What `codeChallenge` was made from, if the flow began with one.
    #[schema(min_length = 43, max_length = 128)]
    code_verifier: Option<String>,
    /// The issuer's name for itself, if the page was given one (RFC 9207).
    #[schema(max_length = 2048)]
    iss: Option<String>,
}

/// Who has signed in.
#[derive(Serialize, ToSchema)]
pub struct FederatedAnswer {
    success: Success,
    user: AccountView,
    /// Absent if an identity was added to an account that is signed in already.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionView>,
}

impl From<Federated> for FederatedAnswer {
    fn from(federated: Federated) -> Self {
        Self {
            success: Success,
            user: federated.account.into(),
            session: federated.tokens.map(SessionView::from),
        }
    }
}

/// Ends a sign-in through a provider.
///
/// The `code` and `state` are the provider's own, as `redirectTo` got them in its query; they are
/// good once. Somebody new gets an account. An account with the same address is joined only if the
/// provider has verified it and the account's holder has, too; one whose address nobody ever proved
/// goes to the address's owner, without the password and sessions it had.
#[utoipa::path(
    operation_id = "finishOauth",
    tag = "auth",
    request_body = CallbackBody,
    responses(
        (status = 200, description = "Signed in, or the identity was added", body = FederatedAnswer),
        (status = 401, description = "The session that wanted the identity has ended", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "How to sign in"))),
        (status = 403, description = "The account is banned or closed, or the provider has not verified the address", body = Problem, content_type = "application/problem+json"),
        WithBody,
        Conflict,
        Always,
    )
)]
#[post("/auth/callback")]
pub(super) async fn finish_oauth(
    req: HttpRequest,
    guest: Guest,
    origin: Origin,
    body: ValidJson<CallbackBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let CallbackBody {
        code,
        state,
        code_verifier,
        iss,
    } = body.value;
    let finish = FlowFinish {
        browser: cookie::read(&req, &origin, &state),
        code,
        state: state.clone(),
        code_verifier,
        iss,
    };
    let federated = services.federation.finish(&guest.ctx, finish).await?;
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = cookie::clear(&origin, &state) {
        response.cookie(cookie);
    }
    Ok(response.json(FederatedAnswer::from(federated)))
}
