use crate::ledger::{Lot, LotGrant};
use crate::model::LotKind;
use crate::schema::credit_lots;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

pub(crate) const OPEN: &str = "open";
const FROZEN: &str = "frozen";

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = credit_lots, check_for_backend(diesel::pg::Pg))]
pub(crate) struct LotRow {
    id: Uuid,
    kind: String,
    granted: i64,
    remaining: i64,
    held: i64,
    expires_at: Option<DateTime<Utc>>,
    status: String,
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
            is_frozen: row.status == FROZEN,
        })
    }
}

/// A person's open lots: those with something in them, and those that end some day.
pub(crate) async fn open(tx: &mut Tx, user: UserId) -> Result<Vec<Lot>, DbError> {
    credit_lots::table
        .filter(credit_lots::user_id.eq(user.0))
        .filter(credit_lots::status.eq(OPEN))
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

/// The lot that a source gave, whatever became of it.
pub(crate) async fn of_source(
    tx: &mut Tx,
    user: UserId,
    source_type: &str,
    source_id: &str,
) -> Result<Option<Lot>, DbError> {
    credit_lots::table
        .filter(credit_lots::user_id.eq(user.0))
        .filter(credit_lots::source_type.eq(source_type))
        .filter(credit_lots::source_id.eq(source_id))
        .select(LotRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(Lot::try_from)
        .transpose()
}

/// Lets nothing more be spent of an open lot, or something again of a frozen one.
pub(crate) async fn set_frozen(tx: &mut Tx, lot: Uuid, frozen: bool) -> Result<(), DbError> {
    let status = if frozen { FROZEN } else { OPEN };
    diesel::update(credit_lots::table.find(lot))
        .set(credit_lots::status.eq(status))
        .execute(tx)
        .await?;
    Ok(())
}

/// Opens a lot that was closed at its time, to be given something that expires with it.
pub(crate) async fn reopen(tx: &mut Tx, lot: Uuid) -> Result<(), DbError> {
    let closed = credit_lots::table
        .find(lot)
        .filter(credit_lots::status.ne_all([OPEN, FROZEN]));
    diesel::update(closed)
        .set(credit_lots::status.eq(OPEN))
        .execute(tx)
        .await?;
    Ok(())
}

/// Lets the plan's open lots end now.
pub(crate) async fn end_included(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let kinds = [LotKind::Included, LotKind::Trial].map(LotKind::as_str);
    let open = credit_lots::table
        .filter(credit_lots::user_id.eq(user.0))
        .filter(credit_lots::status.eq(OPEN))
        .filter(credit_lots::kind.eq_any(kinds))
        .filter(
            credit_lots::expires_at
                .is_null()
                .or(credit_lots::expires_at.gt(now).assume_not_null()),
        );
    diesel::update(open)
        .set(credit_lots::expires_at.eq(now))
        .execute(tx)
        .await?;
    Ok(())
}

/// What was granted to a person for sources whose names begin with `name`, `but` one.
pub(crate) async fn granted_for(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    but: &str,
) -> Result<i64, DbError> {
    let granted: Vec<i64> = credit_lots::table
        .filter(credit_lots::user_id.eq(user.0))
        .filter(
            credit_lots::source_id
                .eq(name)
                .or(credit_lots::source_id.like(format!("{name}:%"))),
        )
        .filter(credit_lots::source_id.ne(but))
        .select(credit_lots::granted)
        .load(tx)
        .await?;
    Ok(granted.into_iter().fold(0, i64::saturating_add))
}
