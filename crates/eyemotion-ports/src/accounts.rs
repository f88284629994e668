use async_trait::async_trait;
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::personal::PersonalTable;
use eyemotion_db::{DbError, Tx};

/// Somebody who is just being registered.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The new person.
    pub id: UserId,
    /// The address, normalised.
    pub email: EmailAddress,
}

/// Somebody whose account is being deleted for good.
#[derive(Clone, Debug)]
pub struct Leaver {
    /// The person.
    pub id: UserId,
    /// The address, normalised.
    pub email: String,
    /// Random; stands for the person in what has to stay. The same in every attempt.
    pub pseudonym: UserId,
}

/// How far an erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing is left.
    Done,
    /// A batch is done: commit, and ask again.
    More,
    /// Something has to end first, such as jobs that delete objects: commit, and ask again later.
    Waiting,
}

/// What a domain does when people come and go. Given by every domain that keeps rows about them.
///
/// [`AccountLifecycle::tables`] declares what is kept. What people may have of it (an export) is
/// read by the declaration; what becomes of it is done by [`AccountLifecycle::erase`].
#[async_trait]
pub trait AccountLifecycle: Send + Sync {
    /// Adds what a new person needs: the free plan with its credits, a storage quota. Most domains
    /// have nothing to add.
    async fn registered(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        account: &NewAccount,
    ) -> Result<(), DbError> {
        let _ = (tx, ctx, account);
        Ok(())
    }

    /// Sees to what must not go on while somebody waits for their account's deletion, such as
    /// being charged. Most domains have nothing to see to.
    async fn leaving(&self, tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<(), DbError> {
        let _ = (tx, ctx, user);
        Ok(())
    }

    /// The domain's name, for progress and logs.
    fn domain(&self) -> &'static str;

    /// Every table of the domain that refers to people.
    fn tables(&self) -> &'static [PersonalTable];

    /// Deletes a batch of the person's rows, or makes them say no more who it was. Called again
    /// after each batch and after a crash, also when nothing is left.
    ///
    /// References to `auth.users` in what stays need no change here: they have `on update
    /// cascade`, and the account itself takes the pseudonym in the end.
    async fn erase(&self, tx: &mut Tx, ctx: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError>;
}

/// Rows that one transaction deletes of a table.
const BATCH: usize = 1000;

/// Deletes a batch of the person's rows from these tables, emptying each before the next.
pub async fn erase_rows(
    tx: &mut Tx,
    tables: &[PersonalTable],
    person: UserId,
) -> Result<Erasure, DbError> {
    for table in tables {
        if table.delete(tx, person, BATCH).await? == BATCH {
            return Ok(Erasure::More);
        }
    }
    Ok(Erasure::Done)
}
