use crate::world::{EMAIL, PASSWORD, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{Accounts, AuthConfig, AuthError, ProfileUpdate, SessionScope, Sessions};
use eyemotion_core::{Coded, Ctx, ErrorCode};
use futures_util::future::join_all;

#[tokio::test]
async fn the_right_password_opens_a_session() {
    let (world, registered) = World::with_person().await;
    world.advance(TimeDelta::seconds(60));
    let signed_in = world
        .accounts
        .sign_in(&nobody(), "TEST@example.com", PASSWORD.into())
        .await;
    let signed_in = signed_in.unwrap();
    assert_eq!(signed_in.account.id, registered.id);
    let at = signed_in.account.profile.last_login_at.unwrap();
    let life = signed_in.tokens.expires_at - at;
    assert!(
        life > TimeDelta::seconds(598) && life <= TimeDelta::seconds(600),
        "{life}"
    );

    let ctx = world.ctx_of(&signed_in.tokens);
    assert_ne!(ctx.actor, registered.ctx.actor, "a session of its own");
    assert_eq!(world.accounts.me(&ctx).await.unwrap(), signed_in.account);
    let from = "auth.sessions WHERE ip = '192.0.2.7' AND user_agent = 'Browser/1.0'";
    assert_eq!(world.count(from).await, 2);
    assert_eq!(world.logged("session.created").await, 1);
}

#[tokio::test]
async fn whoever_may_not_sign_in_gets_the_same_answer() {
    let (world, _) = World::with_person().await;
    for email in ["deleted@example.com", "no-password@example.com"] {
        world.person(email).await;
    }
    let deleted = "UPDATE auth.users SET deleted_at = now() WHERE email = 'deleted@example.com'";
    world.execute(deleted, &[]).await;
    let social = "UPDATE auth.users SET password_hash = NULL \
                  WHERE email = 'no-password@example.com'";
    world.execute(social, &[]).await;

    let long = "x".repeat(5000);
    for (email, password) in [
        (EMAIL, "wrong password"),
        (EMAIL, ""),
        (EMAIL, long.as_str()),
        ("unknown@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("test@example.com\0", PASSWORD),
        ("deleted@example.com", PASSWORD),
        ("no-password@example.com", PASSWORD),
        ("no-password@example.com", ""),
    ] {
        let refused = world.sign_in(email, password).await.err().unwrap();
        assert!(
            matches!(refused, AuthError::InvalidCredentials),
            "{email}: {refused:?}"
        );
    }
    assert_eq!(world.logged("session.created").await, 0);
}

#[tokio::test]
async fn only_the_right_password_learns_of_a_ban() {
    let (world, _) = World::with_person().await;
    world
        .execute(
            "UPDATE auth.users SET banned_until = now() + interval '1 hour'",
            &[],
        )
        .await;
    let wrong = world.sign_in(EMAIL, "wrong password").await.err().unwrap();
    assert_eq!(wrong.code(), ErrorCode::InvalidCredentials);
    let right = world.sign_in(EMAIL, PASSWORD).await.err().unwrap();
    assert_eq!(right.code(), ErrorCode::AccountBanned);
    assert!(right.members().contains_key("bannedUntil"));
    world.advance(TimeDelta::hours(2));
    world.sign_in(EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn past_the_queue_people_are_asked_to_wait() {
    let config = AuthConfig {
        hash_permits: 1,
        hash_queue: 2,
        ..AuthConfig::default()
    };
    let world = World::with(config).await;
    // No address that could be looked up, so all reach the hash in the same moment.
    let answers = join_all((0..8).map(|_| world.sign_in("nobody", PASSWORD))).await;
    let overloaded = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .filter(|error| error.code() == ErrorCode::Overloaded && error.retry_after().is_some());
    assert_eq!(overloaded.count(), 5);
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert_eq!(
        refused
            .filter(|error| error.code() == ErrorCode::InvalidCredentials)
            .count(),
        3
    );
}

#[tokio::test]
async fn signing_out_ends_this_session_and_no_other() {
    let (world, first) = World::with_person().await;
    let second = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    world.sign_out(&first).await.unwrap();
    world.sign_out(&first).await.unwrap();
    assert_eq!(world.logged("session.revoked").await, 1);

    // The token is still good by itself; the account knows better.
    assert!(
        world
            .accounts
            .authenticate(&first.tokens.access_token)
            .is_ok()
    );
    let ended = world.admitted(&first).await.unwrap_err();
    assert_eq!(ended.code(), ErrorCode::SessionEnded);
    let refresh = world
        .accounts
        .refresh(&nobody(), &first.tokens.refresh_token)
        .await;
    assert_eq!(refresh.unwrap_err().code(), ErrorCode::RefreshTokenInvalid);

    world.admitted(&second).await.unwrap();
    world
        .accounts
        .refresh(&nobody(), &second.tokens.refresh_token)
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_has_no_account() {
    let world = World::new().await;
    for ctx in [nobody(), Ctx::system("test")] {
        let refused = [
            world.accounts.me(&ctx).await.err(),
            world
                .accounts
                .sign_out(&ctx, SessionScope::Local)
                .await
                .err(),
            world
                .accounts
                .update_profile(&ctx, ProfileUpdate::default(), None)
                .await
                .err(),
        ];
        for error in refused {
            assert_eq!(error.unwrap().code(), ErrorCode::Unauthenticated);
        }
    }
}
