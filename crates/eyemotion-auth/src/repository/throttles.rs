use crate::schema::throttles;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;

/// How many forgotten rows a charge takes away: more than it adds, so the table stays small.
const SWEPT: i64 = 8;

/// Where one counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = throttles)]
pub(crate) struct CounterRow {
    pub spent: i32,
    pub free_at: DateTime<Utc>,
    pub resets_at: DateTime<Utc>,
}

/// When the counters with these keys let somebody on again; those that do so now are left out.
pub(crate) async fn held(
    tx: &mut Tx,
    keys: &[[u8; 32]],
    now: DateTime<Utc>,
) -> QueryResult<Vec<(String, DateTime<Utc>)>> {
    throttles::table
        .filter(throttles::key.eq_any(bytes(keys)))
        .filter(throttles::free_at.gt(now))
        .order(throttles::free_at.desc())
        .select((throttles::rule, throttles::free_at))
        .load(tx)
        .await
}

/// The counter, a new one if need be, locked until the transaction ends.
pub(crate) async fn lock(
    tx: &mut Tx,
    key: [u8; 32],
    rule: &str,
    now: DateTime<Utc>,
) -> QueryResult<CounterRow> {
    diesel::insert_into(throttles::table)
        .values((
            throttles::key.eq(key.to_vec()),
            throttles::rule.eq(rule),
            throttles::spent.eq(0),
            throttles::free_at.eq(now),
            throttles::resets_at.eq(now),
        ))
        .on_conflict(throttles::key)
        .do_update()
        .set(throttles::rule.eq(excluded(throttles::rule)))
        .returning(CounterRow::as_returning())
        .get_result(tx)
        .await
}

pub(crate) async fn store(tx: &mut Tx, key: [u8; 32], counter: CounterRow) -> QueryResult<usize> {
    diesel::update(throttles::table.find(key.to_vec()))
        .set(counter)
        .execute(tx)
        .await
}

/// Forgets the counters; when each would have let somebody on.
pub(crate) async fn clear(
    tx: &mut Tx,
    keys: &[[u8; 32]],
) -> QueryResult<Vec<(String, DateTime<Utc>)>> {
    let cleared: Vec<(String, DateTime<Utc>)> = throttles::table
        .filter(throttles::key.eq_any(bytes(keys)))
        .order(throttles::key)
        .select((throttles::rule, throttles::free_at))
        .for_update()
        .load(tx)
        .await?;
    // Mostly nobody had mistyped a password.
    if !cleared.is_empty() {
        diesel::delete(throttles::table.filter(throttles::key.eq_any(bytes(keys))))
            .execute(tx)
            .await?;
    }
    Ok(cleared)
}

/// Takes away a few counters that have no more to say. Those that another transaction holds wait
/// for the next time.
pub(crate) async fn sweep(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<usize> {
    let stale: Vec<Vec<u8>> = throttles::table
        .filter(throttles::resets_at.lt(now))
        .select(throttles::key)
        .order(throttles::resets_at)
        .limit(SWEPT)
        .for_update()
        .skip_locked()
        .load(tx)
        .await?;
    if stale.is_empty() {
        return Ok(0);
    }
    diesel::delete(throttles::table.filter(throttles::key.eq_any(stale)))
        .execute(tx)
        .await
}

fn bytes(keys: &[[u8; 32]]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.to_vec()).collect()
}
