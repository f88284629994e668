use crate::world::{EMAIL, World, new_user, nobody};
use eyemotion_auth::{Accounts, AuthConfig, AuthError, NewUser, Throttling};
use eyemotion_core::{Coded, ErrorCode, UserRole};
use futures_util::future::join_all;
use std::sync::atomic::Ordering;

const TABLES: [&str; 6] = [
    "auth.users",
    "user_profiles",
    "auth.sessions",
    "subscriptions",
    "credit_lots",
    "activity_logs",
];

#[tokio::test]
async fn an_account_comes_with_everything_that_belongs_to_it() {
    let world = World::new().await;
    // As the people who write to us will do it.
    let new = NewUser {
        email: " Test@Example.COM ".to_owned(),
        full_name: " สมชาย ใจดี ".to_owned(),
        company_name: Some("  ".to_owned()),
        phone: Some("+66 2 123 4567".to_owned()),
        ..new_user("")
    };
    let registered = world.accounts.register(&nobody(), new).await.unwrap();
    assert_eq!(registered.email.as_str(), "test@example.com");
    assert_eq!(registered.full_name, "สมชาย ใจดี");
    assert_eq!(registered.company_name, None);
    for table in TABLES {
        assert_eq!(world.count(table).await, 1, "{table}");
    }

    let ctx = world.ctx_of(&registered.session.unwrap());
    let account = world.accounts.me(&ctx).await.unwrap();
    assert_eq!(account.id, registered.id);
    assert_eq!(account.email, "test@example.com");
    let profile = account.profile;
    assert_eq!(profile.full_name, "สมชาย ใจดี");
    assert_eq!(profile.company_name, None);
    assert_eq!(profile.industry, "Film Production");
    assert_eq!(profile.country, "Thailand");
    assert_eq!(profile.phone.as_deref(), Some("+66 2 123 4567"));
    assert_eq!(profile.role, UserRole::User);
    assert_eq!(profile.version, 1);
    assert!(!profile.email_verified, "nobody has proved it");
    assert!(profile.last_login_at.is_some());
    let subscription = account.subscription.unwrap();
    assert_eq!(subscription.plan.name, "freemium");
    assert_eq!(subscription.credits_remaining.0, 90);
    assert_eq!(subscription.credits_used.0, 10);
}

#[tokio::test]
async fn a_neighbour_that_fails_leaves_nothing() {
    let world = World::new().await;
    world.billing.broken.store(true, Ordering::Relaxed);
    let failed = world.register(EMAIL).await.unwrap_err();
    assert!(matches!(failed, AuthError::Db(_)), "{failed:?}");
    for table in TABLES {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    world.billing.broken.store(false, Ordering::Relaxed);
    world.register(EMAIL).await.unwrap();
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_address() {
    let world = World::new().await;
    let spellings = ["test@example.com", "TEST@example.com", " test@EXAMPLE.com "];
    let attempts = (0..20).map(|turn| world.register(spellings[turn % 3]));
    let answers = join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code(), ErrorCode::EmailTaken);
    }
    for table in TABLES {
        assert_eq!(world.count(table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn every_wrong_value_is_named_at_once() {
    let world = World::new().await;
    let bad = NewUser {
        email: "nobody".to_owned(),
        password: "1234567".into(),
        full_name: "a\0b".to_owned(),
        company_name: Some("x".repeat(201)),
        industry: Some("x".repeat(101)),
        country: Some("Thai\nland".to_owned()),
        phone: Some("0".repeat(41)),
    };
    let refused = world.accounts.register(&nobody(), bad).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ValidationFailed);
    let pointers: Vec<_> = refused
        .field_errors()
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    let expected = [
        "/email",
        "/password",
        "/fullName",
        "/companyName",
        "/industry",
        "/country",
        "/phone",
    ];
    assert_eq!(pointers, expected);
    assert_eq!(world.count("auth.users").await, 0);
}

#[tokio::test]
async fn an_address_can_be_made_to_need_confirmation() {
    let config = AuthConfig {
        require_email_confirmation: true,
        throttling: Throttling::Off,
        ..AuthConfig::default()
    };
    let world = World::with(config).await;
    let registered = world.register(EMAIL).await.unwrap();
    assert!(registered.session.is_none());
    assert_eq!(world.count("auth.sessions").await, 0);
    // Only the right password learns of it.
    let wrong = world.sign_in(EMAIL, "wrong password").await.err().unwrap();
    assert_eq!(wrong.code(), ErrorCode::InvalidCredentials);
    let right = world
        .sign_in(EMAIL, crate::world::PASSWORD)
        .await
        .err()
        .unwrap();
    assert_eq!(right.code(), ErrorCode::EmailNotConfirmed);

    world
        .execute("UPDATE auth.users SET email_confirmed_at = now()", &[])
        .await;
    world.sign_in(EMAIL, crate::world::PASSWORD).await.unwrap();
}
