//! Whom the gate lets in, with nothing kept in memory.

use crate::world::{EMAIL, PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{AuthError, SessionGate};
use eyemotion_core::{Actor, Clock, Coded, ErrorCode, UserRole};

impl World {
    async fn kept_out(&self, person: &Person) -> ErrorCode {
        self.admitted(person).await.unwrap_err().code()
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
    world.admitted(&person).await.unwrap();
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
        world.admitted(&second).await.unwrap();
    }
    let ban = format!("UPDATE auth.users SET banned_until = '{ends_at}'");
    world.execute(&ban, &[]).await;
    assert_eq!(world.kept_out(&person).await, ErrorCode::SessionEnded);
    world.advance(TimeDelta::seconds(60));
    world.admitted(&person).await.unwrap();
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
