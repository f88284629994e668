//! The end of accounts, step by step. Every step is a transaction of its own, and asking a domain
//! again costs next to nothing, so what a crash has interrupted simply begins again.

use crate::account::AccountService;
use crate::error::AuthError;
use crate::repository::{deletions, profiles, sessions};
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Ctx, EmailAddress};
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use eyemotion_ports::{Activity, Erasure, Leaver, Mail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Between closing an account and erasing it: what was under way then has ended.
const SETTLING: TimeDelta = TimeDelta::seconds(30);
/// Accounts of each sort in one run; the next one comes in a minute.
const BATCH: i64 = 100;

/// Deletes the accounts whose time to be undone is over, as far as that goes now.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct EraseAccounts {}

impl Job for EraseAccounts {
    const KIND: &'static str = "auth.erase_accounts";
    const TIMEOUT: Duration = Duration::from_hours(1);
}

/// Does [`EraseAccounts`], which wants to run every minute. Any number may run at once.
pub struct AccountEraser(Arc<AccountService>);

impl AccountEraser {
    /// With the service that knows the accounts and asks the domains.
    pub const fn new(accounts: Arc<AccountService>) -> Self {
        Self(accounts)
    }
}

#[async_trait]
impl Handler<EraseAccounts> for AccountEraser {
    async fn run(&self, _: EraseAccounts, _: &Attempt) -> Result<(), JobError> {
        let ctx = Ctx::system("auth");
        let now = self.0.clock.now();
        let mut tx = self.0.db.read(&ctx).await?;
        let begun = deletions::begun(&mut tx, now - SETTLING, BATCH).await?;
        let due = deletions::due(&mut tx, now, BATCH).await?;
        drop(tx);
        let mut failure = None;
        for id in due {
            if let Err(error) = self.0.close_account(&ctx, id).await {
                tracing::error!(deletion = %id, %error, "cannot close an account");
                failure = Some(error);
            }
        }
        for id in begun {
            match Box::pin(self.0.erase_account(&ctx, id)).await {
                Ok(Erasure::Done) => tracing::info!(deletion = %id, "account deleted"),
                Ok(Erasure::More | Erasure::Waiting) => {
                    tracing::info!(deletion = %id, "account is being deleted");
                }
                Err(error) => {
                    tracing::error!(deletion = %id, %error, "cannot delete an account");
                    failure = Some(error);
                }
            }
        }
        // The others are done; the one that failed is tried again with the next run as well.
        failure.map_or(Ok(()), |error| Err(JobError::retry(error)))
    }
}

impl AccountService {
    /// From here on nobody signs in, and nothing is undone.
    async fn close_account(&self, ctx: &Ctx, id: Uuid) -> Result<(), AuthError> {
        let now = self.clock.now();
        let mut tx = self.db.begin(ctx).await?;
        let pseudonym = Uuid::new_v4();
        let Some(user) = deletions::begin(&mut tx, id, pseudonym, now).await? else {
            return Ok(());
        };
        let language = profiles::language(&mut tx, user).await?;
        deletions::set_language(&mut tx, id, language.as_deref()).await?;
        sessions::revoke_all(&mut tx, user, None, "account_deletion", now).await?;
        deletions::close_account(&mut tx, user, now).await?;
        Ok(tx.commit().await?)
    }

    /// Asks every domain in turn, then lets the account go.
    async fn erase_account(&self, ctx: &Ctx, id: Uuid) -> Result<Erasure, AuthError> {
        for domain in &self.lifecycle {
            loop {
                let mut tx = self.db.begin(ctx).await?;
                let Some((leaver, _)) = deletions::lock(&mut tx, id).await? else {
                    return Ok(Erasure::Done);
                };
                let erasure = domain.erase(&mut tx, ctx, &leaver).await?;
                deletions::set_step(&mut tx, id, domain.domain()).await?;
                tx.commit().await?;
                match erasure {
                    Erasure::Done => break,
                    Erasure::More => {}
                    Erasure::Waiting => return Ok(Erasure::Waiting),
                }
            }
        }
        self.let_go(ctx, id).await
    }

    /// The last step: makes sure, in one transaction, that nothing has come in meanwhile, and
    /// renames the account. A row that nobody has declared stops it here by its foreign key.
    async fn let_go(&self, ctx: &Ctx, id: Uuid) -> Result<Erasure, AuthError> {
        let mut tx = self.db.begin(ctx).await?;
        let Some((leaver, language)) = deletions::lock(&mut tx, id).await? else {
            return Ok(Erasure::Done);
        };
        for domain in &self.lifecycle {
            match domain.erase(&mut tx, ctx, &leaver).await? {
                Erasure::Done => {}
                late @ (Erasure::More | Erasure::Waiting) => {
                    tx.commit().await?;
                    return Ok(late);
                }
            }
        }
        self.say_goodbye(&mut tx, ctx, &leaver, language).await?;
        deletions::finish(&mut tx, id, self.clock.now()).await?;
        deletions::rename_account(&mut tx, &leaver).await?;
        let activity =
            Activity::new("account.deleted", "user", leaver.pseudonym).of(leaver.pseudonym);
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(Erasure::Done)
    }

    /// To the address alone: there is nobody any more to whom it belongs.
    async fn say_goodbye(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        leaver: &Leaver,
        language: Option<String>,
    ) -> Result<(), AuthError> {
        let to =
            EmailAddress::parse(&leaver.email).map_err(|error| DbError::Other(error.into()))?;
        let mut data = Map::from_iter([("at".to_owned(), json!(self.clock.now()))]);
        if let Some(language) = language {
            data.insert("language".to_owned(), json!(language));
        }
        let mail = Mail {
            to,
            user: None,
            template: "account_deleted",
            data,
        };
        Ok(self.outbox.post(tx, ctx, mail).await?)
    }
}
