use crate::extract::{Caller, PageQuery, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::names::{PaymentKind, PaymentStatus};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::{Payment, Refund};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The caller's payments, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HistoryAnswer {
    success: Success,
    payments: Vec<PaymentView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A payment with what went back of it. Amounts are in minor units of `currency`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaymentView {
    id: Uuid,
    /// Tax included.
    #[schema(maximum = 9_007_199_254_740_991_i64, example = 29900)]
    amount: i64,
    #[schema(example = "THB")]
    currency: String,
    /// What of the amount is tax.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    tax_amount: i64,
    /// What of the amount went back.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded_amount: i64,
    #[schema(value_type = PaymentStatus)]
    status: &'static str,
    #[schema(value_type = PaymentKind)]
    r#type: &'static str,
    description: String,
    /// The plan's name.
    plan: Option<String>,
    invoice_url: Option<String>,
    invoice_pdf: Option<String>,
    receipt_url: Option<String>,
    refunds: Vec<RefundView>,
    created_at: Timestamp,
}

/// Money that went back.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefundView {
    id: Uuid,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    amount: i64,
    #[schema(value_type = PaymentStatus)]
    status: &'static str,
    created_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(it: Payment) -> Self {
        Self {
            id: it.id,
            amount: it.amount.amount,
            currency: it.amount.currency,
            tax_amount: it.tax,
            refunded_amount: it.refunded,
            status: it.status.as_str(),
            r#type: it.kind.as_str(),
            description: it.description,
            plan: it.plan,
            invoice_url: it.invoice_url,
            invoice_pdf: it.invoice_pdf,
            receipt_url: it.receipt_url,
            refunds: it.refunds.into_iter().map(RefundView::from).collect(),
            created_at: it.created_at.into(),
        }
    }
}

impl From<Refund> for RefundView {
    fn from(it: Refund) -> Self {
        Self {
            id: it.id,
            amount: it.amount,
            status: it.status.as_str(),
            created_at: it.created_at.into(),
        }
    }
}

/// Lists the caller's payments with their invoices, receipts and refunds.
#[utoipa::path(
    operation_id = "listPayments",
    tag = "payments",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = HistoryAnswer), SignedIn, WithQuery, Always)
)]
#[get("/payments/history")]
pub(super) async fn list_payments(
    caller: Caller,
    query: ValidQuery<PageQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let page = query.0.page()?;
    let page = services.payments.history(&caller.ctx, page).await?;
    Ok(HttpResponse::Ok().json(HistoryAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        payments: page.items.into_iter().map(PaymentView::from).collect(),
    }))
}
