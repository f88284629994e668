use crate::schema::jobs::dsl;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int2, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

/// What a worker asks for.
pub(crate) struct ClaimRequest<'a> {
    pub queue: &'a str,
    pub kinds: &'a [&'static str],
    pub worker: &'a str,
    pub now: DateTime<Utc>,
    pub lease_until: DateTime<Utc>,
    /// Jobs at most.
    pub limit: i64,
    /// Running jobs at most for one owner in this queue.
    pub owner_limit: i64,
}

#[derive(Debug, QueryableByName)]
pub(crate) struct ClaimedRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Integer)]
    pub max_attempts: i32,
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    pub owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Int2)]
    pub priority: i16,
    #[diesel(sql_type = Timestamptz)]
    pub run_at: DateTime<Utc>,
}

/// Lapsed leases first, then what is due, in order. `fair` drops what would put one owner over the
/// limit within this very batch; those rows are unlocked again at the commit.
const CLAIM: &str = "
with busy as materialized (
    select owner_id, count(*) as held from jobs.jobs
    where state = 'running' and queue = $1 and owner_id is not null and lease_until > $4
    group by owner_id
), lapsed as materialized (
    select id from jobs.jobs
    where state = 'running' and queue = $1 and kind = any($2) and lease_until <= $4
    order by lease_until limit $6 for update skip locked
), due as materialized (
    select id, owner_id, priority, run_at from jobs.jobs
    where state = 'queued' and queue = $1 and kind = any($2) and run_at <= $4
        and (owner_id is null or owner_id not in (select owner_id from busy where held >= $7))
    order by priority desc, run_at, id limit $6 for update skip locked
), fair as (
    select id, priority, run_at, owner_id, coalesce(held, 0)
        + row_number() over (partition by owner_id order by priority desc, run_at, id) as place
    from due left join busy using (owner_id)
), chosen as (
    select id from lapsed
    union all
    (select id from fair where owner_id is null or place <= $7 order by priority desc, run_at, id)
    limit $6
)
update jobs.jobs as job
set state = 'running', attempts = attempts + 1, worker = $3, lease_until = $5,
    last_error = case when state = 'running' and attempts <= max_attempts
        then format('the lease of attempt %s ran out', attempts) else last_error end
from chosen where job.id = chosen.id
returning job.id, kind, payload, attempts, max_attempts, owner_id, last_error, priority, run_at";

/// Takes jobs for `worker` and counts the attempt. Best first.
pub(crate) async fn claim(
    tx: &mut Tx,
    request: &ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, DbError> {
    let mut rows: Vec<ClaimedRow> = diesel::sql_query(CLAIM)
        .bind::<Text, _>(request.queue)
        .bind::<Array<Text>, _>(request.kinds)
        .bind::<Text, _>(request.worker)
        .bind::<Timestamptz, _>(request.now)
        .bind::<Timestamptz, _>(request.lease_until)
        .bind::<BigInt, _>(request.limit)
        .bind::<BigInt, _>(request.owner_limit)
        .load(tx)
        .await?;
    rows.sort_by_key(|row| (std::cmp::Reverse(row.priority), row.run_at, row.id));
    Ok(rows)
}

/// Prolongs the leases of `worker` on `ids`. A row that its own handler has locked at this moment
/// is left for the next time: waiting for it would hold up all others.
pub(crate) async fn renew(
    tx: &mut Tx,
    worker: &str,
    ids: &[Uuid],
    lease_until: DateTime<Utc>,
) -> Result<(), DbError> {
    let free: Vec<Uuid> = dsl::jobs
        .filter(dsl::id.eq_any(ids))
        .filter(dsl::worker.eq(worker))
        .filter(dsl::state.eq("running"))
        .select(dsl::id)
        .for_update()
        .skip_locked()
        .load(tx)
        .await?;
    diesel::update(dsl::jobs.filter(dsl::id.eq_any(free)))
        .set(dsl::lease_until.eq(lease_until))
        .execute(tx)
        .await?;
    Ok(())
}

/// Which of `ids` `worker` holds, locked or not, and by which attempt.
pub(crate) async fn held(
    tx: &mut Tx,
    worker: &str,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, i32)>, DbError> {
    Ok(dsl::jobs
        .filter(dsl::id.eq_any(ids))
        .filter(dsl::worker.eq(worker))
        .filter(dsl::state.eq("running"))
        .select((dsl::id, dsl::attempts))
        .load(tx)
        .await?)
}
