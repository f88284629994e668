use crate::schema::stripe_events;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};

pub(crate) const PENDING: &str = "pending";
pub(crate) const PROCESSED: &str = "processed";
pub(crate) const IGNORED: &str = "ignored";
pub(crate) const DEAD: &str = "dead";

/// What [`stripe_events::last_error`] holds at most.
const LONGEST_ERROR: usize = 4000;

/// An event as it came.
#[derive(Insertable)]
#[diesel(table_name = stripe_events)]
pub(crate) struct NewEventRow<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub livemode: bool,
    pub object_type: Option<&'a str>,
    pub object_id: Option<&'a str>,
    pub body: &'a [u8],
    pub source: &'a str,
    pub status: &'a str,
    pub last_error: Option<&'a str>,
    pub occurred_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
}

/// Keeps an event. False: it is known already.
pub(crate) async fn insert(tx: &mut Tx, event: &NewEventRow<'_>) -> Result<bool, DbError> {
    let inserted = diesel::insert_into(stripe_events::table)
        .values(event)
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

/// What is needed to work on an event.
#[derive(Queryable, Selectable)]
#[diesel(table_name = stripe_events, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EventRow {
    pub kind: String,
    pub body: Vec<u8>,
    pub status: String,
}

/// An event.
pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<Option<EventRow>, DbError> {
    Ok(stripe_events::table
        .find(id)
        .select(EventRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// The event is done, one way or the other; `note` says why, if that needs saying.
pub(crate) async fn settle(
    tx: &mut Tx,
    id: &str,
    status: &str,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(stripe_events::table.find(id))
        .set((
            stripe_events::status.eq(status),
            stripe_events::last_error.eq(note.map(shortened)),
            stripe_events::processed_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// An attempt failed; more may follow.
pub(crate) async fn failed(
    tx: &mut Tx,
    id: &str,
    attempts: i32,
    error: &str,
) -> Result<(), DbError> {
    diesel::update(stripe_events::table.find(id))
        .set((
            stripe_events::attempts.eq(attempts),
            stripe_events::last_error.eq(shortened(error)),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// No control characters and not too long for the column.
fn shortened(text: &str) -> String {
    text.chars()
        .filter(|char| *char != '\0')
        .take(LONGEST_ERROR)
        .collect()
}

/// An event for operators.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = stripe_events, check_for_backend(diesel::pg::Pg))]
pub struct StripeEvent {
    /// Stripe's id.
    pub id: String,
    /// Its type: `invoice.paid` ...
    pub kind: String,
    /// The sort of object that it tells of.
    pub object_type: Option<String>,
    /// Which one.
    pub object_id: Option<String>,
    /// `webhook` or `events_api`.
    pub source: String,
    /// `pending`, `processed`, `ignored` or `dead`.
    pub status: String,
    /// How often it was tried in vain.
    pub attempts: i32,
    /// Why the last attempt failed, or why it was ignored.
    pub last_error: Option<String>,
    /// When it happened, by Stripe's clock.
    pub occurred_at: DateTime<Utc>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When it was done with.
    pub processed_at: Option<DateTime<Utc>>,
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// The one with this id.
    pub id: Option<String>,
    /// Those of this type.
    pub kind: Option<String>,
    /// Those that came since then.
    pub since: Option<DateTime<Utc>>,
    /// Only those that were given up.
    pub dead: bool,
}

/// Events, latest first, before the one named by `after`.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &EventFilter,
    after: Option<&(DateTime<Utc>, String)>,
    limit: i64,
) -> Result<Vec<StripeEvent>, DbError> {
    let mut query = stripe_events::table
        .select(StripeEvent::as_select())
        .order((stripe_events::received_at.desc(), stripe_events::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(id) = &filter.id {
        query = query.filter(stripe_events::id.eq(id));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(stripe_events::kind.eq(kind));
    }
    if let Some(since) = filter.since {
        query = query.filter(stripe_events::received_at.ge(since));
    }
    if filter.dead {
        query = query.filter(stripe_events::status.eq(DEAD));
    }
    if let Some((received_at, id)) = after {
        query = query.filter(
            stripe_events::received_at
                .lt(received_at)
                .or(stripe_events::received_at
                    .eq(received_at)
                    .and(stripe_events::id.lt(id))),
        );
    }
    Ok(query.load(tx).await?)
}

/// Lets an event be worked on again.
pub(crate) async fn revive(tx: &mut Tx, id: &str) -> Result<(), DbError> {
    diesel::update(stripe_events::table.find(id))
        .set((
            stripe_events::status.eq(PENDING),
            stripe_events::attempts.eq(0),
            stripe_events::processed_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// When the newest event happened.
pub(crate) async fn newest(tx: &mut Tx) -> Result<Option<DateTime<Utc>>, DbError> {
    Ok(stripe_events::table
        .select(diesel::dsl::max(stripe_events::occurred_at))
        .first(tx)
        .await?)
}

/// Which of these are known.
pub(crate) async fn known(tx: &mut Tx, ids: &[&str]) -> Result<Vec<String>, DbError> {
    Ok(stripe_events::table
        .filter(stripe_events::id.eq_any(ids))
        .select(stripe_events::id)
        .load(tx)
        .await?)
}

/// Events that are not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub waiting: i64,
    /// Of these, those that were tried in vain.
    pub failing: i64,
    pub oldest: Option<DateTime<Utc>>,
    pub dead: i64,
}

/// How many events wait, and how many were given up.
pub(crate) async fn backlog(tx: &mut Tx) -> Result<Backlog, DbError> {
    use diesel::dsl::{count_star, min};
    let pending = || stripe_events::table.filter(stripe_events::status.eq(PENDING));
    let (waiting, oldest) = pending()
        .select((count_star(), min(stripe_events::received_at)))
        .first(tx)
        .await?;
    let failing = pending()
        .filter(stripe_events::attempts.gt(0))
        .count()
        .get_result(tx)
        .await?;
    let dead = stripe_events::table
        .filter(stripe_events::status.eq(DEAD))
        .count()
        .get_result(tx)
        .await?;
    Ok(Backlog {
        waiting,
        failing,
        oldest,
        dead,
    })
}
