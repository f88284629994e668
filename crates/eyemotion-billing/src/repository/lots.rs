use crate::ledger::{Lot, LotGrant};
use crate::schema::credit_lots;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = credit_lots, check_for_backend(diesel::pg::Pg))]
struct LotRow {
    id: Uuid,
    kind: String,
    granted: i64,
    remaining: i64,
    held: i64,
    expires_at: Option<DateTime<Utc>>,
}

impl TryFrom<LotRow> for Lot {
    type Error = DbError;

    fn try_from(row: LotRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id,
            kind: super::name(&row.kind)?,
            granted: row.granted,
            remaining: row.remaining,
            held: row.held,
            expires_at: row.expires_at,
        })
    }
}

/// A person's open lots: those with something in them, and those that end some day.
pub(crate) async fn open(tx: &mut Tx, user: UserId) -> Result<Vec<Lot>, DbError> {
    credit_lots::table
        .filter(credit_lots::user_id.eq(user.0))
        .filter(credit_lots::status.eq("open"))
        .filter(
            credit_lots::remaining
                .gt(0)
                .or(credit_lots::expires_at.is_not_null()),
        )
        .select(LotRow::as_select())
        .load(tx)
        .await?
        .into_iter()
        .map(Lot::try_from)
        .collect()
}

/// Makes an empty lot, to be filled by a posting.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    grant: &LotGrant,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(credit_lots::table)
        .values((
            credit_lots::id.eq(id),
            credit_lots::user_id.eq(grant.user.0),
            credit_lots::kind.eq(grant.kind.as_str()),
            credit_lots::granted.eq(grant.credits.0),
            credit_lots::remaining.eq(0),
            credit_lots::expires_at.eq(grant.expires_at),
            credit_lots::source_type.eq(grant.source_type),
            credit_lots::source_id.eq(&grant.source_id),
            credit_lots::created_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Closes lots that a posting has emptied because their time was over.
pub(crate) async fn close_expired(tx: &mut Tx, lots: &[Uuid]) -> Result<(), DbError> {
    diesel::update(credit_lots::table.filter(credit_lots::id.eq_any(lots)))
        .set(credit_lots::status.eq("expired"))
        .execute(tx)
        .await?;
    Ok(())
}
