//! How people prove an address, and get back in: confirmation, password, change of address, links
//! to sign in with, codes.
//!
//! What somebody asks for without being signed in is looked up and mailed by a job, so that the
//! answer and its time are the same whether or not there is an account.

mod codes;
mod confirmation;
mod email_change;
mod links;
mod mailing;
mod password;
mod proof;
mod purpose;
pub(crate) mod secrets;

pub use links::Links;
pub use mailing::{SendTokenMail, TokenMailer};
pub(crate) use secrets::OneTimeCodec;

use crate::account::AccountService;
use crate::error::AuthError;
use crate::service::SignedIn;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::Ctx;
use purpose::Purpose;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// What shows that somebody reads an address's mail. A token works once; a code ten minutes, once,
/// and dies with the fifth wrong guess.
#[derive(Clone)]
pub enum Proof {
    /// The token of a mailed link.
    Link(SecretString),
    /// The mailed code.
    Code {
        /// The address that the account has now.
        email: String,
        /// Six digits.
        code: SecretString,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link(_) => "Link",
            Self::Code { .. } => "Code",
        })
    }
}

/// What a mail lets somebody do who is not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailedProof {
    /// Prove an address that is not proved yet.
    Confirmation,
    /// Set a new password.
    PasswordReset,
    /// Sign in. Makes no account.
    MagicLink,
}

impl From<MailedProof> for Purpose {
    fn from(proof: MailedProof) -> Self {
        match proof {
            MailedProof::Confirmation => Self::EmailConfirmation,
            MailedProof::PasswordReset => Self::PasswordReset,
            MailedProof::MagicLink => Self::MagicLink,
        }
    }
}

/// Getting in and back in by mail, and changing password and address.
///
/// Whoever asks for a mail without being signed in is told the same in the same time, account or
/// not. At most four such mails an hour go to one address ([`AuthError::Throttled`]), and none
/// within a minute of the one before.
#[async_trait]
pub trait Recovery: Send + Sync {
    /// Mails a link and a code, if there is an account that it is for.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::Throttled`].
    async fn request_proof(
        &self,
        ctx: &Ctx,
        email: &str,
        proof: MailedProof,
    ) -> Result<(), AuthError>;

    /// Takes the address as proved and opens a session.
    ///
    /// # Errors
    /// [`AuthError::ProofInvalid`], [`AuthError::Banned`], [`AuthError::Throttled`].
    async fn confirm_email(&self, ctx: &Ctx, proof: Proof) -> Result<SignedIn, AuthError>;

    /// The same without a session: for who has only come to press a button.
    ///
    /// # Errors
    /// As [`Recovery::confirm_email`].
    async fn prove_email(&self, ctx: &Ctx, proof: Proof) -> Result<(), AuthError>;

    /// Sets a new password, takes the address as proved and ends every session. Opens none.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::PasswordTooCommon`], and as
    /// [`Recovery::confirm_email`]; a refused password does not use up the proof.
    async fn reset_password(
        &self,
        ctx: &Ctx,
        proof: Proof,
        password: SecretString,
    ) -> Result<(), AuthError>;

    /// Changes the caller's password and ends the caller's other sessions. An account without a
    /// password gets its first one, if the caller has signed in a moment ago.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], also for a wrong current password;
    /// [`AuthError::PasswordTooCommon`], [`AuthError::Throttled`].
    async fn change_password(
        &self,
        ctx: &Ctx,
        current: Option<SecretString>,
        new: SecretString,
    ) -> Result<(), AuthError>;

    /// Mails a link and a code to the address that the account is to have. Needs the password, or
    /// a caller who has signed in a moment ago. An address that is taken is not told of here: its
    /// owner gets a mail.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::Throttled`].
    async fn request_email_change(
        &self,
        ctx: &Ctx,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<(), AuthError>;

    /// Gives the account its new address, which is proved by this; the former one gets a mail.
    /// Returns the new address.
    ///
    /// # Errors
    /// [`AuthError::ProofInvalid`], [`AuthError::EmailTaken`], [`AuthError::Throttled`].
    async fn change_email(&self, ctx: &Ctx, proof: Proof) -> Result<String, AuthError>;

    /// Opens a session.
    ///
    /// # Errors
    /// As [`Recovery::confirm_email`].
    async fn sign_in_by_mail(&self, ctx: &Ctx, proof: Proof) -> Result<SignedIn, AuthError>;

    /// Mails the caller a code to prove once more who they are.
    ///
    /// # Errors
    /// [`AuthError::Throttled`].
    async fn request_reauthentication_code(&self, ctx: &Ctx) -> Result<(), AuthError>;

    /// Notes that the caller has just typed that code; since when.
    ///
    /// # Errors
    /// [`AuthError::ProofInvalid`], [`AuthError::Throttled`], [`AuthError::SessionEnded`].
    async fn reauthenticate_with_code(
        &self,
        ctx: &Ctx,
        code: SecretString,
    ) -> Result<DateTime<Utc>, AuthError>;
}

#[async_trait]
impl Recovery for AccountService {
    async fn request_proof(
        &self,
        ctx: &Ctx,
        email: &str,
        proof: MailedProof,
    ) -> Result<(), AuthError> {
        self.request_mail(ctx, email, proof.into()).await
    }

    async fn confirm_email(&self, ctx: &Ctx, proof: Proof) -> Result<SignedIn, AuthError> {
        self.sign_in_with_proof(ctx, Purpose::EmailConfirmation, &proof)
            .await
    }

    async fn prove_email(&self, ctx: &Ctx, proof: Proof) -> Result<(), AuthError> {
        self.confirm_with_proof(ctx, &proof).await
    }

    async fn reset_password(
        &self,
        ctx: &Ctx,
        proof: Proof,
        password: SecretString,
    ) -> Result<(), AuthError> {
        self.reset_with_proof(ctx, &proof, password).await
    }

    async fn change_password(
        &self,
        ctx: &Ctx,
        current: Option<SecretString>,
        new: SecretString,
    ) -> Result<(), AuthError> {
        Box::pin(self.change_own_password(ctx, current, new)).await
    }

    async fn request_email_change(
        &self,
        ctx: &Ctx,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<(), AuthError> {
        Box::pin(self.begin_email_change(ctx, email, password)).await
    }

    async fn change_email(&self, ctx: &Ctx, proof: Proof) -> Result<String, AuthError> {
        self.finish_email_change(ctx, &proof).await
    }

    async fn sign_in_by_mail(&self, ctx: &Ctx, proof: Proof) -> Result<SignedIn, AuthError> {
        self.sign_in_with_proof(ctx, Purpose::MagicLink, &proof)
            .await
    }

    async fn request_reauthentication_code(&self, ctx: &Ctx) -> Result<(), AuthError> {
        self.mail_reauthentication_code(ctx).await
    }

    async fn reauthenticate_with_code(
        &self,
        ctx: &Ctx,
        code: SecretString,
    ) -> Result<DateTime<Utc>, AuthError> {
        self.prove_code(ctx, code.expose_secret()).await
    }
}
