use super::{SendError, Transport};
use crate::message::Outgoing;
use async_trait::async_trait;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;

/// Lays each message as an `.eml` file into a folder, for development: any mail program opens it.
pub struct MailboxFolder {
    folder: PathBuf,
    /// Whether the log may say what only the recipient should know.
    outspoken: bool,
}

impl MailboxFolder {
    /// Into `folder`, which is made when it is needed. The log tells the recipient and the
    /// subject and, if `outspoken`, the link and the code too.
    pub fn new(folder: PathBuf, outspoken: bool) -> Self {
        Self { folder, outspoken }
    }

    async fn write(&self, mail: &Outgoing) -> io::Result<PathBuf> {
        tokio::fs::create_dir_all(&self.folder).await?;
        // Ids are in the order of time, so the folder is too. A retry replaces its first attempt.
        let name = format!("{}-{}", mail.id, mail.template);
        let path = self.folder.join(format!("{name}.eml"));
        let unfinished = self.folder.join(format!(".{name}.part"));
        write_private(&unfinished, &mail.message.formatted()).await?;
        tokio::fs::rename(&unfinished, &path).await?;
        Ok(path)
    }
}

/// A file that only its owner may read: links sign people in.
async fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = tokio::fs::OpenOptions::from(options).open(path).await?;
    file.write_all(bytes).await?;
    file.flush().await
}

#[async_trait]
impl Transport for MailboxFolder {
    async fn send(&self, mail: &Outgoing) -> Result<(), SendError> {
        let path = self
            .write(mail)
            .await
            .map_err(|error| SendError::Later(error.into()))?;
        let (to, subject, file) = (&mail.recipient, &mail.subject, path.display());
        let link = mail.link.as_deref().filter(|_| self.outspoken);
        let code = mail.code.as_deref().filter(|_| self.outspoken);
        tracing::info!(to, subject, link, code, %file, "mail");
        Ok(())
    }

    async fn check(&self) -> Option<Result<(), SendError>> {
        None
    }
}
