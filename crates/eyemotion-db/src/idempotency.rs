//! Exactly one effect for each `Idempotency-Key`: the key is stored in the transaction of the
//! effect itself.

use crate::error::DbError;
use crate::tx::Tx;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Coded, Ctx, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The client's key stands in the way.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key was used before with another request.
    #[error("this Idempotency-Key was used for another request; use a new key for a new request")]
    Reused,
    /// The stored answer cannot be read, or the database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for IdempotencyError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Reused => ErrorCode::IdempotencyKeyReused,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Reused => None,
            Self::Db(error) => error.retry_after(),
        }
    }
}

impl From<diesel::result::Error> for IdempotencyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Claims the caller's key for `operation`, or gives back what the first request with it led to.
///
/// A second request that runs at the same time waits here for the first one's commit. Without a
/// key, or without a signed-in person, there is nothing to claim.
pub async fn replay<T: DeserializeOwned>(
    tx: &mut Tx,
    ctx: &Ctx,
    operation: &str,
) -> Result<Option<T>, IdempotencyError> {
    use crate::schema::idempotency_keys::dsl;
    let (Some(user), Some(idempotency)) = (ctx.user_id(), &ctx.idempotency) else {
        return Ok(None);
    };
    let hash = idempotency.request_hash.as_slice();
    let claimed = diesel::insert_into(dsl::idempotency_keys)
        .values((
            dsl::user_id.eq(user.0),
            dsl::operation.eq(operation),
            dsl::key.eq(&idempotency.key),
            dsl::request_hash.eq(hash),
        ))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    if claimed == 1 {
        return Ok(None);
    }
    let (stored_hash, response) = dsl::idempotency_keys
        .find((user.0, operation, &idempotency.key))
        .select((dsl::request_hash, dsl::response))
        .first::<(Vec<u8>, Option<serde_json::Value>)>(tx)
        .await
        .optional()?
        // Swept between the two statements: the next attempt finds the key free.
        .ok_or_else(|| DbError::Unavailable("the key has just been forgotten".into()))?;
    if stored_hash != hash {
        return Err(IdempotencyError::Reused);
    }
    serde_json::from_value(response.unwrap_or_default())
        .map(Some)
        .map_err(|error| DbError::Other(error.into()).into())
}

/// Stores what the operation led to, for [`replay`]. Call it in the same transaction.
///
/// # Errors
/// [`DbError::NotFound`] if [`replay`] was not called before.
pub async fn remember<T: Serialize + Sync>(
    tx: &mut Tx,
    ctx: &Ctx,
    operation: &str,
    response: &T,
) -> Result<(), DbError> {
    use crate::schema::idempotency_keys::dsl;
    let (Some(user), Some(idempotency)) = (ctx.user_id(), &ctx.idempotency) else {
        return Ok(());
    };
    let response = serde_json::to_value(response).map_err(|error| DbError::Other(error.into()))?;
    let stored = diesel::update(dsl::idempotency_keys.find((user.0, operation, &idempotency.key)))
        .set(dsl::response.eq(response))
        .execute(tx)
        .await?;
    if stored == 1 {
        Ok(())
    } else {
        Err(DbError::NotFound)
    }
}

/// Forgets keys older than `before`; clients are told 24 hours.
pub async fn sweep(tx: &mut Tx, before: DateTime<Utc>) -> Result<usize, DbError> {
    use crate::schema::idempotency_keys::dsl;
    Ok(
        diesel::delete(dsl::idempotency_keys.filter(dsl::created_at.lt(before)))
            .execute(tx)
            .await?,
    )
}
