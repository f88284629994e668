use crate::schema::{account_deletions, sessions, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{SessionId, UserId};
use eyemotion_db::Tx;

/// How a person and one of the person's sessions stand.
#[derive(Queryable)]
pub(crate) struct StandingRow {
    pub role: String,
    pub banned_until: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    /// When the account will be deleted; none: never.
    pub leaving_at: Option<DateTime<Utc>>,
    /// None if there is no such session of that person.
    pub session: Option<SessionEndRow>,
}

/// When a session ends or has ended.
#[expect(clippy::struct_field_names, reason = "the columns' names")]
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionEndRow {
    pub expires_at: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// None if there is no such person.
pub(crate) async fn find(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
) -> QueryResult<Option<StandingRow>> {
    let own = sessions::id
        .eq(session.0)
        .and(sessions::user_id.eq(users::id));
    users::table
        .inner_join(user_profiles::table)
        .left_join(sessions::table.on(own))
        .left_join(account_deletions::table.on(account_deletions::user_id.eq(users::id.nullable())))
        .filter(users::id.eq(user.0))
        .select((
            user_profiles::role,
            users::banned_until,
            users::deleted_at,
            account_deletions::due_at.nullable(),
            Option::<SessionEndRow>::as_select(),
        ))
        .first(tx)
        .await
        .optional()
}
