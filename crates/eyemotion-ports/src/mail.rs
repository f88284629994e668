use async_trait::async_trait;
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::{Map, Value};

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To which address.
    pub to: EmailAddress,
    /// To whom; decides the language (`preferences.language` of the profile). None: an address
    /// without an account.
    pub user: Option<UserId>,
    /// Which template, by name: `confirm_email`, `reset_password` ...
    pub template: &'static str,
    /// What the template shows. Values are escaped; secrets in links are allowed here and
    /// nowhere else.
    pub data: Map<String, Value>,
}

/// Mails on their way. A mail is posted in the transaction of what it tells of and sent by a job
/// after its commit, at least once.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Posts a mail.
    async fn post(&self, tx: &mut Tx, ctx: &Ctx, mail: Mail) -> Result<(), DbError>;
}
