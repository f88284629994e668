use crate::world::{World, nobody};
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_auth::{ApiKeyError, ApiKeyKeeper, ApiKeys, CreatedApiKey, NewApiKey, Permission};
use eyemotion_core::{
    Actor, ApiKeyId, Clock, Ctx, IdempotencyKey, PageRequest, SessionId, UserRole,
};
use secrecy::ExposeSecret;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ALL: PageRequest = PageRequest {
    limit: 100,
    after: None,
};

/// An admin's request.
async fn admin(world: &World, email: &str) -> Ctx {
    let person = world.person(email).await;
    let raise = "UPDATE user_profiles SET role = 'admin' WHERE id = $1";
    world.execute(raise, &[&person.id.0]).await;
    nobody().with_actor(Actor::User {
        id: person.id,
        session: SessionId(person.session()),
        role: UserRole::Admin,
    })
}

fn new(scopes: &[&str], expires_at: Option<DateTime<Utc>>) -> NewApiKey {
    NewApiKey {
        name: " Deployment ".to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        expires_at,
    }
}

fn secret(made: &CreatedApiKey) -> String {
    made.secret.as_ref().unwrap().expose_secret().to_owned()
}

async fn works(keys: &ApiKeyKeeper, secret: &str) -> bool {
    match keys.authenticate(secret).await {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error, ApiKeyError::KeyInvalid), "{error}");
            false
        }
    }
}

/// Awaits that the key is refused, which must take less than a second.
async fn refused_soon(keys: &ApiKeyKeeper, secret: &str) {
    let started = Instant::now();
    while works(keys, secret).await {
        assert!(started.elapsed() < Duration::from_secs(1), "it still works");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stored_nowhere() {
    let world = World::new().await;
    let keys = world.api_keys();
    let ctx = admin(&world, "admin@example.com").await;
    let made = keys
        .create(&ctx, new(&["kv:write:a", "kv:read", "kv:read"], None))
        .await
        .unwrap();
    let secret = secret(&made);
    assert_eq!(made.key.name, "Deployment");
    assert_eq!(made.key.scopes, ["kv:read", "kv:write:a"]);
    assert!(secret.starts_with(&made.key.prefix), "{}", made.key.prefix);
    assert!(made.key.prefix.len() < 16);
    assert!(!format!("{made:?}").contains(&secret));

    let rows = world
        .database
        .admin()
        .await
        .query(
            "SELECT row_to_json(k)::text FROM api_keys k
             UNION ALL SELECT row_to_json(l)::text FROM activity_logs l",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() >= 2);
    for row in rows {
        let text: String = row.get(0);
        let random = &secret[made.key.prefix.len()..];
        assert!(!text.contains(random), "{text}");
    }
    let holder = keys.authenticate(&secret).await.unwrap();
    assert_eq!(holder.id, made.key.id);
    assert!(holder.scopes.allow(Permission::WriteKv("a")));
    assert!(!holder.scopes.allow(Permission::WriteKv("b")));
    assert_eq!(world.logged("api_key.created").await, 1);
}

#[tokio::test]
async fn only_a_whole_valid_secret_works() {
    let world = World::new().await;
    let keys = world.api_keys();
    let ctx = admin(&world, "admin@example.com").await;
    let soon = world.clock.now() + TimeDelta::minutes(1);
    let made = keys
        .create(&ctx, new(&["kv:read"], Some(soon)))
        .await
        .unwrap();
    let secret = secret(&made);
    assert!(works(&keys, &secret).await);
    let mistyped = secret.replacen(|c: char| c.is_ascii_lowercase(), "Z", 1);
    for wrong in [
        "",
        "eye_sk_",
        &secret[..58],
        &mistyped,
        &secret.to_lowercase(),
    ] {
        assert!(!works(&keys, wrong).await, "{wrong}");
    }
    world.advance(TimeDelta::minutes(1));
    assert!(!works(&keys, &secret).await, "it has expired");
}

#[tokio::test]
async fn a_revoked_key_is_refused_everywhere_within_a_second() {
    let world = World::new().await;
    let (here, there) = (world.api_keys(), world.api_keys());
    let ctx = admin(&world, "admin@example.com").await;
    let other_admin = admin(&world, "other@example.com").await;
    let made = here.create(&ctx, new(&["kv:read"], None)).await.unwrap();
    let secret = secret(&made);
    assert!(works(&here, &secret).await && works(&there, &secret).await);

    let revoked = here.revoke(&other_admin, made.key.id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(world.clock.now()));
    assert!(!works(&here, &secret).await, "at once where it was revoked");
    refused_soon(&there, &secret).await;
    world.advance(TimeDelta::minutes(1));
    let again = here.revoke(&ctx, made.key.id).await.unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    assert_eq!(world.logged("api_key.revoked").await, 1);
    let unknown = here.revoke(&ctx, ApiKeyId(Uuid::now_v7())).await;
    assert!(matches!(unknown, Err(ApiKeyError::NotFound)));
}

#[tokio::test]
async fn a_key_works_for_as_long_as_its_owner_is_an_admin() {
    for (number, change) in [
        "UPDATE user_profiles SET role = 'user' WHERE id = $1",
        "UPDATE auth.users SET banned_until = '9999-01-01' WHERE id = $1",
        "UPDATE auth.users SET deleted_at = now() WHERE id = $1",
        "DELETE FROM auth.users WHERE id = $1",
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::new().await;
        let keys = world.api_keys();
        let ctx = admin(&world, &format!("admin{number}@example.com")).await;
        let made = keys.create(&ctx, new(&["kv:read"], None)).await.unwrap();
        let secret = secret(&made);
        assert!(works(&keys, &secret).await, "{change}");
        // In the real world the owner's part of the books goes first.
        let books = [
            "ALTER TABLE subscription_history DISABLE TRIGGER USER",
            "DELETE FROM subscription_history",
            "DELETE FROM credit_lots",
            "DELETE FROM subscriptions",
        ];
        if change.starts_with("DELETE") {
            for sql in books {
                world.execute(sql, &[]).await;
            }
        }
        world.execute(change, &[&ctx.user_id().unwrap().0]).await;
        refused_soon(&keys, &secret).await;
    }
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let world = World::new().await;
    let keys = world.api_keys();
    let ctx = admin(&world, "admin@example.com").await;
    let made = keys.create(&ctx, new(&["kv:read"], None)).await.unwrap();
    let secret = secret(&made);
    let used = async || keys.list(&ctx, ALL).await.unwrap().items[0].last_used_at;
    assert_eq!(used().await, None);
    assert!(works(&keys, &secret).await);
    let first = world.clock.now();
    assert_eq!(used().await, Some(first));
    world.advance(TimeDelta::seconds(59));
    // In another process nothing is known of the first use but what is stored.
    assert!(works(&world.api_keys(), &secret).await);
    assert_eq!(used().await, Some(first));
    world.advance(TimeDelta::seconds(1));
    assert!(works(&world.api_keys(), &secret).await);
    assert_eq!(used().await, Some(world.clock.now()));
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_shows_no_secret_again() {
    let world = World::new().await;
    let keys = world.api_keys();
    let mut ctx = admin(&world, "admin@example.com").await;
    ctx.idempotency = Some(IdempotencyKey {
        key: "once".to_owned(),
        request_hash: [1; 32],
    });
    let first = keys.create(&ctx, new(&["kv:read"], None)).await.unwrap();
    let second = keys.create(&ctx, new(&["kv:read"], None)).await.unwrap();
    assert_eq!(second.key.id, first.key.id);
    assert!(second.secret.is_none());
    assert!(works(&keys, &secret(&first)).await);
    assert_eq!(world.count("api_keys").await, 1);
    assert_eq!(world.logged("api_key.created").await, 1);
}

#[tokio::test]
async fn keys_are_the_admins_to_make_see_and_revoke() {
    let world = World::new().await;
    let keys = world.api_keys();
    let person = world.person("person@example.com").await;
    let program = nobody().with_actor(Actor::ApiKey {
        id: ApiKeyId(Uuid::now_v7()),
    });
    let id = ApiKeyId(Uuid::now_v7());
    for (ctx, signed_in) in [(person.ctx, true), (program, true), (nobody(), false)] {
        let refusals = [
            keys.create(&ctx, new(&["kv:read"], None)).await.err(),
            keys.list(&ctx, ALL).await.err(),
            keys.revoke(&ctx, id).await.err(),
        ];
        for refusal in refusals {
            let told = matches!(refusal, Some(ApiKeyError::Forbidden)) == signed_in
                && matches!(refusal, Some(ApiKeyError::Unauthenticated)) != signed_in;
            assert!(told, "{refusal:?}");
        }
    }
    assert_eq!(world.count("api_keys").await, 0);
}

#[tokio::test]
async fn nonsense_is_refused_by_name() {
    let world = World::new().await;
    let keys = world.api_keys();
    let ctx = admin(&world, "admin@example.com").await;
    let past = Some(world.clock.now());
    let many = vec!["kv:read"; 33];
    let named = |name: &str| NewApiKey {
        name: name.to_owned(),
        ..new(&["kv:read"], None)
    };
    for (new, pointer) in [
        (named(" "), "/name"),
        (named(&"a".repeat(101)), "/name"),
        (named("a\nb"), "/name"),
        (new(&[], None), "/scopes"),
        (new(&many, None), "/scopes"),
        (new(&["kv:read", "admin"], None), "/scopes/1"),
        (new(&["kv:read"], past), "/expiresAt"),
    ] {
        let Err(ApiKeyError::Invalid(faults)) = keys.create(&ctx, new).await else {
            unreachable!("{pointer} was taken");
        };
        assert_eq!(faults[0].pointer, pointer);
    }
}

#[tokio::test]
async fn keys_are_listed_page_by_page_the_newest_first() {
    let world = World::new().await;
    let keys = world.api_keys();
    let ctx = admin(&world, "admin@example.com").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        let key = keys.create(&ctx, new(&["kv:read"], None)).await.unwrap();
        made.insert(0, key.key.id);
        world.advance(TimeDelta::seconds(1));
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = keys
            .list(&ctx, PageRequest { limit: 2, after })
            .await
            .unwrap();
        listed.extend(page.items.into_iter().map(|key| key.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
    assert_eq!(listed.iter().collect::<HashSet<_>>().len(), 5);
}
