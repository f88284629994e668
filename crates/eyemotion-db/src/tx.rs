//! The transaction: an owned value, the only way to a query.

use crate::admission::Admission;
use crate::changes::{Changes, Listening};
use crate::connect::Connector;
use crate::error::DbError;
use crate::flight::{After, Deferred, closed, execute, fly, send};
use crate::pool::Connection;
use crate::prepared::{Prepared, is_prepared_once};
use crate::statements::{Begin, BeginReadOnly, SetContext};
use deadpool::managed::Object;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Rows = BoxStream<
    'static,
    QueryResult<<AsyncPgConnection as AsyncConnectionCore>::Row<'static, 'static>>,
>;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has been sent: BEGIN and the context ride with the first query.
    Fresh,
    /// Begun, and the connection is idle.
    Open,
    /// A query is under way. A transaction dropped in this phase was cancelled.
    InFlight,
    /// COMMIT has been answered.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// One transaction until [`Tx::commit`].
    Write,
    /// Each query is a read-only transaction of its own, in one round trip.
    Read,
}

/// A database transaction in a caller's context. It implements Diesel's connection, so a query
/// runs as `query.load(&mut tx)`. Dropped without [`Tx::commit`], it is rolled back.
///
/// The first query carries BEGIN and the row-level security context with it in one round trip.
/// A transaction from [`crate::Db::read`] sends COMMIT in that same round trip too, and so does one
/// that was told which query [is its last](Tx::commit_with_next).
pub struct Tx {
    connection: Option<Connection>,
    connector: Arc<Connector>,
    context: SetContext,
    mode: Mode,
    phase: Phase,
    /// Statements that go with the next query, before it.
    deferred: Vec<Deferred>,
    /// Whether COMMIT goes with the next query, after it.
    ending: bool,
    /// Set by any failed statement, also by one whose error arrives with the rows.
    failed: Arc<AtomicBool>,
    /// The caches of this process, to be told at commit.
    listening: Option<Arc<Listening>>,
    /// To be asked in each flight, before what it reads.
    admission: Option<Admission>,
}

impl Tx {
    pub(crate) fn write(
        connection: Connection,
        connector: Arc<Connector>,
        context: SetContext,
    ) -> Self {
        Self::new(connection, connector, context, Mode::Write)
    }

    pub(crate) fn read(
        connection: Connection,
        connector: Arc<Connector>,
        context: SetContext,
    ) -> Self {
        Self::new(connection, connector, context, Mode::Read)
    }

    fn new(
        connection: Connection,
        connector: Arc<Connector>,
        context: SetContext,
        mode: Mode,
    ) -> Self {
        Self {
            connection: Some(connection),
            connector,
            context,
            mode,
            phase: Phase::Fresh,
            deferred: Vec::new(),
            ending: false,
            failed: Arc::default(),
            listening: None,
            admission: None,
        }
    }

    pub(crate) fn telling(mut self, changes: Option<&Changes>) -> Self {
        self.listening = changes.and_then(Changes::listening).cloned();
        self
    }

    pub(crate) const fn admitting(mut self, admission: Option<Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Sends `statement` in one round trip with the next query, or with COMMIT. What it fails of,
    /// that query or the commit fails of, and the transaction with it.
    pub fn defer<S>(&mut self, statement: S)
    where
        S: QueryFragment<Pg> + QueryId + Send + Sync + 'static,
    {
        let statement: Deferred = Box::new(move |connection| execute(connection, statement));
        self.deferred.push(statement);
    }

    /// The next query is the last one: COMMIT goes with it in one round trip, and what comes of
    /// COMMIT comes of the query. [`Tx::commit`] then finds that nothing is left to do. Not for
    /// queries with types of our own making, as with [`crate::Db::read`].
    pub fn commit_with_next(&mut self) {
        self.ending = self.mode == Mode::Write;
    }

    /// Makes everything done so far permanent. When it returns, the caches of this process have
    /// dropped what was changed.
    ///
    /// # Errors
    /// [`DbError::Aborted`] if a statement had failed (PostgreSQL would answer COMMIT with a
    /// silent rollback), [`DbError::Unavailable`] if the outcome is unknown.
    pub async fn commit(mut self) -> Result<(), DbError> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(DbError::Aborted);
        }
        let is_untouched = self.phase == Phase::Fresh && self.deferred.is_empty();
        if self.mode == Mode::Read || is_untouched || self.phase == Phase::Ended {
            return Ok(());
        }
        self.ending = true;
        let nothing = |_| future::ready(Ok(())).boxed();
        Ok(self.flight(nothing).await?)
    }

    /// Sends `query`, with whatever has to go before and after it, in one flight.
    fn flight<'a, R: Send + 'a>(
        &'a mut self,
        query: impl FnOnce(&'a AsyncPgConnection) -> BoxFuture<'a, QueryResult<R>>,
    ) -> BoxFuture<'a, QueryResult<R>> {
        let Some(connection) = self.connection.as_deref() else {
            return future::ready(Err(closed())).boxed();
        };
        let fresh = match self.phase {
            Phase::Fresh => true,
            Phase::Open => false,
            // An earlier query was dropped half-way, and what it did is not known; or it was the
            // last.
            Phase::InFlight | Phase::Ended => return future::ready(Err(closed())).boxed(),
        };
        self.phase = Phase::InFlight;
        let mut before = Vec::new();
        if fresh {
            before.push(match self.mode {
                Mode::Write => send(connection, Begin),
                Mode::Read => send(connection, BeginReadOnly),
            });
            before.push(send(connection, self.context.clone()));
            before.extend(self.admission.map(|it| it.ask(connection).boxed()));
        }
        let deferred = std::mem::take(&mut self.deferred).into_iter();
        before.extend(deferred.map(|statement| statement(connection)));
        let after = match (self.mode, self.ending) {
            (Mode::Write, false) => After::Stay,
            (Mode::Write, true) => After::Commit(self.listening.as_deref()),
            (Mode::Read, _) => After::Commit(None),
        };
        let query = query(connection);
        let (phase, failed, mode) = (&mut self.phase, &self.failed, self.mode);
        async move {
            let (result, ended) = fly(connection, before, query, after).await;
            *phase = match mode {
                Mode::Read => Phase::Fresh,
                Mode::Write if ended => Phase::Ended,
                Mode::Write => Phase::Open,
            };
            if result.is_err() {
                failed.store(mode == Mode::Write, Ordering::Relaxed);
            }
            result
        }
        .boxed()
    }
}

impl AsyncConnectionCore for Tx {
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Rows>>;
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        let failed = Arc::clone(&self.failed);
        let writes = self.mode == Mode::Write;
        let goes_on = writes && !self.ending;
        self.flight(move |mut connection| {
            let query = source.as_query();
            let rows = if is_prepared_once(&query) {
                AsyncConnectionCore::load(&mut connection, query)
            } else {
                AsyncConnectionCore::load(&mut connection, Prepared(query))
            };
            async move {
                let failed = move |_: &Error| failed.store(writes, Ordering::Relaxed);
                let rows = rows.await?.inspect_err(failed);
                if goes_on {
                    return Ok(rows.boxed());
                }
                // The COMMIT behind them is not answered until the rows have been taken.
                let rows: Vec<_> = rows.collect().await;
                Ok(stream::iter(rows).boxed())
            }
            .boxed()
        })
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        self.flight(move |connection| execute(connection, source))
    }
}

impl SimpleAsyncConnection for Tx {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let query = query.to_owned();
        self.flight(move |connection| {
            async move { (&mut &*connection).batch_execute(&query).await }.boxed()
        })
        .await
    }
}

impl Drop for Tx {
    /// A connection never returns to the pool with its transaction open: it would keep its row
    /// locks until somebody else takes it. An idle transaction is rolled back first; one that was
    /// cancelled in the middle of a query is cancelled on the server too and its connection closed.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match (self.phase, tokio::runtime::Handle::try_current()) {
            (Phase::Fresh | Phase::Ended, _) => drop(connection),
            (Phase::Open, Ok(runtime)) => {
                runtime.spawn(async move {
                    let mut connection = connection;
                    if connection.batch_execute("ROLLBACK").await.is_err() {
                        drop(Object::take(connection));
                    }
                });
            }
            (Phase::InFlight, Ok(runtime)) => {
                let connector = Arc::clone(&self.connector);
                let connection = Object::take(connection);
                runtime.spawn(async move {
                    connector.cancel(&connection.cancel_token()).await;
                    drop(connection);
                });
            }
            (Phase::Open | Phase::InFlight, Err(_)) => drop(Object::take(connection)),
        }
    }
}
