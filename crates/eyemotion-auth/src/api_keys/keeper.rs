use super::error::ApiKeyError;
use super::scope::{Scope, Scopes};
use super::{ApiKey, ApiKeys, CreatedApiKey, KeyHolder, NewApiKey, secret};
use crate::repository::api_keys::{self, NewApiKeyRow, UsableRow};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::{Actor, ApiKeyId, Clock, Ctx, FieldError, Page, PageRequest, UserId};
use eyemotion_db::idempotency;
use eyemotion_db::{Changes, Db, DbError, HotCache, HotCacheConfig};
use eyemotion_ports::{Activity, ActivityLog};
use secrecy::ExposeSecret;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const OPERATION: &str = "api_keys.create";
const MAX_NAME_CHARS: usize = 100;
const MAX_SCOPES: usize = 32;
/// How exact `last_used_at` is.
const USE_STEP: TimeDelta = TimeDelta::minutes(1);
/// Short, because nothing announces that the owner has lost the role or was banned.
const KEPT_FOR: Duration = Duration::from_millis(900);

/// A key as it was read, and whether its use has been noted since.
struct Known {
    row: UsableRow,
    scopes: Scopes,
    noted: AtomicBool,
}

/// [`ApiKeys`] over PostgreSQL.
pub struct ApiKeyKeeper {
    db: Db,
    clock: Arc<dyn Clock>,
    activity: Arc<dyn ActivityLog>,
    cache: HotCache<[u8; 32], Arc<Known>>,
}

impl ApiKeyKeeper {
    /// In `db`, by the time of `clock`; `changes` tell of keys that were revoked elsewhere.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        activity: Arc<dyn ActivityLog>,
        changes: &Changes,
    ) -> Self {
        let config = HotCacheConfig {
            capacity: 1000,
            ttl: KEPT_FOR,
        };
        Self {
            db,
            clock,
            activity,
            cache: HotCache::new(changes, "api_keys", config, |_| None),
        }
    }

    async fn load(&self, hash: &[u8; 32]) -> Result<Arc<Known>, ApiKeyError> {
        let mut tx = self.db.read(&platform()).await?;
        let row = api_keys::find_usable(&mut tx, hash)
            .await?
            .ok_or(ApiKeyError::KeyInvalid)?;
        Ok(Arc::new(Known {
            scopes: Scopes::read(&row.scopes),
            row,
            noted: AtomicBool::new(false),
        }))
    }

    /// Notes the use, at most once a minute.
    async fn note_use(&self, known: &Known, now: DateTime<Utc>) -> Result<(), DbError> {
        let before = now - USE_STEP;
        let recent = known.row.last_used_at.is_some_and(|used| used > before);
        if recent || known.noted.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let mut tx = self.db.begin(&platform()).await?;
        api_keys::note_use(&mut tx, known.row.id, now, before).await?;
        tx.commit().await
    }
}

fn platform() -> Ctx {
    Ctx::system("api_keys")
}

/// The admin who asks, and the same request with the platform's rights: keys of other admins are
/// seen and revoked as well.
fn admin(ctx: &Ctx) -> Result<(UserId, Ctx), ApiKeyError> {
    match ctx.actor {
        Actor::User { id, role, .. } if role.is_admin() => {
            Ok((id, ctx.with_actor(Actor::System("api_keys"))))
        }
        Actor::Anonymous => Err(ApiKeyError::Unauthenticated),
        Actor::User { .. } | Actor::ApiKey { .. } | Actor::System(_) => Err(ApiKeyError::Forbidden),
    }
}

/// The name, trimmed, and the scopes, each once.
fn check(new: &NewApiKey, now: DateTime<Utc>) -> Result<(String, Vec<String>), ApiKeyError> {
    let mut faults = Vec::new();
    let name = new.name.trim().to_owned();
    if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        let detail = format!("must have 1 to {MAX_NAME_CHARS} characters, no control characters");
        faults.push(FieldError::new("/name", "invalid", detail));
    }
    if !(1..=MAX_SCOPES).contains(&new.scopes.len()) {
        let detail = format!("must be 1 to {MAX_SCOPES}");
        faults.push(FieldError::new("/scopes", "out_of_range", detail));
    }
    for (at, name) in new.scopes.iter().enumerate() {
        if let Err(error) = name.parse::<Scope>() {
            let pointer = format!("/scopes/{at}");
            faults.push(FieldError::new(pointer, "unknown_value", error.to_string()));
        }
    }
    if new.expires_at.is_some_and(|expiry| expiry <= now) {
        let detail = "must be in the future";
        faults.push(FieldError::new("/expiresAt", "out_of_range", detail));
    }
    if faults.is_empty() {
        let scopes: BTreeSet<String> = new.scopes.iter().cloned().collect();
        Ok((name, scopes.into_iter().collect()))
    } else {
        Err(ApiKeyError::Invalid(faults))
    }
}

#[async_trait]
impl ApiKeys for ApiKeyKeeper {
    async fn create(&self, ctx: &Ctx, new: NewApiKey) -> Result<CreatedApiKey, ApiKeyError> {
        let (owner, platform) = admin(ctx)?;
        let now = self.clock.now();
        let (name, scopes) = check(&new, now)?;
        let secret = secret::generate().ok_or(ApiKeyError::Random)?;
        let hash = secret::hash(secret.expose_secret()).ok_or(ApiKeyError::Random)?;
        let mut tx = self.db.begin(&platform).await?;
        if let Some(id) = idempotency::replay::<Uuid>(&mut tx, ctx, OPERATION).await? {
            let key = api_keys::find(&mut tx, ApiKeyId(id)).await?;
            return Ok(CreatedApiKey {
                key: key.ok_or(ApiKeyError::NotFound)?,
                secret: None,
            });
        }
        let row = NewApiKeyRow {
            id: self.clock.new_id(),
            user_id: owner.0,
            name: &name,
            prefix: &secret::shown(&secret),
            token_hash: &hash,
            scopes: &scopes,
            expires_at: new.expires_at,
            created_at: now,
        };
        let key = api_keys::insert(&mut tx, &row).await?;
        let details =
            json!({ "name": key.name, "scopes": key.scopes, "expiresAt": key.expires_at });
        let line = Activity::new("api_key.created", "api_key", key.id).with(details);
        self.activity.record(&mut tx, ctx, line).await?;
        idempotency::remember(&mut tx, ctx, OPERATION, &key.id.0).await?;
        tx.commit().await?;
        Ok(CreatedApiKey {
            key,
            secret: Some(secret),
        })
    }

    async fn list(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<ApiKey>, ApiKeyError> {
        let (_, platform) = admin(ctx)?;
        let mut tx = self.db.read(&platform).await?;
        let keys = api_keys::list(&mut tx, page).await?;
        Ok(Page::from_rows(keys, page.limit, |key| {
            eyemotion_core::Cursor {
                created_at: key.created_at,
                id: key.id.0,
            }
        }))
    }

    async fn revoke(&self, ctx: &Ctx, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        let (_, platform) = admin(ctx)?;
        let mut tx = self.db.begin(&platform).await?;
        if api_keys::revoke(&mut tx, id, self.clock.now()).await? {
            let line = Activity::new("api_key.revoked", "api_key", id);
            self.activity.record(&mut tx, ctx, line).await?;
        }
        let key = api_keys::find(&mut tx, id).await?;
        tx.commit().await?;
        key.ok_or(ApiKeyError::NotFound)
    }

    async fn authenticate(&self, secret: &str) -> Result<KeyHolder, ApiKeyError> {
        let hash = secret::hash(secret).ok_or(ApiKeyError::KeyInvalid)?;
        // Boxed when it is run: most answers come from memory.
        let load = async { Box::pin(self.load(&hash)).await };
        let known = self.cache.get(&hash, load).await?;
        let now = self.clock.now();
        if !known.row.is_usable(now) {
            return Err(ApiKeyError::KeyInvalid);
        }
        // Nobody is refused because a note could not be taken.
        if let Err(error) = self.note_use(&known, now).await {
            tracing::warn!(%error, "the use of an API key was not noted");
        }
        Ok(KeyHolder {
            id: ApiKeyId(known.row.id),
            scopes: known.scopes.clone(),
        })
    }
}
