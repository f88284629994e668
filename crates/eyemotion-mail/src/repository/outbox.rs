use crate::schema::mail_outbox;
use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

pub(crate) struct NewMailRow<'a> {
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub recipient: &'a str,
    pub template: &'a str,
    pub data: &'a Value,
    pub created_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = mail_outbox)]
pub(crate) struct MailRow {
    pub id: Uuid,
    pub recipient: String,
    pub template: String,
    pub locale: String,
    pub data: Option<Value>,
    pub state: String,
    pub created_at: DateTime<Utc>,
}

/// How the outbox is doing.
#[derive(Queryable)]
pub(crate) struct Backlog {
    pub queued: i64,
    pub oldest: Option<DateTime<Utc>>,
}

/// Adds a mail in the reader's language, which the profile tells: one that is made in this same
/// transaction, perhaps. Where there is no profile any more, the data may say it. The profile is
/// auth's, hence SQL and no table of ours.
pub(crate) async fn insert(tx: &mut Tx, row: &NewMailRow<'_>, locale: &str) -> Result<(), DbError> {
    diesel::sql_query(
        "INSERT INTO public.mail_outbox (id, user_id, recipient, template, data, created_at, locale) \
         SELECT $1, reader, $3, $4, $5, $6, left(coalesce(nullif((SELECT preferences ->> 'language' \
         FROM public.user_profiles WHERE id = reader), ''), $5 ->> 'language', $7), 16) \
         FROM (SELECT coalesce($2, auth.served_user()) AS reader) AS reader",
    )
    .bind::<SqlUuid, _>(row.id)
    .bind::<Nullable<SqlUuid>, _>(row.user_id)
    .bind::<Text, _>(row.recipient)
    .bind::<Text, _>(row.template)
    .bind::<Jsonb, _>(row.data)
    .bind::<Timestamptz, _>(row.created_at)
    .bind::<Text, _>(locale)
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<MailRow>, DbError> {
    Ok(mail_outbox::table
        .find(id)
        .select(MailRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// What was sent holds secrets no longer.
pub(crate) async fn sent(
    tx: &mut Tx,
    id: Uuid,
    attempts: i32,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(mail_outbox::table.find(id))
        .set((
            mail_outbox::state.eq("sent"),
            mail_outbox::data.eq(None::<Value>),
            mail_outbox::attempts.eq(attempts),
            mail_outbox::message_id.eq(message_id),
            mail_outbox::last_error.eq(None::<String>),
            mail_outbox::sent_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes down an attempt that failed, and that the mail will be tried again.
pub(crate) async fn delayed(
    tx: &mut Tx,
    id: Uuid,
    attempts: i32,
    message_id: &str,
    error: &str,
) -> Result<(), DbError> {
    diesel::update(mail_outbox::table.find(id))
        .filter(mail_outbox::state.ne("sent"))
        .set((
            mail_outbox::attempts.eq(attempts),
            mail_outbox::message_id.eq(message_id),
            mail_outbox::last_error.eq(error),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives a mail up. It keeps its data for a while, so that its dead letter can be replayed.
pub(crate) async fn failed(tx: &mut Tx, id: Uuid, error: &str) -> Result<(), DbError> {
    diesel::update(mail_outbox::table.find(id))
        .filter(mail_outbox::state.ne("sent"))
        .set((
            mail_outbox::state.eq("failed"),
            mail_outbox::last_error.eq(error),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes at most `limit` of the mails to a person, and of those to the address that are settled:
/// what says that the account is gone is still to be sent.
pub(crate) async fn erase(
    tx: &mut Tx,
    person: Uuid,
    address: &str,
    limit: i64,
) -> Result<usize, DbError> {
    let theirs = mail_outbox::user_id.eq(person).or(mail_outbox::user_id
        .is_null()
        .and(mail_outbox::recipient.eq(address))
        .and(mail_outbox::state.ne("queued")));
    let batch: Vec<Uuid> = mail_outbox::table
        .filter(theirs.assume_not_null())
        .select(mail_outbox::id)
        .limit(limit)
        .load(tx)
        .await?;
    let batch = mail_outbox::table.filter(mail_outbox::id.eq_any(batch));
    Ok(diesel::delete(batch).execute(tx).await?)
}

/// To somebody who is deleted: the address is kept for as long as it takes to write to it.
const GOODBYE: &str = "account_deleted";

/// Takes the data from what failed before `wipe` and deletes what is settled and was posted before
/// `delete`. Returns how many were deleted.
pub(crate) async fn prune(
    tx: &mut Tx,
    wipe: DateTime<Utc>,
    delete: DateTime<Utc>,
) -> Result<usize, DbError> {
    diesel::update(mail_outbox::table)
        .filter(mail_outbox::state.eq("failed"))
        .filter(mail_outbox::data.is_not_null())
        .filter(mail_outbox::created_at.lt(wipe))
        .set(mail_outbox::data.eq(None::<Value>))
        .execute(tx)
        .await?;
    let settled = mail_outbox::table
        .filter(mail_outbox::state.ne("queued"))
        .filter(
            mail_outbox::created_at
                .lt(delete)
                .or(mail_outbox::template.eq(GOODBYE)),
        );
    Ok(diesel::delete(settled).execute(tx).await?)
}

pub(crate) async fn backlog(tx: &mut Tx) -> Result<Backlog, DbError> {
    Ok(mail_outbox::table
        .filter(mail_outbox::state.eq("queued"))
        .select((count_star(), min(mail_outbox::created_at)))
        .first(tx)
        .await?)
}

/// How many were given up since then.
pub(crate) async fn failures(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64, DbError> {
    Ok(mail_outbox::table
        .filter(mail_outbox::state.eq("failed"))
        .filter(mail_outbox::created_at.ge(since))
        .select(count_star())
        .first(tx)
        .await?)
}
