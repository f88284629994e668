use crate::api_keys::ApiKey;
use crate::repository::profiles::parse_role;
use crate::schema::{api_keys, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{ApiKeyId, PageRequest, UserId, UserRole};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
struct ApiKeyRow {
    id: Uuid,
    user_id: Uuid,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: ApiKeyId(row.id),
            owner: UserId(row.user_id),
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = api_keys)]
pub(crate) struct NewApiKeyRow<'a> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: &'a str,
    pub prefix: &'a str,
    pub token_hash: &'a [u8],
    pub scopes: &'a [String],
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// What decides whether a key works.
#[derive(Queryable)]
pub(crate) struct UsableRow {
    pub id: Uuid,
    pub scopes: Vec<String>,
    pub last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    owner_role: String,
    owner_banned_until: Option<DateTime<Utc>>,
    owner_deleted_at: Option<DateTime<Utc>>,
}

impl UsableRow {
    /// Neither revoked nor expired, and its owner may still answer for it.
    pub(crate) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|expiry| expiry > now)
            && self.owner_deleted_at.is_none()
            && self.owner_banned_until.is_none_or(|until| until <= now)
            && parse_role(&self.owner_role).is_ok_and(UserRole::is_admin)
    }
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewApiKeyRow<'_>) -> Result<ApiKey, DbError> {
    let row: ApiKeyRow = diesel::insert_into(api_keys::table)
        .values(row)
        .returning(ApiKeyRow::as_returning())
        .get_result(tx)
        .await?;
    Ok(row.into())
}

pub(crate) async fn find(tx: &mut Tx, id: ApiKeyId) -> Result<Option<ApiKey>, DbError> {
    let row = api_keys::table
        .find(id.0)
        .select(ApiKeyRow::as_select())
        .first(tx)
        .await
        .optional()?;
    Ok(row.map(ApiKey::from))
}

/// As many as `page` wants and one more, newest first.
pub(crate) async fn list(tx: &mut Tx, page: PageRequest) -> Result<Vec<ApiKey>, DbError> {
    let mut query = api_keys::table
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(ApiKeyRow::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        let same = api_keys::created_at
            .eq(after.created_at)
            .and(api_keys::id.lt(after.id));
        query = query.filter(api_keys::created_at.lt(after.created_at).or(same));
    }
    let rows: Vec<ApiKeyRow> = query.load(tx).await?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

pub(crate) async fn find_usable(tx: &mut Tx, hash: &[u8]) -> Result<Option<UsableRow>, DbError> {
    Ok(api_keys::table
        .inner_join(users::table.inner_join(user_profiles::table))
        .filter(api_keys::token_hash.eq(hash))
        .select((
            api_keys::id,
            api_keys::scopes,
            api_keys::last_used_at,
            api_keys::expires_at,
            api_keys::revoked_at,
            user_profiles::role,
            users::banned_until,
            users::deleted_at,
        ))
        .first(tx)
        .await
        .optional()?)
}

/// Returns whether it was not revoked before.
pub(crate) async fn revoke(tx: &mut Tx, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool, DbError> {
    let target = api_keys::table
        .find(id.0)
        .filter(api_keys::revoked_at.is_null());
    let revoked = diesel::update(target)
        .set(api_keys::revoked_at.eq(now))
        .execute(tx)
        .await?;
    Ok(revoked == 1)
}

/// Notes a use at `now`, unless one was noted after `before`.
pub(crate) async fn note_use(
    tx: &mut Tx,
    id: Uuid,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<(), DbError> {
    let unused = api_keys::last_used_at.is_null();
    let target = api_keys::table
        .find(id)
        .filter(unused.or(api_keys::last_used_at.assume_not_null().le(before)));
    diesel::update(target)
        .set(api_keys::last_used_at.eq(now))
        .execute(tx)
        .await?;
    Ok(())
}
