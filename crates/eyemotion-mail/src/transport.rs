//! Ways for a message to leave this process.

mod folder;
mod smtp;

pub use folder::MailboxFolder;
pub use smtp::{InvalidSmtpUrl, SmtpTransport};

use crate::message::Outgoing;
use async_trait::async_trait;

/// Takes messages away. Two exist: [`SmtpTransport`] and, where no relay is configured,
/// [`MailboxFolder`].
#[async_trait]
pub trait Transport: Send + Sync {
    /// Hands one message over.
    async fn send(&self, mail: &Outgoing) -> Result<(), SendError>;

    /// Whether messages would be taken now; `None` for a transport that reaches nobody.
    async fn check(&self) -> Option<Result<(), SendError>>;
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may be taken later: the relay is away, busy, or refuses us rather than the message.
    #[error("the mail relay did not take the message now")]
    Later(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It will never be taken: no such mailbox, say (RFC 5321 section 4.2.1, 5yz).
    #[error("the mail relay refused the message for good")]
    Never(#[source] Box<dyn std::error::Error + Send + Sync>),
}
