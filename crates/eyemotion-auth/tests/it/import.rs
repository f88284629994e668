//! Who may come over, and who may not. From a real database: apps/eyemotion/tests/it/import.rs.

use crate::world::{EMAIL, PASSWORD, World, nobody};
use chrono::{DateTime, SubsecRound, Utc};
use eyemotion_auth::{Arrival, Import, Newcomer, NewcomerIdentity, NewcomerProfile, Refusal};
use eyemotion_core::{Coded, Ctx, ErrorCode, UserId, UserRole};
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// bcrypt's of [`PASSWORD`].
const HASH: &str = "$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC";

fn newcomer(email: &str) -> Newcomer {
    let now = Utc::now().trunc_subsecs(6);
    Newcomer {
        id: UserId(Uuid::new_v4()),
        email: email.to_owned(),
        password_hash: Some(HASH.to_owned()),
        email_confirmed_at: Some(now),
        banned_until: None,
        created_at: now,
        last_sign_in_at: None,
        role: UserRole::User,
        profile: NewcomerProfile::default(),
        identities: Vec::new(),
    }
}

fn github(subject: &str) -> NewcomerIdentity {
    NewcomerIdentity {
        provider: "github".to_owned(),
        issuer: "https://github.com".to_owned(),
        subject: subject.to_owned(),
        email: None,
        email_verified: false,
        created_at: DateTime::UNIX_EPOCH,
        last_sign_in_at: None,
    }
}

async fn bring(world: &World, people: &[Newcomer]) -> Vec<Arrival> {
    let system = Ctx::system("test");
    world.accounts.import(&system, people, false).await.unwrap()
}

#[tokio::test]
async fn an_account_or_an_identity_is_nobody_elses() {
    let (world, person) = World::with_person().await;
    let mut first = newcomer("first@example.com");
    first.identities.push(github("1"));
    let mut second = newcomer("second@example.com");
    second.identities.push(github("1"));
    let same_address = newcomer(" Test@Example.com");
    let mut same_id = newcomer("third@example.com");
    same_id.id = person.id;
    let people = [
        first,
        second,
        same_address,
        same_id,
        newcomer("fourth@example.com"),
    ];
    let taken = Refusal::IdentityTaken("github".to_owned());
    let expected = [
        Arrival::Imported,
        Arrival::Refused(taken),
        Arrival::Refused(Refusal::EmailTaken),
        Arrival::Present,
        // What stops one person stops nobody else.
        Arrival::Imported,
    ];
    assert_eq!(bring(&world, &people).await, expected);
    assert_eq!(world.count("auth.users").await, 3);
    assert_eq!(world.logged("account.imported").await, 2);
    let unchanged = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    assert_eq!(unchanged.id, person.id);
    let again = bring(&world, &people).await;
    assert_eq!(
        (&again[0], &again[4]),
        (&Arrival::Present, &Arrival::Present)
    );
}

#[tokio::test]
async fn whoever_left_for_good_is_not_brought_back() {
    let world = World::new().await;
    let gone = newcomer("gone@example.com");
    let tombstone = "INSERT INTO auth.account_deletions (id_hash, state, due_at, erased_at)
        VALUES (sha256(uuid_send($1)), 'erased', now(), now())";
    world.execute(tombstone, &[&gone.id.0]).await;
    assert_eq!(
        bring(&world, &[gone]).await,
        [Arrival::Refused(Refusal::Left)]
    );
    assert_eq!(world.count("auth.users").await, 0);
}

#[tokio::test]
async fn a_rehearsal_says_the_same_and_leaves_nothing() {
    let world = World::new().await;
    let mut people = [
        newcomer("a@example.com"),
        newcomer("no address"),
        newcomer("c@example.com"),
    ];
    people[2].password_hash = Some("$md5$nonsense".to_owned());
    let system = Ctx::system("test");
    let rehearsed = world.accounts.import(&system, &people, true).await.unwrap();
    for table in [
        "auth.users",
        "user_profiles",
        "subscriptions",
        "activity_logs",
    ] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    assert_eq!(bring(&world, &people).await, rehearsed);
    assert!(
        matches!(rehearsed[2], Arrival::WithoutPassword(_)),
        "{rehearsed:?}"
    );
    world.sign_in("a@example.com", PASSWORD).await.unwrap();
    let none = "auth.users WHERE email = 'c@example.com' AND password_hash IS NULL";
    assert_eq!(world.count(none).await, 1);
}

#[tokio::test]
async fn nobody_comes_by_half_and_only_the_platform_imports() {
    let (world, person) = World::with_person().await;
    for ctx in [&person.ctx, &nobody()] {
        let refused = world
            .accounts
            .import(ctx, &[newcomer("a@example.com")], false)
            .await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
    }
    world.billing.broken.store(true, Ordering::Relaxed);
    let system = Ctx::system("test");
    let failed = world
        .accounts
        .import(&system, &[newcomer("a@example.com")], false)
        .await;
    assert_eq!(failed.unwrap_err().code(), ErrorCode::Internal);
    assert_eq!(world.count("auth.users").await, 1);
    assert_eq!(world.count("user_profiles").await, 1);
}
