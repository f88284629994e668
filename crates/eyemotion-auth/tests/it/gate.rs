//! Whom the gate lets in, with nothing kept in memory: asked before the work, or with what is read.

use crate::world::{EMAIL, PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{AccountOverview, Accounts, AuthError, ProfileUpdate, SessionGate};
use eyemotion_core::{Actor, Clock, Coded, Ctx, ErrorCode, UserRole};

impl World {
    async fn kept_out(&self, person: &Person) -> ErrorCode {
        let code = self.admitted(person).await.unwrap_err().code();
        assert_eq!(self.reads(person).await.unwrap_err().code(), code);
        code
    }

    async fn let_in(&self, person: &Person) {
        self.admitted(person).await.unwrap();
        self.reads(person).await.unwrap();
    }

    /// Nobody has looked at the session, but the database will.
    async fn unproven(&self, person: &Person) -> Result<Ctx, AuthError> {
        let token = &person.tokens.access_token;
        let (actor, unproven_at) = self.accounts.admit_reader(&nobody(), token).await?;
        assert!(unproven_at.is_some());
        Ok(Ctx {
            actor,
            unproven_at,
            ..nobody()
        })
    }

    async fn reads(&self, person: &Person) -> Result<AccountOverview, AuthError> {
        self.accounts.me(&self.unproven(person).await?).await
    }

    async fn role(&self, person: &Person) -> Result<UserRole, AuthError> {
        let token = &person.tokens.access_token;
        let admitted = self.accounts.admit(&nobody(), token).await?;
        let Actor::User { role, .. } = admitted else {
            unreachable!("a person's token is a person's: {admitted:?}")
        };
        Ok(role)
    }
}

#[tokio::test]
async fn a_session_is_good_for_its_own_person_only() {
    let (world, person) = World::with_person().await;
    world.let_in(&person).await;
    let other = world.person("other@example.com").await;
    let give_away = "UPDATE auth.sessions SET user_id = $2 WHERE id = $1";
    world
        .execute(give_away, &[&person.session(), &other.id.0])
        .await;
    assert_eq!(world.kept_out(&person).await, ErrorCode::SessionEnded);
    world
        .execute(
            "DELETE FROM auth.sessions WHERE id = $1",
            &[&other.session()],
        )
        .await;
    assert_eq!(world.kept_out(&other).await, ErrorCode::SessionEnded);
}

#[tokio::test]
async fn a_session_ends_at_its_time_and_a_ban_too() {
    let (world, person) = World::with_person().await;
    let ends_at = world.clock.now() + TimeDelta::seconds(60);
    for column in ["expires_at", "idle_expires_at"] {
        let second = world.sign_in(EMAIL, PASSWORD).await.unwrap();
        let sql = format!("UPDATE auth.sessions SET {column} = '{ends_at}' WHERE id = $1");
        world.execute(&sql, &[&second.session()]).await;
        world.let_in(&second).await;
    }
    let ban = format!("UPDATE auth.users SET banned_until = '{ends_at}'");
    world.execute(&ban, &[]).await;
    assert_eq!(world.kept_out(&person).await, ErrorCode::SessionEnded);
    world.advance(TimeDelta::seconds(60));
    world.let_in(&person).await;
    world
        .execute("UPDATE auth.users SET deleted_at = now()", &[])
        .await;
    assert_eq!(world.kept_out(&person).await, ErrorCode::SessionEnded);
}

#[tokio::test]
async fn the_role_is_the_present_one() {
    let (world, person) = World::with_person().await;
    assert_eq!(world.role(&person).await.unwrap(), UserRole::User);
    let raise = "UPDATE user_profiles SET role = 'super_admin'";
    world.execute(raise, &[]).await;
    assert_eq!(world.role(&person).await.unwrap(), UserRole::SuperAdmin);
    // The database reads the role in the context, so the token's would be the wrong one.
    let refused = world.reads(&person).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn whoever_is_about_to_leave_reads_nothing_unseen() {
    let (world, person) = World::with_person().await;
    world.let_in(&person).await;
    let leave = "INSERT INTO auth.account_deletions (user_id, id_hash, due_at) \
                 SELECT id, sha256('x'), now() + interval '7 days' FROM auth.users";
    world.execute(leave, &[]).await;
    assert!(matches!(
        world.admitted(&person).await,
        Err(AuthError::Leaving(_))
    ));
    let refused = world.reads(&person).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn nothing_is_written_for_somebody_unseen() {
    let (world, person) = World::with_person().await;
    let ctx = world.unproven(&person).await.unwrap();
    let update = ProfileUpdate::default();
    let refused = world.accounts.update_profile(&ctx, update, None).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_without_a_query() {
    let (world, person) = World::with_person().await;
    let broken = format!("{}x", person.tokens.access_token);
    for bad in ["", "x", &broken, &person.tokens.refresh_token] {
        let refused = world.accounts.admit(&nobody(), bad).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::TokenInvalid, "{bad}");
    }
    world.advance(TimeDelta::minutes(11));
    assert_eq!(world.kept_out(&person).await, ErrorCode::TokenExpired);
}
