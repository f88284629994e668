use crate::world::{World, reset_of};
use eyemotion_mail::{MailboxFolder, Outgoing, Transport};
use lettre::Message;
use lettre::message::MultiPart;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn without_a_relay_mails_lie_in_a_folder() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("mailbox");
    world
        .post(reset_of("somchai@example.com", None))
        .await
        .unwrap();
    let transport = Arc::new(MailboxFolder::new(folder.clone(), true));
    let workers = world.send_by(transport);
    let row = world.until("sent").await;
    workers.drain(Duration::from_secs(10)).await;

    let found = files(&folder);
    let [path] = found.as_slice() else {
        panic!("{found:?}")
    };
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("{}-reset_password.eml", row.id));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let eml = std::fs::read_to_string(path).unwrap();
    assert!(eml.contains("To: somchai@example.com\r\n"), "{eml}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn outgoing() -> Outgoing {
    let message = Message::builder()
        .from("a@example.com".parse().unwrap())
        .to("b@example.com".parse().unwrap())
        .multipart(MultiPart::alternative_plain_html(
            String::new(),
            String::new(),
        ));
    Outgoing {
        id: Uuid::now_v7(),
        template: "reset_password".to_owned(),
        message_id: String::new(),
        recipient: "b@example.com".to_owned(),
        subject: "Set a new password".to_owned(),
        link: Some("https://eyemotion.ai/reset?token=s3cret".to_owned()),
        code: Some("123456".to_owned()),
        message: message.unwrap(),
    }
}

#[tokio::test]
async fn the_log_shows_the_link_in_development_only() {
    for outspoken in [true, false] {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let directory = tempfile::tempdir().unwrap();
        let folder = MailboxFolder::new(directory.path().to_owned(), outspoken);
        folder.send(&outgoing()).await.unwrap();
        let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            written.contains("b@example.com") && written.contains("Set a new password"),
            "{written}"
        );
        assert_eq!(written.contains("token=s3cret"), outspoken, "{written}");
        assert_eq!(written.contains("123456"), outspoken, "{written}");
    }
}
