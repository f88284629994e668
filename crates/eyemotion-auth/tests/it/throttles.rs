//! What wrong passwords cost, and whom.

use crate::world::{EMAIL, PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{AccountService, Accounts, AuthConfig, AuthError, Sessions};
use eyemotion_core::{Actor, Coded, Ctx, ErrorCode};
use futures_util::future::join_all;

/// Far more than the limits forget in.
const LATER: TimeDelta = TimeDelta::hours(1);

async fn strict() -> (World, Person) {
    let world = World::with(AuthConfig::default()).await;
    let person = world.person(EMAIL).await;
    (world, person)
}

fn from(ip: &str) -> Ctx {
    Ctx {
        ip: Some(ip.parse().unwrap()),
        ..nobody()
    }
}

impl World {
    async fn guess(&self, ctx: &Ctx, email: &str, password: &str) -> Result<(), AuthError> {
        let answer = self.accounts.sign_in(ctx, email, password.into()).await;
        answer.map(|_| ())
    }

    /// Guesses wrongly once, being let on.
    async fn fail(&self, ctx: &Ctx, email: &str) {
        let refused = self.guess(ctx, email, "wrong password").await.unwrap_err();
        assert!(
            matches!(refused, AuthError::InvalidCredentials),
            "{refused:?}"
        );
    }

    /// How long somebody is held back, in seconds, and by which rule.
    async fn held(&self, ctx: &Ctx, email: &str, password: &str) -> (String, u64) {
        let refused = self.guess(ctx, email, password).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        let limiter = refused.members()["limiter"].as_str().unwrap().to_owned();
        (limiter, refused.retry_after().unwrap().as_secs())
    }
}

#[tokio::test]
async fn each_failure_costs_twice_the_wait_and_five_the_rest_of_a_quarter_of_an_hour() {
    let (world, _) = strict().await;
    for email in [EMAIL, "unknown@example.com"] {
        let here = from("198.51.100.1");
        let mut waited = 0;
        for pause in [1, 2, 4, 8] {
            world.fail(&here, email).await;
            // The right password is not looked at, either.
            let held = world.held(&here, email, PASSWORD).await;
            assert_eq!(held, ("sign_in_network".to_owned(), pause), "{email}");
            world.advance(TimeDelta::seconds(i64::try_from(pause).unwrap()));
            waited += pause;
        }
        world.fail(&here, email).await;
        for ctx in [&here, &from("203.0.113.9")] {
            let held = world.held(ctx, email, PASSWORD).await;
            assert_eq!(
                held,
                ("sign_in_account".to_owned(), 900 - waited),
                "{email}"
            );
        }
        world.advance(LATER);
        world.fail(&here, email).await;
        assert_eq!(world.held(&here, email, PASSWORD).await.1, 1, "forgotten");
        world.advance(LATER);
    }
    world.guess(&nobody(), EMAIL, PASSWORD).await.unwrap();
    assert_eq!(world.logged("session.refused").await, 12);
}

#[tokio::test]
async fn the_right_password_clears_the_counters() {
    let (world, _) = strict().await;
    for _ in 0..3 {
        for _ in 0..3 {
            world.fail(&nobody(), EMAIL).await;
            world.advance(TimeDelta::seconds(4));
        }
        world.guess(&nobody(), EMAIL, PASSWORD).await.unwrap();
    }
    assert_eq!(world.count("auth.throttles").await, 0);
}

#[tokio::test]
async fn others_are_not_held_back_and_a_network_is_one() {
    let (world, _) = strict().await;
    world.person("other@example.com").await;
    world.fail(&from("2001:db8:7:1::1"), EMAIL).await;
    world.held(&from("2001:db8:7:2::2"), EMAIL, PASSWORD).await;
    world
        .guess(&from("2001:db8:8::1"), EMAIL, PASSWORD)
        .await
        .unwrap();
    world.fail(&from("198.51.100.1"), EMAIL).await;
    world.held(&from("198.51.100.254"), EMAIL, PASSWORD).await;
    let elsewhere = from("198.51.101.1");
    world.guess(&elsewhere, EMAIL, PASSWORD).await.unwrap();
    let other = from("198.51.100.1");
    world
        .guess(&other, "other@example.com", PASSWORD)
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_can_lock_out_a_device_that_is_signed_in() {
    let (world, person) = strict().await;
    for number in 0..5 {
        world.fail(&from(&format!("203.0.{number}.1")), EMAIL).await;
    }
    world.held(&nobody(), EMAIL, PASSWORD).await;

    // With its access token it signs in, refreshes and proves who it is.
    world.guess(&person.ctx, EMAIL, PASSWORD).await.unwrap();
    let refreshed = world
        .accounts
        .refresh(&nobody(), &person.tokens.refresh_token)
        .await;
    refreshed.unwrap();
    let proved = world
        .accounts
        .reauthenticate(&person.ctx, PASSWORD.into())
        .await;
    proved.unwrap();

    // Its own failures count for itself.
    world.advance(LATER);
    world.fail(&person.ctx, EMAIL).await;
    world.held(&person.ctx, EMAIL, PASSWORD).await;
    world.guess(&nobody(), EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn somebody_elses_or_an_ended_session_opens_nothing() {
    let (world, person) = strict().await;
    let stranger = world.person("stranger@example.com").await;
    for number in 0..5 {
        world.fail(&from(&format!("203.0.{number}.1")), EMAIL).await;
    }
    world.held(&stranger.ctx, EMAIL, PASSWORD).await;
    world.sign_out(&person).await.unwrap();
    world.held(&person.ctx, EMAIL, PASSWORD).await;
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_no_more_than_a_few() {
    let config = AuthConfig {
        hash_permits: 1,
        hash_queue: 200,
        ..AuthConfig::default()
    };
    let world = World::with(config).await;
    world.person(EMAIL).await;
    let here = from("198.51.100.1");
    let guesses = (0..100).map(|number| {
        let password = if number == 60 {
            PASSWORD
        } else {
            "wrong password"
        };
        world.guess(&here, EMAIL, password)
    });
    let right = join_all(guesses).await.swap_remove(60);
    assert!(
        matches!(right, Err(AuthError::Throttled { .. })),
        "{right:?}"
    );
    world.held(&from("203.0.113.1"), EMAIL, PASSWORD).await;
}

#[tokio::test]
async fn the_counters_are_in_the_database_and_name_nobody() {
    let (world, _) = strict().await;
    world.fail(&nobody(), EMAIL).await;
    let again: AccountService = world.another(AuthConfig::default());
    let held = again.sign_in(&nobody(), EMAIL, PASSWORD.into()).await;
    let held = held.err().unwrap();
    assert_eq!(held.retry_after().unwrap().as_secs(), 1);
    assert_eq!(held.members()["limiter"], "sign_in_network");
    let named = format!("auth.throttles t WHERE t::text LIKE '%{EMAIL}%'");
    assert_eq!(world.count("auth.throttles").await, 2);
    assert_eq!(world.count(&named).await, 0);
}

#[tokio::test]
async fn old_counters_are_swept_away() {
    let (world, _) = strict().await;
    for number in 0..6 {
        let email = format!("nobody{number}@example.com");
        world
            .fail(&from(&format!("203.0.{number}.1")), &email)
            .await;
    }
    assert_eq!(world.count("auth.throttles").await, 12);
    world.advance(LATER);
    for _ in 0..3 {
        world.fail(&nobody(), EMAIL).await;
        world.advance(LATER);
    }
    assert_eq!(world.count("auth.throttles").await, 2);
}

#[tokio::test]
async fn a_failure_is_told_to_the_account_it_was_tried_on() {
    let (world, person) = strict().await;
    world.fail(&nobody(), EMAIL).await;
    world.fail(&nobody(), "unknown@example.com").await;
    let of = |user: String| format!("activity_logs WHERE action = 'session.refused' AND {user}");
    assert_eq!(
        world.count(&of(format!("user_id = '{}'", person.id))).await,
        1
    );
    assert_eq!(world.count(&of("user_id IS NULL".to_owned())).await, 1);
    let told = format!("activity_logs a WHERE a::text ~ '{EMAIL}|unknown|wrong password'");
    assert_eq!(world.count(&told).await, 0, "not what was typed");
    assert!(matches!(person.ctx.actor, Actor::User { .. }));
}
