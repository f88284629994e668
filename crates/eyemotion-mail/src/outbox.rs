use crate::data::is_web_address;
use crate::jobs::SendMail;
use crate::render::DEFAULT_LOCALE;
use crate::repository::outbox::{self, NewMailRow};
use crate::template;
use async_trait::async_trait;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{Enqueue, enqueue};
use eyemotion_ports::{Mail, Outbox};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// [`Outbox`] in the database: a row, and a job that sends it.
///
/// A transaction that acts for a person posts to that person; one of the platform to anybody.
pub struct DatabaseOutbox {
    clock: Arc<dyn Clock>,
}

/// A mail that cannot be sent as it was posted: a mistake of ours.
#[derive(Debug, thiserror::Error)]
enum Misposted {
    #[error("there is no mail template {0:?}")]
    NoTemplate(&'static str),
    #[error("mail template {template:?} needs {member:?}")]
    Missing {
        template: &'static str,
        member: &'static str,
    },
    #[error("the link in mail {0:?} does not lead to the web")]
    Link(&'static str),
}

impl DatabaseOutbox {
    /// By the time of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Outbox for DatabaseOutbox {
    async fn post(&self, tx: &mut Tx, _: &Ctx, mail: Mail) -> Result<(), DbError> {
        check(&mail).map_err(|error| DbError::Other(error.into()))?;
        let row = NewMailRow {
            id: self.clock.new_id(),
            user_id: mail.user.map(Uuid::from),
            recipient: mail.to.as_str(),
            template: mail.template,
            data: &Value::Object(mail.data),
            created_at: self.clock.now(),
        };
        outbox::insert(tx, &row, DEFAULT_LOCALE).await?;
        let job = SendMail { mail: row.id };
        enqueue(tx, &*self.clock, &job, Enqueue::new()).await?;
        Ok(())
    }
}

fn check(mail: &Mail) -> Result<(), Misposted> {
    let template = template::find(mail.template).ok_or(Misposted::NoTemplate(mail.template))?;
    let missing = template
        .required
        .iter()
        .find(|member| mail.data.get(**member).is_none_or(Value::is_null));
    if let Some(member) = missing {
        return Err(Misposted::Missing {
            template: template.name,
            member,
        });
    }
    match mail.data.get("link") {
        Some(Value::String(link)) if is_web_address(link) => Ok(()),
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(Misposted::Link(template.name)),
    }
}
