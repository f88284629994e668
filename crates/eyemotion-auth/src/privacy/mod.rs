//! What people may have done with what is kept about them: have it handed out, have it deleted.

mod archive;
mod deletion;
mod erasure;
mod export;
mod tombstones;

pub(crate) use deletion::id_hash;
pub use erasure::{AccountEraser, EraseAccounts};
pub use tombstones::{HonourTombstones, TombstoneKeeper};

use crate::account::AccountService;
use crate::error::AuthError;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eyemotion_core::Ctx;
use eyemotion_db::personal::PersonalTable;
use futures_util::stream::BoxStream;
use std::fmt;

/// The rights of people over their data (GDPR articles 15, 17 and 20).
#[async_trait]
pub trait Privacy: Send + Sync {
    /// Schedules the deletion of the caller's account, ends every session and mails a link to undo
    /// it. Asking again changes nothing.
    ///
    /// # Errors
    /// [`AuthError::ReauthenticationNeeded`], [`AuthError::LastSuperAdmin`],
    /// [`AuthError::SessionEnded`].
    async fn request_deletion(&self, ctx: &Ctx) -> Result<ScheduledDeletion, AuthError>;

    /// The deletion of the caller's account that waits, if one does.
    async fn deletion(&self, ctx: &Ctx) -> Result<Option<ScheduledDeletion>, AuthError>;

    /// Keeps the caller's account.
    ///
    /// # Errors
    /// [`AuthError::NoDeletion`]: there is none, or it has begun.
    async fn undo_deletion(&self, ctx: &Ctx) -> Result<(), AuthError>;

    /// The same with the token of the mailed link.
    ///
    /// # Errors
    /// [`AuthError::ProofInvalid`].
    async fn undo_deletion_by_mail(&self, ctx: &Ctx, token: &str) -> Result<(), AuthError>;

    /// Everything that is kept about the caller, but for secrets and the bytes of files, as a ZIP
    /// archive that is made while it is read.
    ///
    /// # Errors
    /// [`AuthError::ReauthenticationNeeded`], [`AuthError::Overloaded`]. A failure on the way ends
    /// the stream with an error, and the archive has no end.
    async fn export(&self, ctx: &Ctx) -> Result<Export, AuthError>;

    /// Every table that refers to people, of all domains.
    fn personal_tables(&self) -> Vec<&'static PersonalTable>;
}

/// An account that is going to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledDeletion {
    /// Since when.
    pub requested_at: DateTime<Utc>,
    /// Until then it can be undone.
    pub due_at: DateTime<Utc>,
}

/// A ZIP archive on its way.
pub struct Export {
    /// What to call it.
    pub file_name: String,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, AuthError>>,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("file_name", &self.file_name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Privacy for AccountService {
    async fn request_deletion(&self, ctx: &Ctx) -> Result<ScheduledDeletion, AuthError> {
        self.schedule_deletion(ctx).await
    }

    async fn deletion(&self, ctx: &Ctx) -> Result<Option<ScheduledDeletion>, AuthError> {
        self.scheduled_deletion(ctx).await
    }

    async fn undo_deletion(&self, ctx: &Ctx) -> Result<(), AuthError> {
        self.keep_account(ctx).await
    }

    async fn undo_deletion_by_mail(&self, ctx: &Ctx, token: &str) -> Result<(), AuthError> {
        self.keep_account_by_mail(ctx, token).await
    }

    async fn export(&self, ctx: &Ctx) -> Result<Export, AuthError> {
        self.begin_export(ctx).await
    }

    fn personal_tables(&self) -> Vec<&'static PersonalTable> {
        self.lifecycle
            .iter()
            .flat_map(|domain| domain.tables())
            .collect()
    }
}
