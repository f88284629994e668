use crate::relay::{Relay, Verdict};
use crate::world::{World, eventually, reset_of};
use chrono::TimeDelta;
use eyemotion_jobs::{Enqueue, dead, enqueue, replay};
use eyemotion_mail::{PruneOutbox, TEMPLATES};
use serde_json::json;
use std::time::Duration;

async fn stop(workers: eyemotion_jobs::RunningWorkers) {
    workers.drain(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_posted_mail_arrives_and_its_secrets_are_forgotten() {
    let world = World::new().await;
    let relay = Relay::start([]).await;
    world
        .post(reset_of("somchai@example.com", None))
        .await
        .unwrap();
    let url = format!("smtp://us%40er:p%3Ass@127.0.0.1:{}", relay.port);
    let workers = world.send_by(World::smtp(&url));
    let row = world.until("sent").await;
    stop(workers).await;

    let received = relay.received();
    let [mail] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert!(
        mail.from.contains("<no-reply@eyemotion.test>"),
        "{}",
        mail.from
    );
    assert!(mail.to.contains("<somchai@example.com>"), "{}", mail.to);
    assert_eq!(
        mail.header("From"),
        Some("EyeMotion <no-reply@eyemotion.test>")
    );
    assert_eq!(mail.header("To"), Some("somchai@example.com"));
    assert_eq!(mail.header("Subject"), Some("Set a new password"));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(mail.header("Date"), Some("Sun, 22 Nov 2026 10:00:30 +0000"));
    let message_id = format!("<{}@eyemotion.test>", row.id);
    assert_eq!(mail.header("Message-ID"), Some(message_id.as_str()));
    let text = mail.readable();
    for part in [
        "text/plain",
        "text/html",
        "https://eyemotion.ai/reset?token=s3cret",
        "123456",
        "Hello Somchai,",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // AUTH PLAIN: base64 of NUL user NUL password.
    assert_eq!(relay.credentials(), ["AUTH PLAIN AHVzQGVyAHA6c3M="]);

    assert_eq!(row.data, None);
    assert_eq!((row.attempts, row.message_id), (1, Some(message_id)));
}

#[tokio::test]
async fn what_is_put_off_is_tried_again_under_the_same_message_id() {
    let world = World::new().await;
    let relay = Relay::start([Verdict::Later, Verdict::Later]).await;
    world
        .post(reset_of("somchai@example.com", None))
        .await
        .unwrap();
    let workers = world.send_by(World::smtp(&format!("smtp://127.0.0.1:{}", relay.port)));
    let row = world.until("sent").await;
    stop(workers).await;
    let attempts = relay.attempts();
    assert_eq!(attempts.len(), 3, "{attempts:?}");
    assert!(
        attempts
            .iter()
            .all(|id| Some(id) == row.message_id.as_ref()),
        "{attempts:?}"
    );
    assert_eq!((row.attempts, relay.received().len()), (3, 1));
    assert_eq!(row.last_error, None);
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let world = World::new().await;
    let relay = Relay::start([Verdict::Never]).await;
    world
        .post(reset_of("nobody@example.com", None))
        .await
        .unwrap();
    let workers = world.send_by(World::smtp(&format!("smtp://127.0.0.1:{}", relay.port)));
    let row = world.until("failed").await;
    assert_eq!((relay.attempts().len(), row.attempts), (1, 1));
    assert!(row.last_error.unwrap().contains("No such mailbox"));

    // For a day its dead letter can be replayed, after the mailbox was made, say.
    let letters = dead(&world.db, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        letters[0].payload,
        json!({ "mail": row.id }),
        "no secret is in the job"
    );
    replay(&world.db, letters[0].id).await.unwrap();
    world.until("sent").await;
    assert_eq!(relay.received().len(), 1);
    stop(workers).await;
}

#[tokio::test]
async fn a_wrong_password_of_ours_costs_no_mail() {
    let world = World::new().await;
    let relay = Relay::start([Verdict::WrongPassword, Verdict::Accept]).await;
    world
        .post(reset_of("somchai@example.com", None))
        .await
        .unwrap();
    let workers = world.send_by(World::smtp(&format!("smtp://u:p@127.0.0.1:{}", relay.port)));
    let row = world.until("sent").await;
    stop(workers).await;
    assert_eq!((row.attempts, relay.received().len()), (2, 1));
}

#[tokio::test]
async fn without_the_encryption_that_was_asked_for_not_a_word_is_said() {
    let world = World::new().await;
    let relay = Relay::start([]).await;
    world
        .post(reset_of("somchai@example.com", None))
        .await
        .unwrap();
    let url = format!("smtp://u:p@127.0.0.1:{}?tls=required", relay.port);
    let workers = world.send_by(World::smtp(&url));
    let error = eventually(async || world.row().await.last_error).await;
    stop(workers).await;
    assert!(error.to_lowercase().contains("starttls"), "{error}");
    assert_eq!(relay.credentials(), [""; 0]);
    assert!(relay.attempts().is_empty());
    assert_eq!(world.row().await.state, "queued");
}

#[tokio::test]
async fn nobody_writes_our_headers() {
    let world = World::new().await;
    let relay = Relay::start([]).await;
    let evil = "Eve\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>";
    for template in TEMPLATES {
        let mut mail = reset_of("eve@example.com", None);
        mail.template = template.name;
        for member in [
            "name", "code", "device", "ip", "at", "email", "provider", "role", "minutes", "days",
            "amount", "item",
        ] {
            mail.data.insert(member.to_owned(), json!(evil));
        }
        world.post(mail).await.unwrap();
    }
    let workers = world.send_by(World::smtp(&format!("smtp://127.0.0.1:{}", relay.port)));
    let received = eventually(async || {
        let received = relay.received();
        (received.len() == TEMPLATES.len()).then_some(received)
    })
    .await;
    stop(workers).await;
    for mail in received {
        assert!(mail.to.contains("<eve@example.com>"));
        let text = mail.readable();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        let html = text.split("text/html").nth(1).unwrap();
        assert!(!html.contains("<script"), "{html}");
        let head = mail.raw.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("victim") && !head.contains("Eve"), "{head}");
    }
}

#[tokio::test]
async fn the_outbox_forgets() {
    let world = World::new().await;
    let relay = Relay::start([Verdict::Never]).await;
    let workers = world.send_by(World::smtp(&format!("smtp://127.0.0.1:{}", relay.port)));
    world
        .post(reset_of("nobody@example.com", None))
        .await
        .unwrap();
    world.until("failed").await;
    let prune = async || {
        let mut tx = world.begin().await;
        enqueue(&mut tx, &*world.clock, &PruneOutbox {}, Enqueue::new())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    world.advance(TimeDelta::hours(25));
    prune().await;
    eventually(async || world.row().await.data.is_none().then_some(())).await;
    assert_eq!(world.row().await.state, "failed");

    // One that waits is never forgotten.
    world.advance(TimeDelta::days(30));
    let mut tx = world.begin().await;
    let waiting = "insert into public.mail_outbox (recipient, template, locale, data, created_at) \
                   values ('a@example.com', 'x', 'en', '{}', '2020-01-01')";
    diesel_async::RunQueryDsl::execute(diesel::sql_query(waiting), &mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    prune().await;
    eventually(async || (world.rows().await.len() == 1).then_some(())).await;
    assert_eq!(world.row().await.state, "queued");
    stop(workers).await;
}
