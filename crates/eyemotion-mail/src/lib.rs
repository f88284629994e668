//! Mail: posted in the transaction of what it tells of, sent by a job after its commit.
//!
//! * [`DatabaseOutbox`] implements the port [`Outbox`](eyemotion_ports::Outbox).
//! * [`TEMPLATES`] lists every mail with the data that it shows; [`Renderer`] makes its text in
//!   English or Thai.
//! * [`MailSender`] and [`OutboxKeeper`] do the jobs [`SendMail`] and [`PruneOutbox`].
//! * [`Transport`] takes messages away: [`SmtpTransport`], or [`MailboxFolder`] without a relay.
//! * [`MailsToPeople`] exports and erases what the outbox keeps about somebody.
//! * [`MailProbe`] tells how mail is doing.

mod data;
mod jobs;
mod lifecycle;
mod message;
mod outbox;
mod probe;
mod render;
mod repository;
mod schema;
mod template;
mod transport;

pub use jobs::{MailSender, OutboxKeeper, PruneOutbox, SendMail};
pub use lettre::message::Mailbox;
pub use lifecycle::MailsToPeople;
pub use message::Outgoing;
pub use outbox::DatabaseOutbox;
pub use probe::MailProbe;
pub use render::{RenderError, Rendered, Renderer};
pub use template::{TEMPLATES, Template};
pub use transport::{InvalidSmtpUrl, MailboxFolder, SendError, SmtpTransport, Transport};
