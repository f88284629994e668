use async_trait::async_trait;
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::{DbError, Tx};

/// Somebody who is just being registered.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The new person.
    pub id: UserId,
    /// The address, normalised.
    pub email: EmailAddress,
}

/// What a domain does when people come and go. Given by every domain that keeps rows about them.
#[async_trait]
pub trait AccountLifecycle: Send + Sync {
    /// Adds what a new person needs: the free plan with its credits, a storage quota.
    async fn registered(&self, tx: &mut Tx, ctx: &Ctx, account: &NewAccount)
    -> Result<(), DbError>;
}
