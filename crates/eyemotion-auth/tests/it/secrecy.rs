use crate::world::{EMAIL, PASSWORD, World, new_user, nobody};
use eyemotion_auth::Accounts;
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_logged_or_shown() {
    let captured = Captured::default();
    // Everything, the libraries' own records too.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .init();
    let new = new_user(EMAIL);
    let mut shown = vec![format!("{new:?}")];
    let world = World::new().await;
    let registered = world.accounts.register(&nobody(), new).await.unwrap();
    let signed_in = world
        .accounts
        .sign_in(&nobody(), EMAIL, PASSWORD.into())
        .await
        .unwrap();
    let refused = world.sign_in(EMAIL, "incorrect horse").await.err().unwrap();
    let tokens = world
        .accounts
        .refresh(&nobody(), &signed_in.tokens.refresh_token)
        .await
        .unwrap();

    shown.push(format!(
        "{registered:?} {signed_in:?} {refused:?} {tokens:?}"
    ));

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("auth"), "the log was captured: {log:.500}");
    for secret in [
        PASSWORD,
        "incorrect horse",
        &signed_in.tokens.access_token,
        &signed_in.tokens.refresh_token,
        &tokens.access_token,
        &tokens.refresh_token,
    ] {
        assert!(!shown.iter().any(|text| text.contains(secret)), "{shown:?}");
        assert!(!log.contains(secret), "a secret is in the log");
    }
}
