use crate::account::AccountService;
use crate::error::AuthError;
use crate::repository::users;
use crate::sessions::device;
use chrono::{DateTime, SecondsFormat, Utc};
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::Mail;
use serde_json::{Map, json};

impl AccountService {
    /// Tells somebody by mail that two parties held tokens of one of their sessions, and from
    /// where the second one came.
    pub(crate) async fn warn_of_reuse(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<(), AuthError> {
        // An address that was stored is one.
        let Ok(to) = EmailAddress::parse(&users::standing(tx, user).await?.email) else {
            return Ok(());
        };
        let mut data = Map::new();
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        data.insert("at".to_owned(), json!(at));
        if let Some(ip) = ctx.ip {
            data.insert("ip".to_owned(), json!(ip));
        }
        let device = device::describe(ctx.user_agent.as_deref());
        data.insert("device".to_owned(), json!(device));
        let mail = Mail {
            to,
            user: Some(user),
            template: "session_reuse_detected",
            data,
        };
        Ok(self.outbox.post(tx, ctx, mail).await?)
    }
}
