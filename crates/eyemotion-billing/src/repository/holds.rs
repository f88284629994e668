use crate::ledger::Lot;
use crate::repository::lots::LotRow;
use crate::schema::{credit_hold_lines, credit_holds, credit_lots};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Hold, Priced};
use uuid::Uuid;

pub(crate) const PENDING: &str = "pending";
pub(crate) const CAPTURED: &str = "captured";
pub(crate) const RELEASED: &str = "released";
pub(crate) const EXPIRED: &str = "expired";

/// A hold, whatever became of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credit_holds, check_for_backend(diesel::pg::Pg))]
pub(crate) struct HoldRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub amount: i64,
    pub status: String,
    pub action: String,
    pub ref_type: String,
    pub ref_id: String,
    pub price_id: Option<Uuid>,
    pub quantity: Option<i64>,
    pub expires_at: DateTime<Utc>,
}

impl HoldRow {
    pub(crate) fn price(&self) -> Option<Priced> {
        let (price, quantity) = (self.price_id?, self.quantity?);
        Some(Priced { price, quantity })
    }
}

/// Writes a pending hold down, with what of it lies in which lot.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    hold: &Hold,
    lines: &[(Uuid, i64)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(credit_holds::table)
        .values((
            credit_holds::id.eq(id),
            credit_holds::user_id.eq(hold.user.0),
            credit_holds::amount.eq(hold.credits.0),
            credit_holds::action.eq(hold.action),
            credit_holds::ref_type.eq(hold.resource_type),
            credit_holds::ref_id.eq(&hold.resource_id),
            credit_holds::idem_key.eq(&hold.idempotency_key),
            credit_holds::price_id.eq(hold.price.map(|price| price.price)),
            credit_holds::quantity.eq(hold.price.map(|price| price.quantity)),
            credit_holds::expires_at.eq(hold.expires_at),
            credit_holds::created_at.eq(now),
        ))
        .execute(tx)
        .await?;
    let rows: Vec<_> = lines
        .iter()
        .map(|(lot, amount)| {
            (
                credit_hold_lines::hold_id.eq(id),
                credit_hold_lines::lot_id.eq(*lot),
                credit_hold_lines::user_id.eq(hold.user.0),
                credit_hold_lines::amount.eq(*amount),
            )
        })
        .collect();
    diesel::insert_into(credit_hold_lines::table)
        .values(rows)
        .execute(tx)
        .await?;
    Ok(())
}

/// A person's hold of this name.
pub(crate) async fn find(
    tx: &mut Tx,
    user: UserId,
    name: &str,
) -> Result<Option<HoldRow>, DbError> {
    Ok(credit_holds::table
        .filter(credit_holds::user_id.eq(user.0))
        .filter(credit_holds::idem_key.eq(name))
        .select(HoldRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// What is still held for any of these things.
pub(crate) async fn pending_for(
    tx: &mut Tx,
    user: UserId,
    resource_type: &str,
    resource_ids: &[String],
) -> Result<Vec<HoldRow>, DbError> {
    Ok(credit_holds::table
        .filter(credit_holds::user_id.eq(user.0))
        .filter(credit_holds::status.eq(PENDING))
        .filter(credit_holds::ref_type.eq(resource_type))
        .filter(credit_holds::ref_id.eq_any(resource_ids))
        .order(credit_holds::id)
        .select(HoldRow::as_select())
        .load(tx)
        .await?)
}

/// A person's holds whose time is over.
pub(crate) async fn overdue_of(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<HoldRow>, DbError> {
    Ok(credit_holds::table
        .filter(credit_holds::user_id.eq(user.0))
        .filter(credit_holds::status.eq(PENDING))
        .filter(credit_holds::expires_at.le(now))
        .order(credit_holds::id)
        .select(HoldRow::as_select())
        .load(tx)
        .await?)
}

/// The people with holds whose time is over, some of them.
pub(crate) async fn people_with_overdue(
    tx: &mut Tx,
    now: DateTime<Utc>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let people: Vec<Uuid> = credit_holds::table
        .filter(credit_holds::status.eq(PENDING))
        .filter(credit_holds::expires_at.le(now))
        .filter(credit_holds::user_id.gt(after))
        .order(credit_holds::user_id)
        .distinct()
        .limit(limit)
        .select(credit_holds::user_id)
        .load(tx)
        .await?;
    Ok(people.into_iter().map(UserId).collect())
}

/// Where a hold's credits lie, and how many of them are in each lot.
pub(crate) async fn lines(tx: &mut Tx, hold: Uuid) -> Result<Vec<(Lot, i64)>, DbError> {
    credit_hold_lines::table
        .inner_join(credit_lots::table)
        .filter(credit_hold_lines::hold_id.eq(hold))
        .select((LotRow::as_select(), credit_hold_lines::amount))
        .load::<(LotRow, i64)>(tx)
        .await?
        .into_iter()
        .map(|(row, amount)| Ok((row.try_into()?, amount)))
        .collect()
}

/// Ends a pending hold. False if it is pending no more.
pub(crate) async fn resolve(
    tx: &mut Tx,
    hold: Uuid,
    status: &'static str,
    captured: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let pending = credit_holds::table
        .find(hold)
        .filter(credit_holds::status.eq(PENDING));
    let changed = diesel::update(pending)
        .set((
            credit_holds::status.eq(status),
            credit_holds::captured.eq(captured),
            credit_holds::resolved_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(changed == 1)
}

/// Lets a pending hold whose time is not over live longer. False if there is none.
pub(crate) async fn extend(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let pending = credit_holds::table
        .filter(credit_holds::user_id.eq(user.0))
        .filter(credit_holds::idem_key.eq(name))
        .filter(credit_holds::status.eq(PENDING))
        .filter(credit_holds::expires_at.gt(now));
    let until = until.into_sql::<Timestamptz>();
    let later = diesel::dsl::case_when(credit_holds::expires_at.lt(until), until)
        .otherwise(credit_holds::expires_at);
    let changed = diesel::update(pending)
        .set(credit_holds::expires_at.eq(later))
        .execute(tx)
        .await?;
    Ok(changed == 1)
}
