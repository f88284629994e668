use crate::schema::oauth_flows;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;
use uuid::Uuid;

/// A flow on its way through a provider. Rows are never changed: written once, taken once.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = oauth_flows)]
pub(crate) struct FlowRow {
    pub state_hash: Vec<u8>,
    pub provider: String,
    pub nonce: String,
    pub pkce_verifier: String,
    pub redirect_uri: String,
    pub redirect_to: Option<String>,
    pub browser_hash: Option<Vec<u8>>,
    pub client_challenge: Option<String>,
    pub link_session: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &FlowRow) -> QueryResult<usize> {
    diesel::insert_into(oauth_flows::table)
        .values(row)
        .execute(tx)
        .await
}

/// The flow, unless its time is over.
pub(crate) async fn find(
    tx: &mut Tx,
    state_hash: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<Option<FlowRow>> {
    oauth_flows::table
        .find(state_hash)
        .filter(oauth_flows::expires_at.gt(now))
        .select(FlowRow::as_select())
        .first(tx)
        .await
        .optional()
}

/// Takes the flow away; of many at once, one gets 1.
pub(crate) async fn delete(tx: &mut Tx, state_hash: &[u8]) -> QueryResult<usize> {
    diesel::delete(oauth_flows::table.find(state_hash))
        .execute(tx)
        .await
}

/// Forgets the flows whose time is over; how many.
pub(crate) async fn sweep(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(oauth_flows::table.filter(oauth_flows::expires_at.le(now)))
        .execute(tx)
        .await
}
