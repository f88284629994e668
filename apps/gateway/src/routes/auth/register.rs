use crate::extract::{Guest, Limited, Register, ValidJson};
use crate::failures::{self, Always, Conflict, WithBody};
use crate::problem::ApiError;
use crate::routes::auth::view::SessionView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::{NewUser, Registered};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody who wants an account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegisterBody {
    #[schema(max_length = 254, example = "test@example.com")]
    email: String,
    #[schema(value_type = String, min_length = 8, max_length = 256, format = Password)]
    password: SecretString,
    #[schema(min_length = 1, max_length = 200, example = "Test User")]
    full_name: String,
    #[schema(max_length = 200)]
    company_name: Option<String>,
    #[schema(max_length = 100, default = "Film Production")]
    industry: Option<String>,
    #[schema(max_length = 100, default = "Thailand")]
    country: Option<String>,
    #[schema(max_length = 40)]
    phone: Option<String>,
}

/// The new account.
#[derive(Serialize, ToSchema)]
struct RegisterAnswer {
    success: Success,
    message: &'static str,
    user: RegisteredView,
    /// Absent while the address has to be confirmed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionView>,
}

/// Who was registered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegisteredView {
    id: Uuid,
    email: String,
    full_name: String,
    company_name: Option<String>,
}

/// Registers a person.
///
/// Makes the account with its profile, the free plan and its credits. Unless addresses have to be
/// confirmed, the person is signed in at once.
#[utoipa::path(
    operation_id = "registerUser",
    tag = "auth",
    request_body = RegisterBody,
    responses((status = 201, description = "Registered", body = RegisterAnswer), WithBody, Conflict, failures::Limited, Always)
)]
#[post("/auth/register")]
pub(super) async fn register(
    _: Limited<Register>,
    guest: Guest,
    body: ValidJson<RegisterBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let new: NewUser = body.value.into();
    let registered = services.accounts.register(&guest.ctx, new).await?;
    Ok(HttpResponse::Created().json(RegisterAnswer::from(registered)))
}

impl From<RegisterBody> for NewUser {
    fn from(body: RegisterBody) -> Self {
        Self {
            email: body.email,
            password: body.password,
            full_name: body.full_name,
            company_name: body.company_name,
            industry: body.industry,
            country: body.country,
            phone: body.phone,
        }
    }
}

impl From<Registered> for RegisterAnswer {
    fn from(registered: Registered) -> Self {
        let message = if registered.session.is_some() {
            "Registered. Welcome."
        } else {
            "Registered. Confirm the e-mail address to sign in."
        };
        Self {
            success: Success,
            message,
            user: RegisteredView {
                id: registered.id.0,
                email: registered.email.to_string(),
                full_name: registered.full_name,
                company_name: registered.company_name,
            },
            session: registered.session.map(SessionView::from),
        }
    }
}
