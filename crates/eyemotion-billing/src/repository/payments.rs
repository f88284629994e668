//! What people paid, as they see it.

use crate::model::PaymentKind;
use crate::payments::{Payment, Refund};
use crate::schema::{payment_transactions, subscription_plans};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Money, PageRequest, UserId};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_transactions, check_for_backend(diesel::pg::Pg))]
struct PaymentRow {
    id: Uuid,
    amount: i64,
    currency: String,
    status: String,
    transaction_type: String,
    description: String,
    invoice_url: Option<String>,
    invoice_pdf: Option<String>,
    receipt_url: Option<String>,
    tax_amount: i64,
    refunded_amount: i64,
    created_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_transactions, check_for_backend(diesel::pg::Pg))]
struct RefundRow {
    id: Uuid,
    payment_id: Option<Uuid>,
    amount: i64,
    status: String,
    created_at: DateTime<Utc>,
}

/// As many payments as `page` wants and one more, newest first, each with its refunds.
pub(crate) async fn list(
    tx: &mut Tx,
    user: UserId,
    page: PageRequest,
) -> Result<Vec<Payment>, DbError> {
    let mut query = payment_transactions::table
        .left_join(subscription_plans::table)
        .filter(payment_transactions::user_id.eq(user.0))
        .filter(payment_transactions::transaction_type.ne(PaymentKind::Refund.as_str()))
        .order((
            payment_transactions::created_at.desc(),
            payment_transactions::id.desc(),
        ))
        .limit(page.limit.saturating_add(1))
        .select((PaymentRow::as_select(), subscription_plans::name.nullable()))
        .into_boxed();
    if let Some(after) = page.after {
        // The first condition alone lets the index start at the cursor.
        query = query
            .filter(payment_transactions::created_at.le(after.created_at))
            .filter(
                payment_transactions::created_at
                    .lt(after.created_at)
                    .or(payment_transactions::id.lt(after.id)),
            );
    }
    let rows: Vec<(PaymentRow, Option<String>)> = query.load(tx).await?;
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.id).collect();
    let refunds: Vec<RefundRow> = payment_transactions::table
        .filter(payment_transactions::payment_id.eq_any(ids))
        .order((payment_transactions::created_at, payment_transactions::id))
        .select(RefundRow::as_select())
        .load(tx)
        .await?;
    rows.into_iter()
        .map(|(row, plan)| payment(row, plan, &refunds))
        .collect()
}

fn payment(row: PaymentRow, plan: Option<String>, all: &[RefundRow]) -> Result<Payment, DbError> {
    let own = all
        .iter()
        .filter(|refund| refund.payment_id == Some(row.id));
    let refunds = own.map(|refund| {
        Ok(Refund {
            id: refund.id,
            amount: refund.amount,
            status: super::name(&refund.status)?,
            created_at: refund.created_at,
        })
    });
    Ok(Payment {
        refunds: refunds.collect::<Result<_, DbError>>()?,
        id: row.id,
        amount: Money {
            amount: row.amount,
            currency: row.currency,
        },
        tax: row.tax_amount,
        refunded: row.refunded_amount,
        status: super::name(&row.status)?,
        kind: super::name(&row.transaction_type)?,
        description: row.description,
        plan,
        invoice_url: row.invoice_url,
        invoice_pdf: row.invoice_pdf,
        receipt_url: row.receipt_url,
        created_at: row.created_at,
    })
}
