//! From a stored mail to a message as RFC 5322 has it.

use crate::data::presentable;
use crate::render::{RenderError, Renderer};
use crate::repository::outbox::MailRow;
use lettre::Message;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A message that is ready to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The mail's id in the outbox.
    pub id: Uuid,
    /// Which template it was made from.
    pub template: String,
    /// The same in every attempt, so that a message that arrives twice is known for one.
    pub message_id: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Where it leads.
    pub link: Option<String>,
    /// The code in it.
    pub code: Option<String>,
    /// The message with its envelope.
    pub message: Message,
}

/// A mail that cannot be made a message of; trying again is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the recipient is not an address that mail can be sent to")]
    Recipient(#[from] lettre::address::AddressError),
    #[error("the message cannot be put together")]
    Message(#[from] lettre::error::Error),
}

/// "I was sent by a machine: do not answer" (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

pub(crate) fn compose(
    renderer: &Renderer,
    from: &Mailbox,
    row: &MailRow,
    data: &Map<String, Value>,
) -> Result<Outgoing, MessageError> {
    let mail = renderer.render(&row.template, &row.locale, data)?;
    let message_id = format!("<{}@{}>", row.id, from.email.domain());
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, row.recipient.parse()?))
        .subject(mail.subject.clone())
        .message_id(Some(message_id.clone()))
        .date(row.created_at.into())
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))?;
    let mut shown = presentable(data);
    Ok(Outgoing {
        id: row.id,
        template: row.template.clone(),
        message_id,
        recipient: row.recipient.clone(),
        subject: mail.subject,
        link: shown.remove("link"),
        code: shown.remove("code"),
        message,
    })
}
