//! Asking for the end of an account, and thinking better of it.

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::privacy::ScheduledDeletion;
use crate::recovery::secrets;
use crate::repository::deletions::{self, NewDeletionRow};
use crate::repository::{sessions, users};
use aws_lc_rs::digest::{SHA256, digest};
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::Activity;
use serde_json::{Map, json};

/// Where the mailed link leads: a page with a button, because programs follow links too.
const UNDO_PAGE: &str = "/auth/keep-account";

/// By what a deleted person is still known.
pub(crate) fn id_hash(user: UserId) -> Vec<u8> {
    digest(&SHA256, user.0.as_bytes()).as_ref().to_vec()
}

impl AccountService {
    pub(crate) async fn schedule_deletion(
        &self,
        ctx: &Ctx,
    ) -> Result<ScheduledDeletion, AuthError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        self.require_recent(&mut tx, ctx).await?;
        if let Some(scheduled) = deletions::scheduled(&mut tx, user).await? {
            return Ok(scheduled);
        }
        if deletions::is_last_super_admin(&mut tx, user).await? {
            return Err(AuthError::LastSuperAdmin);
        }
        let (token, undo_hash) = secrets::link_token()?;
        let now = self.clock.now();
        let scheduled = ScheduledDeletion {
            requested_at: now,
            due_at: now + self.config.deletion_undo,
        };
        let row = NewDeletionRow {
            id: self.clock.new_id(),
            user_id: user.0,
            id_hash: &id_hash(user),
            undo_hash: &undo_hash,
            requested_at: scheduled.requested_at,
            due_at: scheduled.due_at,
        };
        deletions::insert(&mut tx, &row).await?;
        sessions::revoke_all(&mut tx, user, None, "account_deletion", now).await?;
        for domain in &self.lifecycle {
            domain.leaving(&mut tx, ctx, user).await?;
        }
        let more = Map::from_iter([
            ("at".to_owned(), json!(scheduled.due_at)),
            (
                "days".to_owned(),
                json!(self.config.deletion_undo.num_days()),
            ),
            (
                "link".to_owned(),
                json!(self.config.links.to(UNDO_PAGE, &token)),
            ),
        ]);
        self.tell(&mut tx, ctx, user, "account_deletion_scheduled", more)
            .await?;
        let activity = Activity::new("account.deletion_requested", "user", user)
            .with(json!({ "dueAt": scheduled.due_at }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(scheduled)
    }

    pub(crate) async fn scheduled_deletion(
        &self,
        ctx: &Ctx,
    ) -> Result<Option<ScheduledDeletion>, AuthError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.db.read_for(ctx).await?;
        Ok(deletions::scheduled(&mut tx, user).await?)
    }

    pub(crate) async fn keep_account(&self, ctx: &Ctx) -> Result<(), AuthError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        if !deletions::undo(&mut tx, user).await? {
            return Err(AuthError::NoDeletion);
        }
        self.note_kept(&mut tx, ctx, user).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn keep_account_by_mail(
        &self,
        ctx: &Ctx,
        token: &str,
    ) -> Result<(), AuthError> {
        let hash = secrets::token_hash(token).ok_or(AuthError::ProofInvalid)?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        let undone = deletions::undo_by_hash(&mut tx, &hash).await?;
        let user = undone.ok_or(AuthError::ProofInvalid)?;
        self.note_kept(&mut tx, &as_platform(ctx), user).await?;
        Ok(tx.commit().await?)
    }

    async fn note_kept(&self, tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<(), AuthError> {
        self.tell(tx, ctx, user, "account_deletion_cancelled", Map::new())
            .await?;
        let activity = Activity::new("account.deletion_undone", "user", user).of(user);
        Ok(self.activity.record(tx, ctx, activity).await?)
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        template: &'static str,
        more: Map<String, serde_json::Value>,
    ) -> Result<(), AuthError> {
        let person = users::person(tx, user).await?;
        let person = person.ok_or(AuthError::SessionEnded)?;
        let to =
            EmailAddress::parse(&person.email).map_err(|error| DbError::Other(error.into()))?;
        self.notify(tx, ctx, user, &to, template, more).await
    }
}
