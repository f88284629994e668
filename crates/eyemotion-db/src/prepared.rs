//! Every statement is prepared once on a connection.
//!
//! Diesel prepares INSERT, UPDATE and SQL texts anew each time, since their text may depend on
//! the data. That costs a round trip and a plan for each, more than most of them take to run. Ours
//! have few forms: an absent column more or less, a batch of at most some hundred rows.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// Whether Diesel itself keeps the prepared statement.
pub(crate) fn is_prepared_once(query: &impl QueryFragment<Pg>) -> bool {
    query.is_safe_to_cache_prepared(&Pg).unwrap_or(true)
}

/// A query whose prepared statement is kept under its SQL text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared<Q>(pub(crate) Q);

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    /// The type alone does not tell the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}
