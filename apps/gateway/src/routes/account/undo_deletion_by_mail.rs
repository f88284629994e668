use crate::extract::{Guest, ValidJson};
use crate::failures::{Always, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

/// What the mailed link holds.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UndoDeletionBody {
    #[schema(value_type = String, example = "eye_ot_...")]
    token: SecretString,
}

/// Keeps an account after all, by the token of the mailed link.
#[utoipa::path(
    operation_id = "undoAccountDeletionByMail",
    tag = "account",
    request_body = UndoDeletionBody,
    responses(
        (status = 200, description = "The account stays", body = Done),
        (status = 403, description = "The token is not valid, was used, or it is too late", body = Problem, content_type = "application/problem+json"),
        WithBody, Always,
    )
)]
#[post("/auth/account/deletion/undo-by-mail")]
pub(super) async fn undo_account_deletion_by_mail(
    guest: Guest,
    body: ValidJson<UndoDeletionBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let token = body.value.token.expose_secret();
    services
        .privacy
        .undo_deletion_by_mail(&guest.ctx, token)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("The account stays.")))
}
