use crate::model::{Entry, Expected};
use crate::prefix::upper_bound;
use crate::schema::kv_store;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;
use serde_json::Value;

#[derive(Queryable, Selectable)]
#[diesel(table_name = kv_store, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EntryRow {
    key: String,
    value: Value,
    version: i64,
    expires_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            key: row.key,
            value: row.value,
            version: row.version,
            expires_at: row.expires_at,
            updated_at: row.updated_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = kv_store)]
pub(crate) struct NewEntryRow<'a> {
    pub namespace: &'a str,
    pub key: &'a str,
    pub value: &'a Value,
    pub expires_at: Option<DateTime<Utc>>,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn live(now: DateTime<Utc>) -> _ {
    let later: diesel::dsl::Gt<kv_store::expires_at, DateTime<Utc>> = kv_store::expires_at.gt(now);
    kv_store::expires_at.is_null().or(later.assume_not_null())
}

pub(crate) async fn find(
    tx: &mut Tx,
    namespace: &str,
    key: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<Entry>> {
    kv_store::table
        .find((namespace, key))
        .filter(live(now))
        .select(EntryRow::as_select())
        .first(tx)
        .await
        .map(Entry::from)
        .optional()
}

/// In no particular order.
pub(crate) async fn find_many(
    tx: &mut Tx,
    namespace: &str,
    keys: &[String],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Entry>> {
    let rows: Vec<EntryRow> = kv_store::table
        .filter(kv_store::namespace.eq(namespace))
        .filter(kv_store::key.eq_any(keys))
        .filter(live(now))
        .select(EntryRow::as_select())
        .load(tx)
        .await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// A range of the primary key, which needs no pattern: an operator that could leak (LIKE) cannot
/// use an index under policies.
pub(crate) async fn find_by_prefix(
    tx: &mut Tx,
    namespace: &str,
    prefix: &str,
    after: Option<&str>,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Entry>> {
    let mut query = kv_store::table
        .filter(kv_store::namespace.eq(namespace))
        .filter(kv_store::key.ge(prefix))
        .filter(live(now))
        .order(kv_store::key.asc())
        .limit(limit)
        .select(EntryRow::as_select())
        .into_boxed();
    if let Some(bound) = upper_bound(prefix) {
        query = query.filter(kv_store::key.lt(bound));
    }
    if let Some(after) = after {
        query = query.filter(kv_store::key.gt(after));
    }
    let rows: Vec<EntryRow> = query.load(tx).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// Stores all of them, whatever there was.
pub(crate) async fn upsert(tx: &mut Tx, rows: &[NewEntryRow<'_>]) -> QueryResult<Vec<Entry>> {
    let rows: Vec<EntryRow> = diesel::insert_into(kv_store::table)
        .values(rows)
        .on_conflict((kv_store::namespace, kv_store::key))
        .do_update()
        .set((
            kv_store::value.eq(excluded(kv_store::value)),
            kv_store::expires_at.eq(excluded(kv_store::expires_at)),
        ))
        .returning(EntryRow::as_returning())
        .get_results(tx)
        .await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// Stores it if there is no live entry.
pub(crate) async fn insert(
    tx: &mut Tx,
    row: &NewEntryRow<'_>,
    now: DateTime<Utc>,
) -> QueryResult<Option<Entry>> {
    let upsert = diesel::insert_into(kv_store::table)
        .values(row)
        .on_conflict((kv_store::namespace, kv_store::key))
        .do_update()
        .set((
            kv_store::value.eq(excluded(kv_store::value)),
            kv_store::expires_at.eq(excluded(kv_store::expires_at)),
        ));
    // The statement's own `filter`; the one of queries has the same name.
    diesel::query_dsl::methods::FilterDsl::filter(upsert, kv_store::expires_at.le(now))
        .returning(EntryRow::as_returning())
        .get_result(tx)
        .await
        .map(Entry::from)
        .optional()
}

/// Stores it if there is a live entry, of this version if one is given.
pub(crate) async fn update(
    tx: &mut Tx,
    row: &NewEntryRow<'_>,
    version: Option<i64>,
    now: DateTime<Utc>,
) -> QueryResult<Option<Entry>> {
    let target = kv_store::table
        .filter(kv_store::namespace.eq(row.namespace))
        .filter(kv_store::key.eq(row.key))
        .filter(live(now));
    let change = (
        kv_store::value.eq(row.value),
        kv_store::expires_at.eq(row.expires_at),
    );
    let changed = match version {
        Some(version) => {
            diesel::update(target.filter(kv_store::version.eq(version)))
                .set(change)
                .returning(EntryRow::as_returning())
                .get_result(tx)
                .await
        }
        None => {
            diesel::update(target)
                .set(change)
                .returning(EntryRow::as_returning())
                .get_result(tx)
                .await
        }
    };
    changed.map(Entry::from).optional()
}

/// Deletes what is there under these keys; returns how many of them were live.
pub(crate) async fn delete(
    tx: &mut Tx,
    namespace: &str,
    keys: &[String],
    expected: Expected,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let target = kv_store::table
        .filter(kv_store::namespace.eq(namespace))
        .filter(kv_store::key.eq_any(keys))
        .filter(live(now));
    match expected {
        Expected::Version(version) => {
            diesel::delete(target.filter(kv_store::version.eq(version)))
                .execute(tx)
                .await
        }
        Expected::Anything | Expected::Present | Expected::Absent => {
            diesel::delete(target).execute(tx).await
        }
    }
}

/// Deletes up to `limit` entries whose time was over at `now`.
pub(crate) async fn sweep(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
    // Diesel has no sub-select over two columns.
    diesel::sql_query(
        "DELETE FROM public.kv_store WHERE (namespace, key) IN (
             SELECT namespace, key FROM public.kv_store WHERE expires_at <= $1
             ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         AND expires_at <= $1",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .execute(tx)
    .await
}
