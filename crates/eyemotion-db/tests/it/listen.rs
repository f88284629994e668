//! What is heard on a channel, and that a lost connection is told.

use crate::people::Until;
use eyemotion_db::{Db, Notification, Notifications};
use eyemotion_testkit::TestDatabase;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

const LISTENERS: &str = "from pg_stat_activity where query like 'LISTEN%' \
                         and datname = current_database()";

async fn next(heard: &mut Receiver<Notification>) -> Result<Notification, RecvError> {
    tokio::time::timeout(Duration::from_mins(1), heard.recv())
        .await
        .expect("nothing was heard")
}

fn message(channel: &str, payload: &str) -> Notification {
    Notification::Message {
        channel: channel.to_owned(),
        payload: payload.to_owned(),
    }
}

async fn listening(database: &TestDatabase) -> (Notifications, Receiver<Notification>) {
    let db = Db::new(&database.config()).unwrap();
    let notifications = db.listen(&["one", "Two"]);
    let mut heard = notifications.subscribe();
    assert_eq!(next(&mut heard).await, Ok(Notification::Reconnected));
    (notifications, heard)
}

#[tokio::test]
async fn every_receiver_hears_its_channels() {
    let database = TestDatabase::new().await;
    let (notifications, mut heard) = listening(&database).await;
    let mut also = notifications.subscribe();
    let admin = database.admin().await;
    admin
        .batch_execute(r#"notify three, 'x'; notify "Two", 'payload'; notify one"#)
        .await
        .unwrap();
    for heard in [&mut heard, &mut also] {
        assert_eq!(next(heard).await, Ok(message("Two", "payload")));
        assert_eq!(next(heard).await, Ok(message("one", "")));
    }
}

#[tokio::test]
async fn a_lost_connection_comes_back_and_is_told() {
    let database = TestDatabase::new().await;
    let (_notifications, mut heard) = listening(&database).await;
    let admin = database.admin().await;
    admin
        .batch_execute(&format!("select pg_terminate_backend(pid) {LISTENERS}"))
        .await
        .unwrap();
    assert_eq!(next(&mut heard).await, Ok(Notification::Reconnected));
    admin.batch_execute("notify one, 'again'").await.unwrap();
    assert_eq!(next(&mut heard).await, Ok(message("one", "again")));
}

#[tokio::test]
async fn dropping_it_ends_the_connection_and_the_receivers() {
    let database = TestDatabase::new().await;
    let (notifications, mut heard) = listening(&database).await;
    database
        .until(&format!("select exists (select {LISTENERS})"))
        .await;
    drop(notifications);
    assert_eq!(next(&mut heard).await, Err(RecvError::Closed));
    database
        .until(&format!("select not exists (select {LISTENERS})"))
        .await;
}
