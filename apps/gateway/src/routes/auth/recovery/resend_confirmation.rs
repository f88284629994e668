use super::mail_request::{self, AddressBody};
use crate::extract::{Guest, Limited, Mail, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::MailedProof;

/// Mails another link and code to confirm an address with.
///
/// At most one mail a minute and four an hour go to an address.
/// The answer and its time are the same for every address.
#[utoipa::path(
    operation_id = "resendConfirmation",
    tag = "auth",
    request_body = AddressBody,
    responses((status = 200, description = "A mail is sent if there is such an account", body = Done), WithBody, failures::Limited, Always)
)]
#[post("/auth/confirm/resend")]
pub(super) async fn resend_confirmation(
    _: Limited<Mail>,
    guest: Guest,
    body: ValidJson<AddressBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    mail_request::request(&services, guest, body, MailedProof::Confirmation).await
}
