use crate::extract::{Device, Limited, SignIn, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::feature_gate::admit_person;
use crate::problem::{ApiError, Problem};
use crate::routes::auth::view::{AccountView, SessionView};
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::{SessionScope, SignedIn};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address and its password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SigninBody {
    #[schema(example = "test@example.com")]
    email: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The person and the new session.
#[derive(Serialize, ToSchema)]
pub(super) struct SigninAnswer {
    success: Success,
    message: &'static str,
    user: SignedInView,
    session: SessionView,
}

impl SigninAnswer {
    /// With a sentence for people.
    pub(super) fn new(message: &'static str, signed_in: SignedIn) -> Self {
        let session = SessionView::from(signed_in.tokens);
        Self {
            success: Success,
            message,
            user: SignedInView {
                account: signed_in.account.into(),
                access_token: session.access_token.clone(),
            },
            session,
        }
    }
}

/// The person, with the access token where existing clients look for it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignedInView {
    #[serde(flatten)]
    account: AccountView,
    /// The same as in `session`.
    access_token: String,
}

/// Signs in.
///
/// An unknown address and a wrong password get the same answer in the same time. After wrong
/// passwords the address is held back, for longer each time; a device that sends the access token
/// of the very account is not, whatever others try. While accounts are switched off, the right
/// password lets admins in and nobody else.
#[utoipa::path(
    operation_id = "signIn",
    tag = "auth",
    request_body = SigninBody,
    responses(
        (status = 200, description = "Signed in", body = SigninAnswer),
        (status = 401, description = "Address or password is wrong", body = Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String, description = "How to sign in"))),
        (status = 403, description = "Banned, or the address is not confirmed", body = Problem, content_type = "application/problem+json"),
        WithBody,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/signin")]
pub(super) async fn signin(
    _: Limited<SignIn>,
    device: Device,
    body: ValidJson<SigninBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let SigninBody { email, password } = body.value;
    let signed_in = services
        .accounts
        .sign_in(&device.ctx, &email, password)
        .await?;
    if let Err(refusal) = admit_person(&services, &signed_in.account).await {
        let token = &signed_in.tokens.access_token;
        let own = device
            .ctx
            .with_actor(services.accounts.authenticate(token)?);
        services
            .sessions
            .sign_out(&own, SessionScope::Local)
            .await?;
        return Err(refusal);
    }
    Ok(HttpResponse::Ok().json(SigninAnswer::new("Signed in.", signed_in)))
}
