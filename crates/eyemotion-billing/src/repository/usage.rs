use crate::model::CreditUsage;
use crate::schema::credits_usage;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, PageRequest, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = credits_usage, check_for_backend(diesel::pg::Pg))]
struct UsageRow {
    id: Uuid,
    credits_used: i64,
    action: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    subscription_id: Option<Uuid>,
    details: Value,
    created_at: DateTime<Utc>,
}

impl From<UsageRow> for CreditUsage {
    fn from(row: UsageRow) -> Self {
        Self {
            id: row.id,
            credits: Credits(row.credits_used),
            action: row.action,
            resource_type: row.resource_type,
            resource_id: row.resource_id,
            subscription_id: row.subscription_id,
            details: row.details,
            created_at: row.created_at,
        }
    }
}

/// As many as `page` wants and one more, newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    user: UserId,
    page: PageRequest,
) -> Result<Vec<CreditUsage>, DbError> {
    let mut query = credits_usage::table
        .filter(credits_usage::user_id.eq(user.0))
        .order((credits_usage::created_at.desc(), credits_usage::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(UsageRow::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        // The first condition alone lets the index start at the cursor.
        query = query
            .filter(credits_usage::created_at.le(after.created_at))
            .filter(
                credits_usage::created_at
                    .lt(after.created_at)
                    .or(credits_usage::id.lt(after.id)),
            );
    }
    Ok(query
        .load(tx)
        .await?
        .into_iter()
        .map(CreditUsage::from)
        .collect())
}
