use crate::schema::jobs::dsl;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

diesel::define_sql_function! {
    #[sql_name = "auth.served_user"]
    fn served_user() -> Nullable<SqlUuid>;
}
diesel::define_sql_function! {
    fn coalesce(first: Nullable<SqlUuid>, second: Nullable<SqlUuid>) -> Nullable<SqlUuid>;
}

#[derive(Insertable)]
#[diesel(table_name = crate::schema::jobs)]
pub(crate) struct NewJobRow<'a> {
    pub id: Uuid,
    pub queue: &'a str,
    pub kind: &'a str,
    pub payload: &'a Value,
    pub priority: i16,
    pub run_at: DateTime<Utc>,
    pub max_attempts: i32,
    pub unique_key: Option<&'a str>,
}

/// False if the unique key is taken.
pub(crate) async fn insert(
    tx: &mut Tx,
    row: &NewJobRow<'_>,
    owner: Option<UserId>,
) -> Result<bool, DbError> {
    let owner = coalesce(owner.map(Uuid::from), served_user());
    let inserted = diesel::insert_into(dsl::jobs)
        .values((row, dsl::owner_id.eq(owner)))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

/// What a worker must prove to write to a running job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseRow<'a> {
    pub id: Uuid,
    pub attempts: i32,
    pub worker: &'a str,
}

macro_rules! held {
    ($lease:expr) => {
        dsl::jobs
            .find($lease.id)
            .filter(dsl::state.eq("running"))
            .filter(dsl::attempts.eq($lease.attempts))
            .filter(dsl::worker.eq($lease.worker))
    };
}

/// The running job becomes one that waits, or a dead one, with further columns set.
macro_rules! hand_over {
    ($jobs:expr, $state:literal, $($set:expr),*) => {
        diesel::update($jobs).set((
            dsl::state.eq($state),
            dsl::worker.eq(None::<String>),
            dsl::lease_until.eq(None::<DateTime<Utc>>),
            $($set),*
        ))
    };
}

pub(crate) async fn lock(tx: &mut Tx, lease: LeaseRow<'_>) -> Result<bool, DbError> {
    let row = held!(lease)
        .select(dsl::id)
        .for_update()
        .first::<Uuid>(tx)
        .await
        .optional()?;
    Ok(row.is_some())
}

pub(crate) async fn delete(tx: &mut Tx, lease: LeaseRow<'_>) -> Result<bool, DbError> {
    Ok(diesel::delete(held!(lease)).execute(tx).await? == 1)
}

/// Waits again after a failure. `attempts` is what it counts from then on.
pub(crate) async fn requeue(
    tx: &mut Tx,
    lease: LeaseRow<'_>,
    attempts: i32,
    run_at: DateTime<Utc>,
    error: &str,
) -> Result<bool, DbError> {
    let set = hand_over!(
        held!(lease),
        "queued",
        dsl::attempts.eq(attempts),
        dsl::run_at.eq(run_at),
        dsl::last_error.eq(error)
    );
    Ok(set.execute(tx).await? == 1)
}

/// Waits again as if this attempt had not been.
pub(crate) async fn snooze(
    tx: &mut Tx,
    lease: LeaseRow<'_>,
    run_at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let attempts = dsl::attempts.eq(dsl::attempts - 1);
    let set = hand_over!(held!(lease), "queued", attempts, dsl::run_at.eq(run_at));
    Ok(set.execute(tx).await? == 1)
}

pub(crate) async fn bury(
    tx: &mut Tx,
    lease: LeaseRow<'_>,
    attempts: i32,
    error: &str,
) -> Result<bool, DbError> {
    let set = hand_over!(
        held!(lease),
        "dead",
        dsl::attempts.eq(attempts),
        dsl::last_error.eq(error)
    );
    Ok(set.execute(tx).await? == 1)
}

/// Gives back everything that `worker` holds, uncounted. Returns the queues, one entry a job.
pub(crate) async fn release(
    tx: &mut Tx,
    worker: &str,
    now: DateTime<Utc>,
) -> Result<Vec<String>, DbError> {
    let held = dsl::jobs
        .filter(dsl::worker.eq(worker))
        .filter(dsl::state.eq("running"));
    let attempts = dsl::attempts.eq(dsl::attempts - 1);
    let set = hand_over!(held, "queued", attempts, dsl::run_at.eq(now));
    Ok(set.returning(dsl::queue).get_results(tx).await?)
}
