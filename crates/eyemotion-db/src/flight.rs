//! Several statements in one round trip.

use crate::changes::Listening;
use crate::prepared::{Prepared, is_prepared_once};
use crate::statements::{Commit, announced_changes};
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection};
use futures_util::future::{self, BoxFuture, FutureExt, MaybeDone};
use std::pin::Pin;
use std::task::Poll;

/// A statement that has not been sent yet.
pub(crate) type Deferred = Box<
    dyn for<'a> FnOnce(&'a AsyncPgConnection) -> BoxFuture<'a, QueryResult<usize>> + Send + Sync,
>;

/// What follows a query.
pub(crate) enum After<'a> {
    /// Another one.
    Stay,
    /// COMMIT, and what it changes is told.
    Commit(Option<&'a Listening>),
}

/// Sends everything at once, in order; whether the transaction has ended. A statement that fails
/// before it is sent leaves the transaction sound, so nothing is sent after it, above all no COMMIT.
pub(crate) async fn fly<R>(
    connection: &AsyncPgConnection,
    before: Vec<BoxFuture<'_, QueryResult<usize>>>,
    query: BoxFuture<'_, QueryResult<R>>,
    after: After<'_>,
) -> (QueryResult<R>, bool) {
    let mut sent = Vec::with_capacity(before.len());
    let mut unsent = false;
    for statement in before {
        if !unsent {
            let mut statement = future::maybe_done(statement);
            unsent = !start(&mut statement).await;
            sent.push(statement);
        }
    }
    let mut query = future::maybe_done(query);
    unsent = unsent || !start(&mut query).await;
    let mut ending = match after {
        After::Commit(listening) if !unsent => {
            Some(future::maybe_done(commit(connection, listening).boxed()))
        }
        After::Commit(_) | After::Stay => None,
    };
    if let Some(ending) = &mut ending {
        start(ending).await;
    }

    let mut result = Ok(());
    for statement in sent {
        result = result.and(finish(statement).await.map(drop));
    }
    let result = match result {
        Ok(()) => finish(query).await,
        Err(error) => {
            // What was sent is taken: dropped while it is being prepared, it would leave those who
            // come after it on this connection to wait for it.
            if !unsent {
                let _ = finish(query).await;
            }
            Err(error)
        }
    };
    let ended = ending.is_some();
    let committed = match ending {
        Some(ending) => finish(ending).await,
        None => Ok(()),
    };
    (result.and_then(|rows| committed.map(|()| rows)), ended)
}

type Sent<'a, R> = MaybeDone<BoxFuture<'a, QueryResult<R>>>;

/// Polls once, which sends the statement or has it stand in line to be prepared; whether it has
/// not failed at once.
async fn start<R>(statement: &mut Sent<'_, R>) -> bool {
    future::poll_fn(|context| {
        let _ = statement.poll_unpin(context);
        Poll::Ready(())
    })
    .await;
    !matches!(statement, MaybeDone::Done(Err(_)))
}

async fn finish<R>(mut statement: Sent<'_, R>) -> QueryResult<R> {
    (&mut statement).await;
    // Only what was polled to its end comes here.
    Pin::new(&mut statement)
        .take_output()
        .unwrap_or_else(|| Err(closed()))
}

async fn commit(connection: &AsyncPgConnection, listening: Option<&Listening>) -> QueryResult<()> {
    let Some(listening) = listening else {
        return send(connection, Commit).await.map(drop);
    };
    let (announced, committed) =
        future::join(announced_changes(connection), send(connection, Commit)).await;
    // What one may not hear of is not told: the transaction has failed.
    let announced = announced.and_then(|changes| committed.map(|_| changes))?;
    for change in announced.unwrap_or_default().lines() {
        listening.board().post(change);
    }
    Ok(())
}

/// Executes a statement that Diesel prepares once.
pub(crate) fn send<'a, T>(
    mut connection: &'a AsyncPgConnection,
    statement: T,
) -> BoxFuture<'a, QueryResult<usize>>
where
    T: QueryFragment<Pg> + QueryId + 'a,
{
    AsyncConnectionCore::execute_returning_count(&mut connection, statement)
}

/// Executes a statement, which is prepared once.
pub(crate) fn execute<T>(
    mut connection: &AsyncPgConnection,
    statement: T,
) -> BoxFuture<'_, QueryResult<usize>>
where
    T: QueryFragment<Pg> + QueryId,
{
    if is_prepared_once(&statement) {
        AsyncConnectionCore::execute_returning_count(&mut connection, statement)
    } else {
        AsyncConnectionCore::execute_returning_count(&mut connection, Prepared(statement))
    }
}

/// What is said to who asks on.
pub(crate) fn closed() -> Error {
    let message = "the transaction was cancelled or has ended".to_owned();
    Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message))
}
