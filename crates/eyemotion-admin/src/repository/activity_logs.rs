use crate::audit::AuditFilter;
use crate::schema::activity_logs;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::PageRequest;
use eyemotion_db::Tx;
use eyemotion_ports::Leaver;
use serde_json::Value;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = activity_logs)]
pub(crate) struct NewActivityRow {
    pub user_id: Option<Uuid>,
    pub action: &'static str,
    pub resource_type: &'static str,
    pub resource_id: Option<String>,
    pub details: Value,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<Uuid>,
    pub request_id: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = activity_logs)]
pub(crate) struct ActivityRow {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub user_id: Option<Uuid>,
    pub action: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub details: Value,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<Uuid>,
    pub request_id: Option<String>,
}

/// Names of partitions.
#[derive(QueryableByName)]
pub(crate) struct Maintained {
    #[diesel(sql_type = Array<Text>)]
    pub created: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub dropped: Vec<String>,
}

/// Adds the line with whatever `tx` sends next.
pub(crate) fn insert(tx: &mut Tx, row: NewActivityRow) {
    tx.defer(diesel::insert_into(activity_logs::table).values(row));
}

/// As many as `page` wants and one more, the newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &AuditFilter,
    page: PageRequest,
) -> QueryResult<Vec<ActivityRow>> {
    let mut query = activity_logs::table
        .order((activity_logs::created_at.desc(), activity_logs::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(ActivityRow::as_select())
        .into_boxed();
    if let Some(user) = filter.user {
        query = query.filter(activity_logs::user_id.eq(user.0));
    }
    if let Some(actor) = filter.actor {
        let named = activity_logs::details.retrieve_as_text("actor");
        let own = activity_logs::user_id
            .eq(actor.0)
            .and(named.is_null())
            .and(activity_logs::session_id.is_not_null());
        query = query.filter(own.or(named.eq(format!("user:{actor}"))).assume_not_null());
    }
    if let Some(action) = &filter.action {
        query = query.filter(activity_logs::action.eq(action));
    }
    if let Some(from) = filter.from {
        query = query.filter(activity_logs::created_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(activity_logs::created_at.lt(to));
    }
    if let Some(after) = page.after {
        // The first condition alone lets the index start at the cursor.
        query = query
            .filter(activity_logs::created_at.le(after.created_at))
            .filter(
                activity_logs::created_at
                    .lt(after.created_at)
                    .or(activity_logs::id.lt(after.id)),
            );
    }
    query.load(tx).await
}

pub(crate) async fn maintain(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Maintained> {
    diesel::sql_query("SELECT created, dropped FROM public.activity_logs_maintain($1)")
        .bind::<Timestamptz, _>(now)
        .get_result(tx)
        .await
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Takes the name out of at most some `batch` lines; how many. The log is append-only to us, so a
/// function of the owner's does it.
pub(crate) async fn pseudonymise(tx: &mut Tx, leaver: &Leaver, batch: i32) -> QueryResult<i64> {
    let counted: Counted =
        diesel::sql_query("SELECT public.activity_logs_pseudonymise($1, $2, $3, $4) AS count")
            .bind::<SqlUuid, _>(leaver.id.0)
            .bind::<Text, _>(&leaver.email)
            .bind::<SqlUuid, _>(leaver.pseudonym.0)
            .bind::<Integer, _>(batch)
            .get_result(tx)
            .await?;
    Ok(counted.count)
}
