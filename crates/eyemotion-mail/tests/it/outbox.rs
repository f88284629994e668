use crate::world::{World, reset_of, signed_in, system};
use eyemotion_core::UserId;
use eyemotion_mail::{MailsToPeople, TEMPLATES};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, Outbox};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_mail_exists_if_its_transaction_commits() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    let mail = reset_of("a@example.com", None);
    world
        .outbox
        .post(&mut tx, &system(), mail.clone())
        .await
        .unwrap();
    drop(tx);
    assert!(world.rows().await.is_empty());
    world.post(mail).await.unwrap();
    let row = world.row().await;
    assert_eq!(
        (row.state.as_str(), row.recipient.as_str()),
        ("queued", "a@example.com")
    );
    assert_eq!((row.user_id, row.locale.as_str()), (None, "en"));
    assert_eq!(row.data.unwrap()["code"], "123456");
}

#[tokio::test]
async fn the_profile_decides_the_language() {
    let world = World::new().await;
    for (at, (language, locale)) in [
        (json!("th"), "th"),
        (json!("th-TH"), "th-TH"),
        (json!(null), "en"),
        (json!(""), "en"),
        (json!({ "a": "b".repeat(100) }), "{\"a\": \"bbbbbbbbb"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("person{at}@example.com");
        let person = world.person(&email, language).await;
        world.post(reset_of(&email, Some(person))).await.unwrap();
        let rows = world.rows().await;
        let row = rows.iter().find(|row| row.recipient == email);
        assert_eq!(row.unwrap().locale, locale);
    }
}

#[tokio::test]
async fn for_a_person_mails_go_to_that_person_only() {
    let world = World::new().await;
    let alice = world.person("alice@example.com", json!("en")).await;
    let bob = world.person("bob@example.com", json!("en")).await;
    let ctx = signed_in(alice);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let to_bob = reset_of("bob@example.com", Some(bob));
    world.outbox.post(&mut tx, &ctx, to_bob).await.unwrap_err();
    drop(tx);
    // To an address without an account it is still hers.
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let mail = reset_of("new@example.com", None);
    world.outbox.post(&mut tx, &ctx, mail).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.row().await.user_id, Some(alice.0));
}

#[tokio::test]
async fn what_cannot_be_sent_cannot_be_posted() {
    let world = World::new().await;
    let mut unknown = reset_of("a@example.com", None);
    unknown.template = "no_such_mail";
    world.post(unknown).await.unwrap_err();
    for template in TEMPLATES {
        for member in template.required {
            let mut mail = reset_of("a@example.com", None);
            mail.template = template.name;
            mail.data.remove(*member);
            let posted = world.post(mail).await;
            assert!(posted.is_err(), "{} without {member}", template.name);
        }
    }
    for link in ["javascript:alert(1)", "//evil.example", "https://a b"] {
        let mut mail = reset_of("a@example.com", None);
        mail.data.insert("link".to_owned(), json!(link));
        world.post(mail).await.unwrap_err();
    }
    assert!(world.rows().await.is_empty());
}

#[tokio::test]
async fn who_leaves_takes_their_mails_along() {
    let world = World::new().await;
    let alice = world.person("alice@example.com", json!("en")).await;
    let bob = world.person("bob@example.com", json!("en")).await;
    for (email, user) in [
        ("alice@example.com", Some(alice)),
        ("alice@work.example", Some(alice)),
        ("alice@example.com", None),
        ("bob@example.com", Some(bob)),
    ] {
        world.post(reset_of(email, user)).await.unwrap();
    }
    let leaver = Leaver {
        id: alice,
        email: "alice@example.com".to_owned(),
        pseudonym: UserId(Uuid::now_v7()),
    };
    for _ in 0..2 {
        let mut tx = world.begin().await;
        let done = MailsToPeople
            .erase(&mut tx, &system(), &leaver)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(done, Erasure::Done);
        let rows = world.rows().await;
        let mut left: Vec<_> = rows.into_iter().map(|row| row.recipient).collect();
        left.sort();
        // The one that is still to be sent to the address may be the last word.
        assert_eq!(left, ["alice@example.com", "bob@example.com"]);
    }
}
