use crate::refresh_token::RefreshClaim;
use crate::schema::sessions;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{PageRequest, SessionId, UserId};
use eyemotion_db::Tx;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = sessions)]
pub(crate) struct NewSessionRow<'a> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub ip: Option<String>,
    pub user_agent: Option<&'a str>,
    pub authenticated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    pub user_id: Uuid,
    pub counter: i64,
    pub rotated_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl SessionRow {
    pub(crate) fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at && now < self.idle_expires_at
    }
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewSessionRow<'_>) -> QueryResult<usize> {
    diesel::insert_into(sessions::table)
        .values(row)
        .execute(tx)
        .await
}

pub(crate) async fn find(tx: &mut Tx, id: SessionId) -> QueryResult<Option<SessionRow>> {
    sessions::table
        .find(id.0)
        .select(SessionRow::as_select())
        .first(tx)
        .await
        .optional()
}

pub(crate) async fn is_live(tx: &mut Tx, id: SessionId, now: DateTime<Utc>) -> QueryResult<bool> {
    let live = sessions::table
        .find(id.0)
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now));
    diesel::select(exists(live)).get_result(tx).await
}

/// Takes the counter one further if it stands where the token says and the session lives. Of many
/// at once, one succeeds: whose session it is.
pub(crate) async fn rotate(
    tx: &mut Tx,
    claim: RefreshClaim,
    now: DateTime<Utc>,
    idle_expires_at: DateTime<Utc>,
) -> QueryResult<Option<UserId>> {
    let current = sessions::table
        .find(claim.session.0)
        .filter(sessions::counter.eq(claim.counter))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now));
    diesel::update(current)
        .set((
            sessions::counter.eq(sessions::counter + 1),
            sessions::rotated_at.eq(now),
            sessions::refreshed_at.eq(now),
            sessions::idle_expires_at.eq(idle_expires_at),
        ))
        .returning(sessions::user_id)
        .get_result::<Uuid>(tx)
        .await
        .optional()
        .map(|user| user.map(UserId))
}

/// Ends the session; how many were ended: 0 if it had ended before.
pub(crate) async fn revoke(
    tx: &mut Tx,
    id: SessionId,
    now: DateTime<Utc>,
    reason: &str,
) -> QueryResult<usize> {
    diesel::update(
        sessions::table
            .find(id.0)
            .filter(sessions::revoked_at.is_null()),
    )
    .set((
        sessions::revoked_at.eq(now),
        sessions::revoked_reason.eq(reason),
    ))
    .execute(tx)
    .await
}

/// A session as its owner sees it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct OwnSessionRow {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub authenticated_at: DateTime<Utc>,
}

/// The person's living sessions: as many as `page` wants and one more, newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
    page: PageRequest,
) -> QueryResult<Vec<OwnSessionRow>> {
    let mut query = sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(OwnSessionRow::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        let older = sessions::created_at.lt(after.created_at);
        let same = sessions::created_at.eq(after.created_at);
        query = query.filter(older.or(same.and(sessions::id.lt(after.id))));
    }
    query.load(tx).await
}

/// Ends the person's living sessions but `except`; which ones.
pub(crate) async fn revoke_all(
    tx: &mut Tx,
    user: UserId,
    except: Option<SessionId>,
    reason: &str,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Uuid>> {
    // No session has the nil id.
    let kept = except.map_or(Uuid::nil(), |session| session.0);
    let living = sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::id.ne(kept));
    diesel::update(living)
        .set((
            sessions::revoked_at.eq(now),
            sessions::revoked_reason.eq(reason),
        ))
        .returning(sessions::id)
        .get_results(tx)
        .await
}

/// When the person last proved who they are; none if the session has ended.
pub(crate) async fn authenticated_at(
    tx: &mut Tx,
    id: SessionId,
    now: DateTime<Utc>,
) -> QueryResult<Option<DateTime<Utc>>> {
    sessions::table
        .find(id.0)
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .select(sessions::authenticated_at)
        .first(tx)
        .await
        .optional()
}

/// Notes that the person has just proved who they are.
pub(crate) async fn mark_authenticated(
    tx: &mut Tx,
    id: SessionId,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(sessions::table.find(id.0))
        .set(sessions::authenticated_at.eq(now))
        .execute(tx)
        .await
}
