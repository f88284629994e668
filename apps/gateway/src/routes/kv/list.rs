use crate::extract::{ServiceCaller, ValidQuery};
use crate::failures::{Absent, AdminOnly, Always, WithQuery};
use crate::problem::ApiError;
use crate::routes::kv::path::NamespacePath;
use crate::routes::kv::view::EntryView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use data_encoding::BASE64URL_NOPAD;
use eyemotion_auth::Permission;
use eyemotion_core::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// What their keys begin with; every character means itself.
    #[param(max_length = 512)]
    prefix: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of entries, in the order of their keys' code points.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EntriesAnswer {
    success: Success,
    entries: Vec<EntryView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists entries of the key-value store whose keys begin with a prefix.
///
/// For admins, and for API keys with the scope `kv:read` or `kv:read:<namespace>`.
#[utoipa::path(
    operation_id = "listEntries",
    tag = "kv",
    security(("bearer" = [])),
    params(
        ("namespace" = String, Path, description = "Which part of the store, `default` say"),
        EntryQuery,
    ),
    responses((status = 200, description = "A page", body = EntriesAnswer), AdminOnly, WithQuery, Absent, Always)
)]
#[get("/kv/{namespace}")]
pub(super) async fn list(
    caller: ServiceCaller,
    namespace: NamespacePath,
    query: ValidQuery<EntryQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (namespace, query) = (namespace.0, query.0);
    let ctx = caller.permitted(&[Permission::ReadKv(&namespace)])?;
    let limit = query.limit.unwrap_or(20);
    if limit > 100 {
        let detail = "must be from 1 to 100";
        return Err(ApiError::invalid(vec![FieldError::new(
            "limit",
            "out_of_range",
            detail,
        )]));
    }
    let after = query.cursor.as_deref().map(key_of).transpose()?;
    let prefix = query.prefix.unwrap_or_default();
    let page = services
        .kv
        .get_by_prefix(&ctx, &namespace, &prefix, limit, after.as_deref())
        .await?;
    let view = |entry| EntryView::new(&namespace, entry);
    Ok(HttpResponse::Ok().json(EntriesAnswer {
        success: Success,
        next_cursor: page.next.map(|key| BASE64URL_NOPAD.encode(key.as_bytes())),
        entries: page.entries.into_iter().map(view).collect(),
    }))
}

/// The cursor is the last key seen, in base64url: a key may hold anything.
fn key_of(cursor: &str) -> Result<String, ApiError> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| {
        let detail = "the cursor is not one this server gave out";
        ApiError::invalid(vec![FieldError::new("cursor", "invalid", detail)])
    })
}
