use crate::schema::fraud_warnings;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// An early fraud warning or a review as Stripe has it now.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = fraud_warnings)]
pub(crate) struct WarningRow {
    pub stripe_id: String,
    pub user_id: Uuid,
    pub payment_id: Option<Uuid>,
    pub kind: &'static str,
    pub open: bool,
    pub reason: String,
}

/// Makes the row equal to the warning.
pub(crate) async fn upsert(tx: &mut Tx, row: &WarningRow) -> Result<(), DbError> {
    diesel::insert_into(fraud_warnings::table)
        .values(row)
        .on_conflict(fraud_warnings::stripe_id)
        .do_update()
        .set(row)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether somebody still doubts a payment.
pub(crate) async fn is_doubted(tx: &mut Tx, payment: Uuid) -> Result<bool, DbError> {
    let open = fraud_warnings::table
        .filter(fraud_warnings::payment_id.eq(payment))
        .filter(fraud_warnings::open);
    Ok(diesel::select(diesel::dsl::exists(open))
        .get_result(tx)
        .await?)
}
