use super::mail_request::{self, AddressBody};
use crate::extract::{Guest, Limited, Mail, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::MailedProof;

/// Mails a link and a code to sign in with.
///
/// Makes no account. Both are good for 10 minutes.
/// The answer and its time are the same for every address.
#[utoipa::path(
    operation_id = "sendMagicLink",
    tag = "auth",
    request_body = AddressBody,
    responses((status = 200, description = "A mail is sent if there is such an account", body = Done), WithBody, failures::Limited, Always)
)]
#[post("/auth/magic-link")]
pub(super) async fn send_magic_link(
    _: Limited<Mail>,
    guest: Guest,
    body: ValidJson<AddressBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    mail_request::request(&services, guest, body, MailedProof::MagicLink).await
}
