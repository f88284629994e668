//! The mails that the server under test has sent, read from its mailbox folder.

use eyemotion_testkit::TestApp;
use std::path::PathBuf;
use std::time::Duration;

/// A mail, as far as its reader acts on it.
#[derive(Debug)]
pub(crate) struct Letter {
    pub template: String,
    pub text: String,
}

impl Letter {
    /// The token of its link.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.text.split_once("token=").unwrap();
        let token = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        rest.chars().take_while(token).collect()
    }

    /// Its code, which stands on a line of its own.
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        let code = self.text.lines().map(str::trim).find(is_code);
        code.unwrap().to_owned()
    }
}

/// All mails to `address`, oldest first.
pub(crate) fn letters(app: &TestApp, address: &str) -> Vec<Letter> {
    let folder = app.data_dir().join("mailbox");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "eml"));
    paths.sort();
    let to = format!("To: {address}\n");
    let read = |path: PathBuf| {
        let raw = std::fs::read_to_string(&path).ok()?.replace("\r\n", "\n");
        let name = path.file_stem()?.to_str()?.to_owned();
        let template = name.rsplit('-').next()?.to_owned();
        let text = raw.replace("=\n", "").replace("=3D", "=");
        raw.contains(&to).then_some(Letter { template, text })
    };
    paths.into_iter().filter_map(read).collect()
}

/// The newest of `count` mails to `address`, once there are so many.
pub(crate) async fn letter(app: &TestApp, address: &str, count: usize) -> Letter {
    for _ in 0..400 {
        let mut letters = letters(app, address);
        if letters.len() >= count {
            return letters.swap_remove(count - 1);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!(
        "no mail number {count} came to {address}: {:?}",
        letters(app, address)
    );
}

/// Waits until nothing is left to be done: whoever has no mail now gets none.
pub(crate) async fn settled(app: &TestApp) {
    let admin = app.database.admin().await;
    let waiting =
        "SELECT count(*) FROM jobs.jobs WHERE kind IN ('auth.send_token_mail', 'mail.send')
                   AND state <> 'dead'";
    for _ in 0..400 {
        let left: i64 = admin.query_one(waiting, &[]).await.unwrap().get(0);
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("mails are still on their way");
}
