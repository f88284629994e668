//! What all wishes for a mail have in common: one body, one answer.

use crate::extract::{Guest, ValidJson};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::HttpResponse;
use eyemotion_auth::MailedProof;
use serde::Deserialize;
use utoipa::ToSchema;

/// Where a mail is to go.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AddressBody {
    #[schema(max_length = 254, example = "test@example.com")]
    email: String,
}

/// Has the mail sent if there is an account that it is for, and tells everybody the same.
pub(super) async fn request(
    services: &Services,
    guest: Guest,
    body: ValidJson<AddressBody>,
    proof: MailedProof,
) -> Result<HttpResponse, ApiError> {
    let email = &body.value.email;
    services
        .recovery
        .request_proof(&guest.ctx, email, proof)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new(match proof {
        MailedProof::Confirmation => {
            "If an account waits for this address to be confirmed, a mail is on its way."
        }
        MailedProof::PasswordReset | MailedProof::MagicLink => {
            "If there is an account with this address, a mail is on its way."
        }
    })))
}
