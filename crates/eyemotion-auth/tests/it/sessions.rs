use crate::world::{EMAIL, PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::SessionScope::{Global, Local, Others};
use eyemotion_auth::{Accounts, AuthConfig, AuthError, Session, Sessions};
use eyemotion_core::{Coded, Ctx, ErrorCode, PageRequest, SessionId};
use eyemotion_db::Db;

const ALL: PageRequest = PageRequest {
    limit: 100,
    after: None,
};

impl World {
    async fn sessions(&self, person: &Person) -> Vec<Session> {
        self.accounts.list(&person.ctx, ALL).await.unwrap().items
    }

    async fn is_signed_in(&self, person: &Person) -> bool {
        self.admitted(person).await.is_ok()
    }

    /// Whether something dangerous may be done.
    async fn is_recent(&self, person: &Person) -> Result<(), AuthError> {
        let db = Db::new(&self.database.config()).unwrap();
        for mut tx in [
            db.begin_for(&person.ctx).await.unwrap(),
            db.begin(&person.ctx).await.unwrap(),
        ] {
            self.accounts.require_recent(&mut tx, &person.ctx).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn somebodys_sessions_are_listed_newest_first_in_pages() {
    let (world, first) = World::with_person().await;
    world.person("other@example.com").await;
    world.advance(TimeDelta::seconds(60));
    let phone = Ctx {
        ip: Some("2001:db8::7".parse().unwrap()),
        user_agent: Some("Mozilla/5.0 (iPhone) Version/17.5 Safari/604.1".to_owned()),
        ..nobody()
    };
    let signed_in = world.accounts.sign_in(&phone, EMAIL, PASSWORD.into()).await;
    signed_in.unwrap();
    let sessions = world.sessions(&first).await;
    let devices: Vec<_> = sessions.iter().map(|one| one.device.as_str()).collect();
    assert_eq!(devices, ["Safari on iPhone", "Browser"]);
    let current: Vec<_> = sessions.iter().map(|one| one.current).collect();
    assert_eq!(current, [false, true]);
    assert_eq!(sessions[0].ip.as_deref(), Some("2001:db8::7"));
    assert_eq!(sessions[1].id.0, first.session());
    assert_eq!(sessions[1].last_seen_at, sessions[1].created_at);
    let life = sessions[1].expires_at - sessions[1].created_at;
    assert_eq!(life, TimeDelta::days(30));

    world
        .accounts
        .refresh(&nobody(), &first.tokens.refresh_token)
        .await
        .unwrap();
    let seen = &world.sessions(&first).await[1];
    assert_eq!(seen.last_seen_at - seen.created_at, TimeDelta::seconds(60));

    let one = PageRequest { limit: 1, ..ALL };
    let page = world.accounts.list(&first.ctx, one).await.unwrap();
    assert_eq!(page.items[0].id, sessions[0].id);
    let rest = PageRequest {
        limit: 1,
        after: page.next,
    };
    let page = world.accounts.list(&first.ctx, rest).await.unwrap();
    assert_eq!(page.items[0].id, sessions[1].id);
    assert!(page.next.is_none());
}

#[tokio::test]
async fn one_session_is_revoked_and_nobody_elses() {
    let (world, first) = World::with_person().await;
    let second = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    let other = world.person("other@example.com").await;
    let revoke =
        async |person: &Person, id| world.accounts.revoke(&person.ctx, SessionId(id)).await;
    for id in [first.session(), uuid::Uuid::nil()] {
        let refused = revoke(&other, id).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::SessionNotFound);
    }
    revoke(&second, first.session()).await.unwrap();
    assert!(!world.is_signed_in(&first).await);
    assert!(world.is_signed_in(&second).await);
    let again = revoke(&second, first.session()).await.unwrap_err();
    assert_eq!(again.code(), ErrorCode::SessionNotFound);
    assert_eq!(world.sessions(&second).await.len(), 1);
    assert_eq!(world.logged("session.revoked").await, 1);
}

#[tokio::test]
async fn signing_out_goes_as_far_as_was_asked() {
    let (world, first) = World::with_person().await;
    let second = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    let third = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    let other = world.person("other@example.com").await;
    let leave = async |person: &Person, scope| {
        let ended = world.accounts.sign_out(&person.ctx, scope).await;
        let mut left = Vec::new();
        for one in [&first, &second, &third] {
            left.push(world.is_signed_in(one).await);
        }
        (ended.unwrap(), left)
    };
    assert_eq!(leave(&third, Local).await, (1, vec![true, true, false]));
    assert_eq!(leave(&third, Local).await, (0, vec![true, true, false]));
    assert_eq!(leave(&first, Others).await, (1, vec![true, false, false]));
    assert_eq!(leave(&first, Others).await, (0, vec![true, false, false]));
    assert_eq!(leave(&first, Global).await, (1, vec![false, false, false]));
    assert_eq!(world.logged("session.revoked").await, 3);
    assert!(world.is_signed_in(&other).await);
}

#[tokio::test]
async fn an_expired_token_is_recognised_and_nothing_more() {
    let (world, person) = World::with_person().await;
    world.advance(TimeDelta::hours(2));
    let token = &person.tokens.access_token;
    assert!(world.accounts.authenticate(token).is_err());
    assert_eq!(world.accounts.recognise(token).unwrap(), person.ctx.actor);
    let forged = format!("{}x", &token[..token.len() - 2]);
    assert!(world.accounts.recognise(&forged).is_err());
    assert!(
        world
            .accounts
            .recognise(&person.tokens.refresh_token)
            .is_err()
    );
}

#[tokio::test]
async fn what_is_dangerous_needs_a_fresh_proof() {
    let (world, person) = World::with_person().await;
    world.advance(TimeDelta::seconds(600));
    world.is_recent(&person).await.unwrap();
    world.advance(TimeDelta::seconds(1));
    let refused = world.is_recent(&person).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ReauthenticationNeeded);
    assert_eq!(refused.members()["maxAge"], 600);
    // Renewing a token proves nothing.
    let refresh_token = &person.tokens.refresh_token;
    let renewed = world
        .accounts
        .refresh(&nobody(), refresh_token)
        .await
        .unwrap();
    let person = Person {
        ctx: world.ctx_of(&renewed),
        tokens: renewed,
        ..person
    };
    world.is_recent(&person).await.unwrap_err();

    let prove = async |password: &str| {
        let answer = world.accounts.reauthenticate(&person.ctx, password.into());
        answer.await
    };
    let wrong = prove("wrong password").await.unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::InvalidCredentials);
    world.is_recent(&person).await.unwrap_err();
    prove(PASSWORD).await.unwrap();
    world.is_recent(&person).await.unwrap();
    assert_eq!(world.logged("session.reauthenticated").await, 1);
    assert_eq!(world.logged("session.reauthentication_failed").await, 1);

    world.sign_out(&person).await.unwrap();
    let ended = world.is_recent(&person).await.unwrap_err();
    assert_eq!(ended.code(), ErrorCode::SessionEnded);
    let ended = prove(PASSWORD).await.unwrap_err();
    assert_eq!(ended.code(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn five_wrong_proofs_are_the_last_for_a_quarter_of_an_hour() {
    let world = World::with(AuthConfig::default()).await;
    let person = world.person(EMAIL).await;
    let prove = async |password: &str| {
        let answer = world.accounts.reauthenticate(&person.ctx, password.into());
        answer.await.map_err(|error| error.code())
    };
    for _ in 0..5 {
        let wrong = prove("wrong password").await;
        assert_eq!(wrong.unwrap_err(), ErrorCode::InvalidCredentials);
    }
    assert_eq!(prove(PASSWORD).await.unwrap_err(), ErrorCode::RateLimited);
    // Another device of the same person is not held back.
    let other = world.sign_in(EMAIL, PASSWORD).await.unwrap();
    let proved = world.accounts.reauthenticate(&other.ctx, PASSWORD.into());
    proved.await.unwrap();
    world.advance(TimeDelta::minutes(15));
    prove(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn an_account_without_a_password_is_not_proved_by_one() {
    let (world, person) = World::with_person().await;
    world
        .execute("UPDATE auth.users SET password_hash = NULL", &[])
        .await;
    for password in ["", PASSWORD] {
        let answer = world.accounts.reauthenticate(&person.ctx, password.into());
        let refused = answer.await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidCredentials);
    }
}
