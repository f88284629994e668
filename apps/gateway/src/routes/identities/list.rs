use crate::extract::Caller;
use crate::failures::{Always, SignedIn};
use crate::names::OauthProvider;
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_auth::Identity;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The caller's identities, oldest first.
#[derive(Serialize, ToSchema)]
struct IdentitiesAnswer {
    success: Success,
    identities: Vec<IdentityView>,
}

/// An account elsewhere with which the person signs in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct IdentityView {
    id: Uuid,
    #[schema(value_type = OauthProvider)]
    provider: String,
    /// The address that the provider gave.
    email: Option<String>,
    /// Whether the provider had verified it.
    email_verified: bool,
    created_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider,
            email: identity.email,
            email_verified: identity.email_verified,
            created_at: identity.created_at.into(),
            last_sign_in_at: identity.last_sign_in_at.map(Timestamp),
        }
    }
}

/// Lists the caller's identities.
#[utoipa::path(
    operation_id = "listIdentities",
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "All of them", body = IdentitiesAnswer), SignedIn, Always)
)]
#[get("/auth/identities")]
pub(super) async fn list_identities(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let identities = services.federation.identities(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(IdentitiesAnswer {
        success: Success,
        identities: identities.into_iter().map(IdentityView::from).collect(),
    }))
}
