use crate::world::{EMAIL, PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{Accounts, AuthError, SessionTokens};
use eyemotion_core::{Actor, Coded, ErrorCode, UserRole};
use futures_util::future::join_all;
use std::collections::HashSet;

impl World {
    async fn refresh(&self, tokens: &SessionTokens) -> Result<SessionTokens, AuthError> {
        self.accounts
            .refresh(&nobody(), &tokens.refresh_token)
            .await
    }

    async fn refused(&self, tokens: &SessionTokens) {
        let refused = self.refresh(tokens).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RefreshTokenInvalid);
    }

    /// The session is over, whatever tokens of it are shown.
    async fn ended(&self, person: &Person, reason: &str) {
        let ended = self.admitted(person).await.unwrap_err();
        assert_eq!(ended.code(), ErrorCode::SessionEnded);
        let rows = format!(
            "auth.sessions WHERE id = '{}' AND revoked_reason = '{reason}'",
            person.session()
        );
        assert_eq!(self.count(&rows).await, 1);
    }
}

#[tokio::test]
async fn a_refresh_gives_the_next_pair() {
    let (world, person) = World::with_person().await;
    let mut tokens = person.tokens.clone();
    for _ in 0..3 {
        world.advance(TimeDelta::seconds(600));
        let next = world.refresh(&tokens).await.unwrap();
        assert_ne!(next.refresh_token, tokens.refresh_token);
        assert_eq!(next.expires_at - tokens.expires_at, TimeDelta::seconds(600));
        assert_eq!(world.ctx_of(&next).actor, person.ctx.actor);
        tokens = next;
    }
    world.accounts.me(&world.ctx_of(&tokens)).await.unwrap();
    assert_eq!(world.logged("session.refreshed").await, 3);
    assert_eq!(world.count("auth.sessions").await, 1);
}

#[tokio::test]
async fn fifty_tabs_get_one_successor() {
    let (world, person) = World::with_person().await;
    let answers = join_all((0..50).map(|_| world.refresh(&person.tokens))).await;
    let successors: HashSet<_> = answers
        .into_iter()
        .map(|answer| answer.unwrap().refresh_token)
        .collect();
    assert_eq!(successors.len(), 1);
    assert_eq!(world.count("auth.sessions WHERE counter = 1").await, 1);
    assert_eq!(world.logged("session.refreshed").await, 1);
    let token = successors.into_iter().next().unwrap();
    world.accounts.refresh(&nobody(), &token).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_for_ten_seconds() {
    let (world, person) = World::with_person().await;
    let next = world.refresh(&person.tokens).await.unwrap();
    world.advance(TimeDelta::seconds(10));
    let again = world.refresh(&person.tokens).await.unwrap();
    assert_eq!(again.refresh_token, next.refresh_token);
    world.refresh(&next).await.unwrap();
}

#[tokio::test]
async fn a_used_token_ends_the_session_after_eleven_seconds() {
    let (world, person) = World::with_person().await;
    let next = world.refresh(&person.tokens).await.unwrap();
    world.advance(TimeDelta::seconds(11));
    world.refused(&person.tokens).await;
    world.ended(&person, "refresh_reuse").await;
    let mails = world.mails.take();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].template, "session_reuse_detected");
    assert_eq!(mails[0].to.as_str(), EMAIL);
    assert_eq!(mails[0].data["ip"], "192.0.2.7");
    // Whoever of the two is the thief: neither goes on, and it is told once.
    world.refused(&next).await;
    world.refused(&person.tokens).await;
    assert_eq!(world.logged("session.revoked").await, 1);
    assert!(world.mails.take().is_empty());
    world.sign_in(EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_token_two_behind_ends_the_session_at_once() {
    let (world, person) = World::with_person().await;
    let next = world.refresh(&person.tokens).await.unwrap();
    let last = world.refresh(&next).await.unwrap();
    world.refused(&person.tokens).await;
    world.ended(&person, "refresh_reuse").await;
    world.refused(&last).await;
}

#[tokio::test]
async fn a_session_runs_out_when_idle_and_after_ninety_days() {
    let (world, person) = World::with_person().await;
    world.advance(TimeDelta::days(30) + TimeDelta::seconds(1));
    world.refused(&person.tokens).await;
    let late = world.admitted(&person).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::TokenExpired);

    let mut tokens = world.sign_in(EMAIL, PASSWORD).await.unwrap().tokens;
    for _ in 0..4 {
        world.advance(TimeDelta::days(22));
        tokens = world.refresh(&tokens).await.unwrap();
    }
    world.advance(TimeDelta::days(2) + TimeDelta::seconds(1));
    world.refused(&tokens).await;
    assert_eq!(
        world.logged("session.revoked").await,
        0,
        "nothing was stolen"
    );
}

#[tokio::test]
async fn banned_and_deleted_people_do_not_refresh() {
    let (world, person) = World::with_person().await;
    world
        .execute(
            "UPDATE auth.users SET banned_until = now() + interval '1 hour'",
            &[],
        )
        .await;
    world.refused(&person.tokens).await;
    world.advance(TimeDelta::hours(2));
    let tokens = world.refresh(&person.tokens).await.unwrap();
    world
        .execute("UPDATE auth.users SET deleted_at = now()", &[])
        .await;
    world.refused(&tokens).await;
}

#[tokio::test]
async fn a_refresh_tells_the_role_of_now() {
    let (world, person) = World::with_person().await;
    world
        .execute("UPDATE user_profiles SET role = 'admin'", &[])
        .await;
    let tokens = world.refresh(&person.tokens).await.unwrap();
    let actor = world.accounts.authenticate(&tokens.access_token).unwrap();
    assert!(
        matches!(
            actor,
            Actor::User {
                role: UserRole::Admin,
                ..
            }
        ),
        "{actor:?}"
    );
}

#[tokio::test]
async fn tokens_of_elsewhere_are_refused() {
    let (world, person) = World::with_person().await;
    let (other, _) = World::with_person().await;
    other.refused(&person.tokens).await;
    for token in ["", "eye_rt_", person.tokens.access_token.as_str()] {
        let refused = world.accounts.refresh(&nobody(), token).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RefreshTokenInvalid);
    }
    // A refresh token is no access token either.
    assert!(
        world
            .accounts
            .authenticate(&person.tokens.refresh_token)
            .is_err()
    );
    // A session that is gone, with a token that was good.
    world.execute("DELETE FROM auth.sessions", &[]).await;
    world.refused(&person.tokens).await;
    // A counter that the session has not reached, as after restoring an older backup.
    let person = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    let next = world.refresh(&person.tokens).await.unwrap();
    world
        .execute(
            "UPDATE auth.sessions SET counter = 0, rotated_at = NULL",
            &[],
        )
        .await;
    world.refused(&next).await;
    world.refresh(&person.tokens).await.unwrap();
}
