use crate::extract::{ServiceCaller, ValidJson};
use crate::failures::{AdminOnly, Always, WithBody};
use crate::problem::ApiError;
use crate::routes::flags::view::{FlagView, FlagsAnswer};
use crate::services::Services;
use crate::wire::patch;
use actix_web::{HttpResponse, put, web};
use eyemotion_auth::Permission;
use eyemotion_ports::Flag;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The flags to change: what is absent stays, `null` is on for everybody again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "so the flags are called on the wire"
)]
struct UpdateFlagsBody {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<FlagView>, required = false)]
    auth_enabled: Option<Option<Value>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<FlagView>, required = false)]
    payments_enabled: Option<Option<Value>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<FlagView>, required = false)]
    storage_enabled: Option<Option<Value>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<FlagView>, required = false)]
    analytics_enabled: Option<Option<Value>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<FlagView>, required = false)]
    backup_enabled: Option<Option<Value>>,
}

/// Changes feature flags, on every replica within a second.
///
/// For admins, and for API keys with the scope `flags:write`. What a flag that is off covers
/// answers 503 `feature_disabled`. With `authEnabled` off, nobody can register or sign in any more;
/// sessions can still be refreshed and ended, signed-in admins reach everything, and so this.
#[utoipa::path(
    operation_id = "updateFlags",
    tag = "flags",
    security(("bearer" = [])),
    request_body = UpdateFlagsBody,
    responses((status = 200, description = "Changed", body = FlagsAnswer), AdminOnly, WithBody, Always)
)]
#[put("/admin/flags")]
pub(super) async fn update(
    caller: ServiceCaller,
    body: ValidJson<UpdateFlagsBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.permitted(&[Permission::WriteFlags])?;
    let flags = services
        .flag_settings
        .change_flags(&ctx, body.value.changes())
        .await?;
    Ok(HttpResponse::Ok().json(FlagsAnswer::from(flags)))
}

impl UpdateFlagsBody {
    fn changes(self) -> Map<String, Value> {
        let members = [
            (Flag::Auth, self.auth_enabled),
            (Flag::Payments, self.payments_enabled),
            (Flag::Storage, self.storage_enabled),
            (Flag::Analytics, self.analytics_enabled),
            (Flag::Backup, self.backup_enabled),
        ];
        let given = members.into_iter().filter_map(|(flag, change)| {
            let value = change?.unwrap_or_default();
            Some((flag.as_str().to_owned(), value))
        });
        given.collect()
    }
}
