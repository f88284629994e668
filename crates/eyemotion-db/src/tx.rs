//! The transaction: an owned value, the only way to a query.

use crate::changes::{Changes, Listening};
use crate::connect::Connector;
use crate::error::DbError;
use crate::pool::Connection;
use crate::prepared::{Prepared, is_prepared_once};
use crate::statements::{Begin, BeginReadOnly, Commit, SetContext, announced_changes};
use deadpool::managed::Object;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
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
/// A transaction from [`crate::Db::read`] sends COMMIT in that same round trip too.
pub struct Tx {
    connection: Option<Connection>,
    connector: Arc<Connector>,
    context: SetContext,
    mode: Mode,
    phase: Phase,
    /// Set by any failed statement, also by one whose error arrives with the rows.
    failed: Arc<AtomicBool>,
    /// The caches of this process, to be told at commit.
    listening: Option<Arc<Listening>>,
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
            failed: Arc::default(),
            listening: None,
        }
    }

    pub(crate) fn telling(mut self, changes: Option<&Changes>) -> Self {
        self.listening = changes.and_then(Changes::listening).cloned();
        self
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
        if self.mode == Mode::Read || self.phase == Phase::Fresh {
            return Ok(());
        }
        let Some(listening) = self.listening.clone() else {
            self.execute_returning_count(Commit).await?;
            self.phase = Phase::Fresh;
            return Ok(());
        };
        let committing = self.flight(|connection| {
            let both = future::join(announced_changes(connection), send(connection, Commit));
            both.map(|(announced, committed)| {
                let announced = announced?;
                committed.map(|_| announced)
            })
            .boxed()
        });
        let announced = committing.await?.unwrap_or_default();
        self.phase = Phase::Fresh;
        announced
            .lines()
            .for_each(|change| listening.board().post(change));
        Ok(())
    }

    /// Sends `query`, with whatever has to go before and after it, in one flight.
    fn flight<'a, R: Send + 'a>(
        &'a mut self,
        query: impl FnOnce(&'a AsyncPgConnection) -> BoxFuture<'a, QueryResult<R>>,
    ) -> BoxFuture<'a, QueryResult<R>> {
        let Some(connection) = self.connection.as_deref() else {
            return future::ready(Err(closed())).boxed();
        };
        if self.phase == Phase::InFlight {
            // An earlier query was dropped half-way: what it did is not known.
            return future::ready(Err(closed())).boxed();
        }
        let query = query(connection);
        let before = std::mem::replace(&mut self.phase, Phase::InFlight);
        let (phase, failed, context) = (&mut self.phase, &self.failed, &self.context);
        let mode = self.mode;
        async move {
            let result = match (mode, before) {
                (Mode::Read, _) => {
                    let (begun, set, result, ended) = future::join4(
                        send(connection, BeginReadOnly),
                        send(connection, context.clone()),
                        query,
                        send(connection, Commit),
                    )
                    .await;
                    *phase = Phase::Fresh;
                    begun
                        .and(set)
                        .and(result)
                        .and_then(|rows| ended.map(|_| rows))
                }
                (Mode::Write, Phase::Fresh) => {
                    let (begun, set, result) = future::join3(
                        send(connection, Begin),
                        send(connection, context.clone()),
                        query,
                    )
                    .await;
                    *phase = Phase::Open;
                    begun.and(set).and(result)
                }
                (Mode::Write, Phase::Open | Phase::InFlight) => {
                    let result = query.await;
                    *phase = Phase::Open;
                    result
                }
            };
            if result.is_err() {
                failed.store(mode == Mode::Write, Ordering::Relaxed);
            }
            result
        }
        .boxed()
    }
}

fn send<'a, T>(
    mut connection: &'a AsyncPgConnection,
    statement: T,
) -> BoxFuture<'a, QueryResult<usize>>
where
    T: QueryFragment<Pg> + QueryId + 'a,
{
    AsyncConnectionCore::execute_returning_count(&mut connection, statement)
}

fn closed() -> Error {
    let message = "the transaction was cancelled or has ended".to_owned();
    Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message))
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
        let write = self.mode == Mode::Write;
        self.flight(move |mut connection| {
            let query = source.as_query();
            let rows = if is_prepared_once(&query) {
                AsyncConnectionCore::load(&mut connection, query)
            } else {
                AsyncConnectionCore::load(&mut connection, Prepared(query))
            };
            async move {
                if write {
                    let failed = move |_: &Error| failed.store(true, Ordering::Relaxed);
                    return Ok(rows.await?.inspect_err(failed).boxed());
                }
                // The COMMIT behind them is not answered until the rows have been taken.
                let rows: Vec<_> = rows.await?.collect().await;
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
        self.flight(move |mut connection| {
            if is_prepared_once(&source) {
                AsyncConnectionCore::execute_returning_count(&mut connection, source)
            } else {
                AsyncConnectionCore::execute_returning_count(&mut connection, Prepared(source))
            }
        })
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
            (Phase::Fresh, _) => drop(connection),
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
