//! Puts mail together: where it is posted, how it leaves, who watches over it.

use crate::compose::ComposeError;
use crate::config::{Environment, Settings};
use eyemotion_core::Clock;
use eyemotion_db::Db;
use eyemotion_jobs::Workers;
use eyemotion_mail::{
    DatabaseOutbox, MailProbe, MailSender, Mailbox, MailboxFolder, OutboxKeeper, PruneOutbox,
    Renderer, SendMail, SmtpTransport, Transport,
};
use eyemotion_ports::Outbox;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// The parts of mail that the rest of the server meets.
pub(crate) struct MailParts {
    db: Db,
    clock: Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
    from: Mailbox,
}

/// Where mails are posted.
pub(crate) fn outbox(clock: &Arc<dyn Clock>) -> Arc<dyn Outbox> {
    Arc::new(DatabaseOutbox::new(Arc::clone(clock)))
}

impl MailParts {
    pub(crate) fn new(
        settings: &Settings,
        db: &Db,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        Ok(Self {
            db: db.clone(),
            clock: Arc::clone(clock),
            transport: transport(settings)?,
            from: sender(settings)?,
        })
    }

    pub(crate) fn probe(&self) -> MailProbe {
        MailProbe::new(
            self.db.clone(),
            Arc::clone(&self.clock),
            Arc::clone(&self.transport),
        )
    }

    /// Lets `workers` send what is posted.
    pub(crate) fn workers(self, workers: Workers) -> Result<Workers, ComposeError> {
        let Self {
            db,
            clock,
            transport,
            from,
        } = self;
        let keeper = OutboxKeeper::new(db.clone(), Arc::clone(&clock));
        let renderer = Renderer::new().map_err(ComposeError::Mails)?;
        Ok(workers
            .register::<SendMail>(MailSender {
                db,
                clock,
                renderer,
                transport,
                from,
            })
            .register::<PruneOutbox>(keeper)
            .schedule("mail.prune_outbox", "41 * * * *", &PruneOutbox {}))
    }
}

fn transport(settings: &Settings) -> Result<Arc<dyn Transport>, ComposeError> {
    if let Some(url) = &settings.smtp.url {
        let url = SecretString::from(url.expose());
        let timeout = Duration::from_secs(settings.smtp.timeout_secs);
        return Ok(Arc::new(SmtpTransport::new(&url, timeout)?));
    }
    let folder = settings.data.dir.join("mailbox");
    let development = settings.server.environment == Environment::Development;
    if !development {
        tracing::warn!(
            folder = %folder.display(),
            "SMTP_URL is not set: mails reach nobody, they are laid into a folder"
        );
    }
    Ok(Arc::new(MailboxFolder::new(folder, development)))
}

/// Whom mails are from; without a setting, nobody at the web client's host.
fn sender(settings: &Settings) -> Result<Mailbox, ComposeError> {
    let address = settings.smtp.from.clone().unwrap_or_else(|| {
        let site = settings.server.frontend_url.as_deref();
        let host = site
            .or(settings.server.public_url.as_deref())
            .and_then(host)
            .unwrap_or("localhost");
        format!("EyeMotion <no-reply@{host}>")
    });
    address.parse().map_err(|_| ComposeError::Sender(address))
}

/// The host of a URL, without its port.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(host).filter(|host| !host.is_empty() && !host.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_come_from_the_site() {
        let from = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            sender(&settings).unwrap().to_string()
        };
        assert_eq!(from(|_| {}), "EyeMotion <no-reply@localhost>");
        let site = from(|settings| {
            settings.server.frontend_url = Some("https://eyemotion.ai:8443/app".to_owned());
            settings.server.public_url = Some("https://api.eyemotion.ai".to_owned());
        });
        assert_eq!(site, "EyeMotion <no-reply@eyemotion.ai>");
        let own = from(|settings| settings.smtp.from = Some("Film <a@example.com>".to_owned()));
        assert_eq!(own, "Film <a@example.com>");
        assert_eq!(host("http://[::1]:3000"), None);
    }
}
