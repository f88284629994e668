//! Whose account somebody gets.

use super::Scene;
use crate::world::{PASSWORD, nobody};
use eyemotion_auth::{Accounts, AuthError, FederationError, Provider, SessionGate};
use eyemotion_core::{Coded, ErrorCode, UserRole};

const EMAIL: &str = "ada@example.com";
const BOTH: [Provider; 2] = [Provider::Google, Provider::Github];

impl Scene {
    async fn prove(&self, email: &str) {
        let sql = "UPDATE user_profiles SET email_verified = true FROM auth.users \
                   WHERE users.id = user_profiles.id AND users.email = $1";
        self.world.execute(sql, &[&email]).await;
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account_with_all_that_belongs_to_it() {
    for provider in BOTH {
        let scene = Scene::new().await;
        let federated = scene.sign_in(provider).await.unwrap();
        let account = federated.account;
        assert_eq!(account.email, EMAIL);
        assert_eq!(account.profile.full_name, "Ada Lovelace");
        assert_eq!(account.profile.role, UserRole::User);
        assert_eq!(account.profile.industry, "Film Production");
        assert!(account.profile.email_verified);
        let picture = account.profile.avatar_url.as_deref();
        assert_eq!(picture, Some("https://avatars.example.com/1"));
        assert_eq!(account.subscription.unwrap().plan.name, "freemium");
        let world = &scene.world;
        let rows = "auth.users WHERE password_hash IS NULL AND email_confirmed_at IS NOT NULL";
        assert_eq!(world.count(rows).await, 1);
        let name = provider.as_str();
        let rows = format!(
            "auth.identities WHERE provider = '{name}' AND subject = '1' AND email_verified"
        );
        assert_eq!(world.count(&rows).await, 1);
        assert_eq!(world.logged("account.registered").await, 1);
        assert_eq!(world.count("activity_logs").await, 1);
        assert!(world.mails.take().is_empty());

        let own = world.ctx_of(&federated.tokens.unwrap());
        assert_eq!(world.accounts.me(&own).await.unwrap().email, EMAIL);
        let refused = world.sign_in(EMAIL, PASSWORD).await.err().unwrap();
        assert!(matches!(refused, AuthError::InvalidCredentials));
    }
}

#[tokio::test]
async fn an_identity_stays_with_its_account_when_its_address_changes() {
    let scene = Scene::new().await;
    let first = scene.sign_in(Provider::Github).await.unwrap();
    scene.github.becomes(1, "new@example.com", false);
    let second = scene.sign_in(Provider::Github).await.unwrap();
    assert_eq!(first.account.id, second.account.id);
    assert_eq!(second.account.email, EMAIL);
    assert_eq!(scene.world.count("auth.users").await, 1);
    assert_eq!(scene.world.logged("session.created").await, 1);
}

/// The same subject at two providers is two people.
#[tokio::test]
async fn subjects_of_two_providers_are_not_mixed_up() {
    let scene = Scene::new().await;
    scene.google.becomes(7, "seven@example.com", true);
    scene.github.becomes(7, "another@example.com", true);
    let google = scene.sign_in(Provider::Google).await.unwrap();
    let github = scene.sign_in(Provider::Github).await.unwrap();
    assert_ne!(google.account.id, github.account.id);
}

#[tokio::test]
async fn one_person_with_two_providers_has_one_account() {
    let scene = Scene::new().await;
    let google = scene.sign_in(Provider::Google).await.unwrap();
    let github = scene.sign_in(Provider::Github).await.unwrap();
    assert_eq!(google.account.id, github.account.id);
    assert_eq!(scene.world.count("auth.identities").await, 2);
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_verified_is_refused_alike_known_or_not() {
    for provider in BOTH {
        let scene = Scene::new().await;
        scene.fake(provider).becomes(1, EMAIL, false);
        let unknown = scene.sign_in(provider).await.err().unwrap();
        scene.world.register(EMAIL).await.unwrap();
        scene.prove(EMAIL).await;
        let known = scene.sign_in(provider).await.err().unwrap();
        assert_eq!(unknown.code(), ErrorCode::OauthEmailUnverified);
        assert_eq!(known.code(), ErrorCode::OauthEmailUnverified);
        assert_eq!(known.to_string(), unknown.to_string());
        assert_eq!(scene.world.count("auth.users").await, 1);
        assert_eq!(scene.world.count("auth.identities").await, 0);
    }
}

#[tokio::test]
async fn a_proved_account_is_joined_and_keeps_its_password() {
    for provider in BOTH {
        let scene = Scene::new().await;
        let person = scene.world.person(EMAIL).await;
        scene.prove(EMAIL).await;
        scene.world.mails.take();
        // As the provider happens to write it.
        scene.fake(provider).becomes(1, "Ada@Example.COM", true);
        let federated = scene.sign_in(provider).await.unwrap();
        assert_eq!(federated.account.id, person.id);
        scene.world.sign_in(EMAIL, PASSWORD).await.unwrap();
        scene.world.accounts.me(&person.ctx).await.unwrap();
        assert_eq!(scene.world.logged("identity.linked").await, 1);
        let mails = scene.world.mails.take();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0].template, "identity_linked");
        assert_eq!(mails[0].to.as_str(), EMAIL);
        assert_eq!(mails[0].data["provider"], provider.display_name());
    }
}

/// Somebody registers another's address beforehand and waits: whatever they left behind is of no
/// use to them once the owner has come.
#[tokio::test]
async fn an_unproved_account_is_claimed_and_its_maker_is_out() {
    for provider in BOTH {
        let scene = Scene::new().await;
        let world = &scene.world;
        let hijacker = world.person(EMAIL).await;
        let second = world.sign_in(EMAIL, PASSWORD).await.unwrap();
        let id = hijacker.id.0;
        for sql in [
            "INSERT INTO auth.identities (user_id, provider, issuer, subject) VALUES ($1, 'github', 'evil', '1')",
            "INSERT INTO api_keys (user_id, name, prefix, token_hash, scopes) \
             VALUES ($1, 'evil', 'eye_sk_evil', decode(repeat('00', 32), 'hex'), '{kv:read}')",
            "INSERT INTO auth.factors (user_id, kind, secret, status) VALUES ($1, 'totp', 'evil', 'verified')",
            "INSERT INTO auth.one_time_tokens (user_id, purpose, token_hash, code_hash, expires_at, code_expires_at) \
             VALUES ($1, 'password_reset', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), now() + interval '1 day', now() + interval '1 hour')",
        ] {
            world.execute(sql, &[&id]).await;
        }
        let federated = scene.sign_in(provider).await.unwrap();
        assert_eq!(federated.account.id, hijacker.id);
        assert!(federated.account.profile.email_verified);

        let refused = world.sign_in(EMAIL, PASSWORD).await.err().unwrap();
        assert!(
            matches!(refused, AuthError::InvalidCredentials),
            "{refused:?}"
        );
        for stale in [&hijacker, &second] {
            let token = &stale.tokens.access_token;
            let refused = world.accounts.admit(&nobody(), token).await.unwrap_err();
            assert!(matches!(refused, AuthError::SessionEnded), "{refused:?}");
            assert!(
                world
                    .accounts
                    .refresh(&nobody(), &stale.tokens.refresh_token)
                    .await
                    .is_err()
            );
        }
        let name = provider.as_str();
        assert_eq!(world.count("auth.identities").await, 1);
        assert_eq!(
            world
                .count(&format!(
                    "auth.identities WHERE provider = '{name}' AND issuer <> 'evil'"
                ))
                .await,
            1
        );
        assert_eq!(world.count("auth.factors").await, 0);
        assert_eq!(world.count("api_keys WHERE revoked_at IS NULL").await, 0);
        assert_eq!(world.count("auth.one_time_tokens").await, 0);
        assert_eq!(world.logged("account.claimed").await, 1);
        let own = world.ctx_of(&federated.tokens.unwrap());
        world.accounts.me(&own).await.unwrap();
    }
}

#[tokio::test]
async fn banned_and_deleted_people_stay_out() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let person = scene.sign_in(Provider::Github).await.unwrap().account.id.0;
    // Both the identity and, at the other provider, the address lead to the account.
    world
        .execute(
            "UPDATE auth.users SET banned_until = now() + interval '1 day'",
            &[],
        )
        .await;
    for provider in BOTH {
        let refused = scene.sign_in(provider).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::AccountBanned);
    }
    world
        .execute(
            "UPDATE auth.users SET banned_until = NULL, deleted_at = now() WHERE id = $1",
            &[&person],
        )
        .await;
    for provider in BOTH {
        let refused = scene.sign_in(provider).await;
        assert!(
            matches!(refused, Err(FederationError::AccountClosed)),
            "{refused:?}"
        );
    }
    assert_eq!(world.count("auth.sessions").await, 1);
    assert_eq!(world.count("auth.identities").await, 1);
}

#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_account() {
    let scene = Scene::new().await;
    // Both by one identity, and two identities with one address.
    for (number, providers) in [[Provider::Github; 2], BOTH].into_iter().enumerate() {
        let email = format!("racer{number}@example.com");
        let subject = 100 + u64::try_from(number).unwrap();
        scene.google.becomes(subject, &email, true);
        scene.github.becomes(subject, &email, true);
        let mut trips = Vec::new();
        for provider in providers.repeat(4) {
            trips.push(scene.leave(provider).await);
        }
        let finishes = trips.iter().map(|trip| scene.finish(trip));
        let results = futures_util::future::join_all(finishes).await;
        let ids: Vec<_> = results
            .into_iter()
            .map(|result| result.unwrap().account.id)
            .collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
        let rows = format!("auth.users WHERE email = '{email}'");
        assert_eq!(scene.world.count(&rows).await, 1);
        let rows = format!("subscriptions WHERE user_id = '{}'", ids[0]);
        assert_eq!(scene.world.count(&rows).await, 1);
        let mut distinct = providers.to_vec();
        distinct.dedup();
        let rows = format!("auth.identities WHERE user_id = '{}'", ids[0]);
        assert_eq!(
            scene.world.count(&rows).await,
            i64::try_from(distinct.len()).unwrap()
        );
    }
    assert_eq!(scene.world.logged("account.registered").await, 2);
}

#[tokio::test]
async fn an_account_is_made_whole_or_not_at_all() {
    let scene = Scene::new().await;
    scene
        .world
        .billing
        .broken
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(scene.sign_in(Provider::Github).await.is_err());
    for table in [
        "auth.users",
        "user_profiles",
        "auth.identities",
        "auth.sessions",
        "activity_logs",
    ] {
        assert_eq!(scene.world.count(table).await, 0, "{table}");
    }
}
