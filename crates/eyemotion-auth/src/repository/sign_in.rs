//! What a sign-in reads before the password is hashed, and what it writes afterwards: one statement
//! each, because everything that a sign-in costs besides its hash is taken from other people's
//! hashes. Both are query fragments of their own, which are prepared once for each connection.

use crate::repository::sessions::NewSessionRow;
use crate::repository::users::CredentialRow;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;
use uuid::Uuid;

/// Who wants to sign in.
pub(crate) struct Asking<'a> {
    /// Normalised.
    pub(crate) email: &'a str,
    /// The session that the device has already.
    pub(crate) device: Option<Uuid>,
    /// Every counter that may hold the sign-in back.
    pub(crate) keys: &'a [[u8; 32]],
    pub(crate) now: DateTime<Utc>,
}

/// What is known of that.
#[derive(Default)]
pub(crate) struct Candidate {
    /// None if the address is nobody's, or a deleted person's.
    pub(crate) known: Option<CredentialRow>,
    /// Whose the device's session is; none if it has ended.
    pub(crate) device_of: Option<Uuid>,
    /// The counters that let nobody on now.
    pub(crate) held: Vec<HeldRow>,
}

/// A counter that lets nobody on for some time.
pub(crate) struct HeldRow {
    pub(crate) key: Vec<u8>,
    pub(crate) rule: String,
    pub(crate) free_at: DateTime<Utc>,
}

struct CandidateOf<'a> {
    email: &'a str,
    device: Option<Uuid>,
    keys: Vec<Vec<u8>>,
    now: DateTime<Utc>,
}

impl QueryId for CandidateOf<'_> {
    type QueryId = CandidateOf<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for CandidateOf<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // One row at least, and the same work whether anybody is known.
        out.push_sql(
            "SELECT u.id, u.password_hash, u.email_confirmed_at, u.banned_until, \
             d.user_id, t.key, t.rule, t.free_at \
             FROM (VALUES (1)) AS one (row) \
             LEFT JOIN auth.users u ON u.deleted_at IS NULL AND u.email = ",
        );
        out.push_bind_param::<Text, _>(self.email)?;
        out.push_sql(" LEFT JOIN auth.sessions d ON d.id = ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.device)?;
        out.push_sql(" AND d.revoked_at IS NULL AND least(d.expires_at, d.idle_expires_at) > ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" LEFT JOIN auth.throttles t ON t.key = ANY (");
        out.push_bind_param::<Array<Bytea>, _>(&self.keys)?;
        out.push_sql(") AND t.free_at > ");
        out.push_bind_param::<Timestamptz, _>(&self.now)
    }
}

impl Query for CandidateOf<'_> {
    type SqlType = (
        Nullable<SqlUuid>,
        Nullable<Text>,
        Nullable<Timestamptz>,
        Nullable<Timestamptz>,
        Nullable<SqlUuid>,
        Nullable<Bytea>,
        Nullable<Text>,
        Nullable<Timestamptz>,
    );
}

#[derive(Queryable)]
struct CandidateRow {
    id: Option<Uuid>,
    password_hash: Option<String>,
    email_confirmed_at: Option<DateTime<Utc>>,
    banned_until: Option<DateTime<Utc>>,
    device_of: Option<Uuid>,
    key: Option<Vec<u8>>,
    rule: Option<String>,
    free_at: Option<DateTime<Utc>>,
}

/// Who asks. `tx` is the platform's.
pub(crate) async fn candidate(tx: &mut Tx, asking: &Asking<'_>) -> QueryResult<Candidate> {
    let query = CandidateOf {
        email: asking.email,
        device: asking.device,
        keys: bytes(asking.keys),
        now: asking.now,
    };
    let rows: Vec<CandidateRow> = query.load(tx).await?;
    let mut candidate = Candidate::default();
    for row in rows {
        candidate.device_of = row.device_of;
        if let Some(id) = row.id {
            candidate.known = Some(CredentialRow {
                id,
                password_hash: row.password_hash,
                email_confirmed_at: row.email_confirmed_at,
                banned_until: row.banned_until,
            });
        }
        if let (Some(key), Some(rule), Some(free_at)) = (row.key, row.rule, row.free_at) {
            candidate.held.push(HeldRow { key, rule, free_at });
        }
    }
    Ok(candidate)
}

/// Whoever has signed in, as an access token tells it.
pub(crate) struct EnteredRow {
    pub(crate) email: String,
    pub(crate) role: String,
}

struct Entry<'a> {
    keys: Vec<Vec<u8>>,
    session: &'a NewSessionRow<'a>,
}

impl QueryId for Entry<'_> {
    type QueryId = Entry<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Entry<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let row = self.session;
        // Counters are locked first and in the order of their keys, then the person: as everywhere,
        // so that nobody waits for somebody who waits for them.
        out.push_sql(
            "WITH counted AS MATERIALIZED ( \
             SELECT rule, free_at FROM auth.throttles WHERE key = ANY (",
        );
        out.push_bind_param::<Array<Bytea>, _>(&self.keys)?;
        out.push_sql(
            ") ORDER BY key FOR UPDATE \
             ), cleared AS (DELETE FROM auth.throttles WHERE key = ANY (",
        );
        out.push_bind_param::<Array<Bytea>, _>(&self.keys)?;
        out.push_sql(") AND (SELECT count(*) FROM counted) > 0), person AS (UPDATE auth.users SET last_sign_in_at = ");
        out.push_bind_param::<Timestamptz, _>(&row.created_at)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<SqlUuid, _>(&row.user_id)?;
        out.push_sql(
            " AND (SELECT count(*) FROM counted) >= 0 RETURNING id, email, last_sign_in_at \
             ), profile AS (UPDATE public.user_profiles p SET last_login_at = person.last_sign_in_at \
             FROM person WHERE p.id = person.id RETURNING p.role \
             ), opened AS (INSERT INTO auth.sessions \
             (user_id, created_at, authenticated_at, id, expires_at, idle_expires_at, ip, user_agent) \
             SELECT id, last_sign_in_at, last_sign_in_at, ",
        );
        out.push_bind_param::<SqlUuid, _>(&row.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamptz, _>(&row.expires_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamptz, _>(&row.idle_expires_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&row.ip)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&row.user_agent)?;
        out.push_sql(
            " FROM person) \
             SELECT person.email, profile.role, counted.rule, counted.free_at \
             FROM person CROSS JOIN profile LEFT JOIN counted ON counted.free_at > ",
        );
        out.push_bind_param::<Timestamptz, _>(&row.created_at)
    }
}

impl Query for Entry<'_> {
    type SqlType = (Text, Text, Nullable<Text>, Nullable<Timestamptz>);
}

type EntryRow = (String, String, Option<String>, Option<DateTime<Utc>>);

/// Opens the session, notes the sign-in with the person and takes the counters away; besides, which
/// of these let nobody on now. None if there is no such person. `tx` is the platform's.
pub(crate) async fn enter(
    tx: &mut Tx,
    session: &NewSessionRow<'_>,
    keys: &[[u8; 32]],
) -> QueryResult<Option<(EnteredRow, Vec<(String, DateTime<Utc>)>)>> {
    let query = Entry {
        keys: bytes(keys),
        session,
    };
    let mut entered = None;
    let mut held = Vec::new();
    for (email, role, rule, free_at) in query.load::<EntryRow>(tx).await? {
        entered = Some(EnteredRow { email, role });
        held.extend(rule.zip(free_at));
    }
    Ok(entered.map(|entered| (entered, held)))
}

fn bytes(keys: &[[u8; 32]]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.to_vec()).collect()
}
