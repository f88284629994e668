//! The fixed statements around every transaction, as Diesel query fragments: prepared once per
//! connection and pipelined with the caller's query.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

macro_rules! fixed_statements {
    ($($name:ident = $sql:literal),* $(,)?) => {$(
        #[derive(Clone, Copy, Debug, QueryId)]
        pub(crate) struct $name;

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }
    )*};
}

fixed_statements! {
    Begin = "BEGIN",
    BeginReadOnly = "BEGIN READ ONLY",
    Commit = "COMMIT",
    AnnouncedChanges = "SELECT current_setting('eyemotion.changes', true)",
}

impl Query for AnnouncedChanges {
    type SqlType = Nullable<Text>;
}

/// What `public.announce_change` has collected in this transaction, one change a line.
pub(crate) async fn announced_changes(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Option<String>> {
    AnnouncedChanges.get_result(&mut connection).await
}

/// Who the transaction acts for, in the settings that `auth.uid()`, `auth.role()` and
/// `auth.jwt()` read. Transaction-local: a session-level `SET` would outlive its request.
#[derive(Clone, Debug)]
pub(crate) struct SetContext {
    pub subject: String,
    pub role: &'static str,
    pub claims: String,
    pub request_id: String,
}

impl QueryId for SetContext {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for SetContext {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT set_config('request.jwt.claim.sub', ");
        out.push_bind_param::<Text, _>(&self.subject)?;
        out.push_sql(", true), set_config('request.jwt.claim.role', ");
        out.push_bind_param::<Text, _>(self.role)?;
        out.push_sql(", true), set_config('request.jwt.claims', ");
        out.push_bind_param::<Text, _>(&self.claims)?;
        out.push_sql(", true), set_config('request.id', ");
        out.push_bind_param::<Text, _>(&self.request_id)?;
        out.push_sql(", true)");
        Ok(())
    }
}
