use crate::extract::{Caller, IfMatch, ValidJson, etag};
use crate::failures::{Always, SignedIn, Stale, WithBody};
use crate::problem::ApiError;
use crate::routes::auth::view::ProfileView;
use crate::services::Services;
use crate::wire::{Success, patch};
use actix_web::{HttpResponse, put, web};
use eyemotion_auth::ProfileUpdate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A merge patch (RFC 7396): what is absent stays, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProfileBody {
    #[schema(min_length = 1, max_length = 200)]
    full_name: Option<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, required = false, max_length = 200)]
    company_name: Option<Option<String>>,
    #[schema(max_length = 100)]
    industry: Option<String>,
    #[schema(max_length = 100)]
    country: Option<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, required = false, max_length = 40)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, required = false, max_length = 2048)]
    avatar_url: Option<Option<String>>,
    /// Merged into the stored object.
    #[schema(value_type = Option<Object>)]
    preferences: Option<Map<String, Value>>,
    onboarding_completed: Option<bool>,
}

/// The profile as it is now.
#[derive(Serialize, ToSchema)]
struct UpdateProfileAnswer {
    success: Success,
    message: &'static str,
    profile: ProfileView,
}

/// Changes the caller's profile.
#[utoipa::path(
    operation_id = "updateProfile",
    tag = "auth",
    security(("bearer" = [])),
    params(IfMatch),
    request_body = ProfileBody,
    responses((status = 200, description = "Changed", body = UpdateProfileAnswer), SignedIn, WithBody, Stale, Always)
)]
#[put("/auth/profile")]
pub(super) async fn update_profile(
    caller: Caller,
    if_match: IfMatch,
    body: ValidJson<ProfileBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let update = body.value.into();
    let profile = services
        .accounts
        .update_profile(&caller.ctx, update, if_match.0)
        .await?;
    let tag = etag(profile.version);
    Ok(HttpResponse::Ok()
        .insert_header(tag)
        .json(UpdateProfileAnswer {
            success: Success,
            message: "Profile changed.",
            profile: profile.into(),
        }))
}

impl From<ProfileBody> for ProfileUpdate {
    fn from(body: ProfileBody) -> Self {
        Self {
            full_name: body.full_name,
            company_name: body.company_name,
            industry: body.industry,
            country: body.country,
            phone: body.phone,
            avatar_url: body.avatar_url,
            preferences: body.preferences,
            onboarding_completed: body.onboarding_completed,
        }
    }
}
