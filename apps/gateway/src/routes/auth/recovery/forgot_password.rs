use super::mail_request::{self, AddressBody};
use crate::extract::{Guest, Limited, Mail, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::MailedProof;

/// Mails a link and a code to set a new password with.
///
/// The link is good for 30 minutes, the code for 10.
/// The answer and its time are the same for every address.
#[utoipa::path(
    operation_id = "forgotPassword",
    tag = "auth",
    request_body = AddressBody,
    responses((status = 200, description = "A mail is sent if there is such an account", body = Done), WithBody, failures::Limited, Always)
)]
#[post("/auth/password/forgot")]
pub(super) async fn forgot_password(
    _: Limited<Mail>,
    guest: Guest,
    body: ValidJson<AddressBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    mail_request::request(&services, guest, body, MailedProof::PasswordReset).await
}
