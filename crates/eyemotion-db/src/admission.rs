//! Whether a session still speaks for its person, asked in the same flight as what the person reads.

use crate::error::NotAdmitted;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection};
use eyemotion_core::{Actor, Ctx};
use uuid::Uuid;

/// One row if the caller may come in, as who and with the role that the token says, else none.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct Admission {
    user: Uuid,
    session: Uuid,
    role: &'static str,
    at: DateTime<Utc>,
}

impl Admission {
    /// None if there is nothing to ask.
    pub(crate) fn of(ctx: &Ctx) -> Option<Self> {
        match (ctx.unproven_at, ctx.actor) {
            (Some(at), Actor::User { id, session, role }) => Some(Self {
                user: id.0,
                session: session.0,
                role: role.as_str(),
                at,
            }),
            _ => None,
        }
    }

    /// Asks. The number of rows is enough, so there are no columns to decode.
    pub(crate) async fn ask(self, mut connection: &AsyncPgConnection) -> QueryResult<usize> {
        match AsyncConnectionCore::execute_returning_count(&mut connection, self).await? {
            0 => Err(Error::QueryBuilderError(NotAdmitted.into())),
            rows => Ok(rows),
        }
    }
}

impl QueryFragment<Pg> for Admission {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id \
             JOIN public.user_profiles p ON p.id = s.user_id WHERE s.id = ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.session)?;
        out.push_sql(" AND s.user_id = ");
        out.push_bind_param::<SqlUuid, _>(&self.user)?;
        out.push_sql(" AND s.revoked_at IS NULL AND least(s.expires_at, s.idle_expires_at) > ");
        out.push_bind_param::<Timestamptz, _>(&self.at)?;
        out.push_sql(" AND p.role = ");
        out.push_bind_param::<Text, _>(self.role)?;
        out.push_sql(" AND u.deleted_at IS NULL AND (u.banned_until IS NULL OR u.banned_until <= ");
        out.push_bind_param::<Timestamptz, _>(&self.at)?;
        out.push_sql(
            ") AND NOT EXISTS (SELECT FROM auth.account_deletions d WHERE d.user_id = s.user_id)",
        );
        Ok(())
    }
}
