use crate::extract::{Caller, ValidJson};
use crate::failures::{Always, Conflict, Exhausted, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to come back to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortalBody {
    /// On an origin of the server's list; without it: the client's start page.
    #[schema(max_length = 2048)]
    return_url: Option<String>,
}

/// A page for one visit.
#[derive(Serialize, ToSchema)]
struct PortalAnswer {
    success: Success,
    url: String,
}

/// Opens the page of Stripe's on which the caller looks after cards and invoices.
#[utoipa::path(
    operation_id = "openPortal",
    tag = "payments",
    security(("bearer" = [])),
    request_body = PortalBody,
    responses((status = 200, description = "The page", body = PortalAnswer), SignedIn, Exhausted, Conflict, WithBody, Always)
)]
#[post("/payments/portal")]
pub(super) async fn open_portal(
    caller: Caller,
    body: ValidJson<PortalBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let return_url = body.value.return_url;
    let url = services.payments.portal(&caller.ctx, return_url).await?;
    let success = Success;
    Ok(HttpResponse::Ok().json(PortalAnswer { success, url }))
}
