//! What operators see of people and do to them.

use crate::world::{PASSWORD, Person, World, nobody};
use chrono::TimeDelta;
use eyemotion_auth::{
    AccountStatus, Accounts, AuthError, NewBan, Part, People, PeopleFilter, PeopleList,
};
use eyemotion_core::{Actor, Clock, Coded, Ctx, ErrorCode, PageRequest, UserId, UserRole};
use uuid::Uuid;

const FIRST: Part = Part::Numbered { page: 1, limit: 20 };

/// Somebody with this role, and a context that says so.
async fn with_role(world: &World, email: &str, role: UserRole) -> Person {
    let person = world.person(email).await;
    let system = Ctx::system("test");
    world.accounts.promote(&system, email, role).await.unwrap();
    as_role(person, role)
}

fn as_role(mut person: Person, role: UserRole) -> Person {
    if let Actor::User { role: said, .. } = &mut person.ctx.actor {
        *said = role;
    }
    person
}

async fn role_of(world: &World, user: UserId) -> String {
    let sql = "SELECT role FROM user_profiles WHERE id = $1";
    let admin = world.database.admin().await;
    admin.query_one(sql, &[&user.0]).await.unwrap().get(0)
}

async fn list(world: &World, ctx: &Ctx, filter: PeopleFilter) -> PeopleList {
    world.accounts.list(ctx, filter, FIRST).await.unwrap()
}

fn emails(list: &PeopleList) -> Vec<&str> {
    let emails = list.people.iter().map(|person| person.email.as_str());
    emails.collect()
}

#[tokio::test]
async fn people_are_found_by_address_name_role_and_status() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    for email in ["a_b@example.com", "axb@example.com"] {
        world.advance(TimeDelta::seconds(1));
        world.person(email).await;
    }
    let everybody = list(&world, &admin.ctx, PeopleFilter::default()).await;
    let all = ["axb@example.com", "a_b@example.com", "admin@example.com"];
    assert_eq!((emails(&everybody), everybody.total), (all.to_vec(), 3));
    assert_eq!(everybody.people[0].plan.as_deref(), Some("freemium"));

    let text = |text: &str| PeopleFilter {
        text: Some(text.to_owned()),
        ..PeopleFilter::default()
    };
    for (wanted, found) in [
        ("A_B", vec!["a_b@example.com"]),
        ("%", vec![]),
        ("@EXAMPLE.com", all.to_vec()),
        ("test us", all.to_vec()),
    ] {
        let list = list(&world, &admin.ctx, text(wanted)).await;
        assert_eq!(emails(&list), found, "{wanted}");
        assert_eq!(list.total, i64::try_from(found.len()).unwrap());
    }
    let of_role = PeopleFilter {
        role: Some(UserRole::Admin),
        ..PeopleFilter::default()
    };
    let admins = list(&world, &admin.ctx, of_role).await;
    assert_eq!(emails(&admins), ["admin@example.com"]);

    world.execute("UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE email = 'axb@example.com'", &[]).await;
    world
        .execute(
            "UPDATE auth.users SET email_confirmed_at = NULL WHERE email = 'a_b@example.com'",
            &[],
        )
        .await;
    for (status, found) in [
        (AccountStatus::Active, vec!["admin@example.com"]),
        (AccountStatus::Banned, vec!["axb@example.com"]),
        (AccountStatus::Unconfirmed, vec!["a_b@example.com"]),
        (AccountStatus::Deleted, vec![]),
    ] {
        let filter = PeopleFilter {
            status: Some(status),
            ..PeopleFilter::default()
        };
        let list = list(&world, &admin.ctx, filter).await;
        assert_eq!(emails(&list), found, "{status:?}");
        assert!(list.people.iter().all(|person| person.status == status));
    }
    world
        .execute(
            "UPDATE auth.users SET deleted_at = now() WHERE email = 'axb@example.com'",
            &[],
        )
        .await;
    assert_eq!(list(&world, &admin.ctx, text("axb")).await.total, 0);
}

#[tokio::test]
async fn pages_by_number_and_by_cursor_are_the_same() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    for n in 0..6 {
        // Two at a time are made in the same moment.
        world.advance(TimeDelta::seconds(n % 2));
        world.person(&format!("p{n}@example.com")).await;
    }
    let part = async |part| {
        let filter = PeopleFilter::default();
        world.accounts.list(&admin.ctx, filter, part).await.unwrap()
    };
    let mut after = None;
    let mut seen = Vec::new();
    for page in 1..=4 {
        let by_number = part(Part::Numbered { page, limit: 2 }).await;
        let by_cursor = part(Part::After(PageRequest { limit: 2, after })).await;
        assert_eq!(by_number.people, by_cursor.people);
        assert_eq!((by_number.total, by_cursor.total), (7, 7));
        assert_eq!(by_number.next, by_cursor.next);
        after = by_cursor.next;
        seen.extend(by_cursor.people);
    }
    assert_eq!((seen.len(), after), (7, None));
}

#[tokio::test]
async fn nobody_but_admins_sees_or_does_anything() {
    let (world, person) = World::with_person().await;
    let other = world.person("other@example.com").await;
    let list = list(&world, &person.ctx, PeopleFilter::default()).await;
    assert_eq!((list.people.len(), list.total), (0, 0));
    for user in [person.id, other.id] {
        let seen = world.accounts.person(&person.ctx, user).await;
        assert_eq!(seen.unwrap_err().code(), ErrorCode::UserNotFound);
    }
    // The context may say what it likes: what counts is the row.
    let pretender = as_role(person, UserRole::SuperAdmin);
    refuses_all(&world, &pretender.ctx, other.id, ErrorCode::Forbidden).await;
    refuses_all(&world, &nobody(), other.id, ErrorCode::Unauthenticated).await;
    assert_eq!(role_of(&world, other.id).await, "user");
    assert_eq!(
        world
            .count("auth.sessions WHERE revoked_at IS NOT NULL")
            .await,
        0
    );
}

async fn refuses_all(world: &World, ctx: &Ctx, user: UserId, code: ErrorCode) {
    let refused = |error: AuthError| assert_eq!(error.code(), code, "{error}");
    let accounts = &world.accounts;
    refused(
        accounts
            .change_role(ctx, user, UserRole::Admin)
            .await
            .unwrap_err(),
    );
    refused(
        accounts
            .ban(ctx, user, NewBan::default())
            .await
            .unwrap_err(),
    );
    refused(accounts.unban(ctx, user).await.unwrap_err());
    refused(People::end_sessions(accounts, ctx, user).await.unwrap_err());
}

#[tokio::test]
async fn who_acts_stands_above() {
    let world = World::new().await;
    let root = with_role(&world, "root@example.com", UserRole::SuperAdmin).await;
    let second = with_role(&world, "second@example.com", UserRole::SuperAdmin).await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let peer = with_role(&world, "peer@example.com", UserRole::Admin).await;
    for above in [peer.id, root.id] {
        refuses_all(&world, &admin.ctx, above, ErrorCode::Forbidden).await;
    }
    let person = world.person("person@example.com").await;
    let raised = world
        .accounts
        .change_role(&admin.ctx, person.id, UserRole::Admin)
        .await;
    assert_eq!(raised.unwrap_err().code(), ErrorCode::Forbidden);
    world
        .accounts
        .ban(&admin.ctx, person.id, NewBan::default())
        .await
        .unwrap();
    world
        .accounts
        .ban(&root.ctx, admin.id, NewBan::default())
        .await
        .unwrap();
    // Banned, an admin is none.
    refuses_all(&world, &admin.ctx, person.id, ErrorCode::Forbidden).await;

    refuses_all(&world, &root.ctx, root.id, ErrorCode::OwnAccount).await;
    let unknown = UserId(Uuid::now_v7());
    refuses_all(&world, &root.ctx, unknown, ErrorCode::UserNotFound).await;
    world
        .accounts
        .change_role(&root.ctx, second.id, UserRole::User)
        .await
        .unwrap();
    refuses_all(&world, &second.ctx, person.id, ErrorCode::Forbidden).await;
    refuses_all(&world, &root.ctx, root.id, ErrorCode::LastSuperAdmin).await;
}

#[tokio::test]
async fn a_change_of_role_is_noted_with_who_did_it() {
    let world = World::new().await;
    let root = with_role(&world, "root@example.com", UserRole::SuperAdmin).await;
    let person = world.person("person@example.com").await;
    let before = world.logged("account.role_changed").await;
    for _ in 0..2 {
        let changed = world
            .accounts
            .change_role(&root.ctx, person.id, UserRole::Admin)
            .await;
        assert_eq!(changed.unwrap().role, UserRole::Admin);
    }
    assert_eq!(
        world.logged("account.role_changed").await,
        before + 1,
        "the second changed nothing"
    );
    let line = format!(
        "activity_logs WHERE user_id = '{}' AND action = 'account.role_changed'
         AND details = '{{\"role\": \"admin\", \"before\": \"user\"}}'",
        person.id
    );
    assert_eq!(world.count(&line).await, 1);
}

#[tokio::test]
async fn a_role_is_changed_by_who_has_just_proved_who_they_are() {
    let world = World::new().await;
    let root = with_role(&world, "root@example.com", UserRole::SuperAdmin).await;
    let person = world.person("person@example.com").await;
    let change = async || {
        let accounts = &world.accounts;
        accounts
            .change_role(&root.ctx, person.id, UserRole::Admin)
            .await
    };
    world.advance(TimeDelta::minutes(11));
    let stale = change().await.unwrap_err();
    assert_eq!(stale.code(), ErrorCode::ReauthenticationNeeded);
    assert_eq!(role_of(&world, person.id).await, "user");
    let accounts = &world.accounts;
    let proved = eyemotion_auth::Sessions::reauthenticate(accounts, &root.ctx, PASSWORD.into());
    proved.await.unwrap();
    assert_eq!(change().await.unwrap().role, UserRole::Admin);
}

#[tokio::test]
async fn a_ban_ends_sessions_and_is_told_to_the_right_password() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let person = world.person("person@example.com").await;
    let until = world.clock.now() + TimeDelta::days(2);
    let ban = NewBan {
        until: Some(until),
        reason: Some("  spam ".to_owned()),
    };
    let banned = world
        .accounts
        .ban(&admin.ctx, person.id, ban)
        .await
        .unwrap();
    assert_eq!(banned.status, AccountStatus::Banned);
    let in_force = banned.ban.unwrap();
    assert_eq!(
        (in_force.until, in_force.reason.as_deref()),
        (Some(until), Some("spam"))
    );
    let refreshed = world
        .accounts
        .refresh(&nobody(), &person.tokens.refresh_token)
        .await;
    assert_eq!(
        refreshed.unwrap_err().code(),
        ErrorCode::RefreshTokenInvalid
    );
    let ended = world.admitted(&person).await.unwrap_err();
    assert_eq!(ended.code(), ErrorCode::SessionEnded);
    assert_eq!(
        sign_in(&world, PASSWORD).await,
        Err(ErrorCode::AccountBanned)
    );
    assert_eq!(
        sign_in(&world, "wrong password").await,
        Err(ErrorCode::InvalidCredentials)
    );
}

#[tokio::test]
async fn a_ban_ends_by_itself_or_is_lifted() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let person = world.person("person@example.com").await;
    let ban = NewBan {
        until: Some(world.clock.now() + TimeDelta::days(2)),
        reason: None,
    };
    world
        .accounts
        .ban(&admin.ctx, person.id, ban)
        .await
        .unwrap();
    world.advance(TimeDelta::days(2));
    assert_eq!(sign_in(&world, PASSWORD).await, Ok(()), "it ends by itself");
    let for_good = world
        .accounts
        .ban(&admin.ctx, person.id, NewBan::default())
        .await
        .unwrap();
    assert_eq!(for_good.ban.unwrap().until, None);
    world.advance(TimeDelta::days(36_500));
    assert_eq!(
        sign_in(&world, PASSWORD).await,
        Err(ErrorCode::AccountBanned)
    );
    let free = world.accounts.unban(&admin.ctx, person.id).await.unwrap();
    assert_eq!((free.status, free.ban), (AccountStatus::Active, None));
    assert_eq!(sign_in(&world, PASSWORD).await, Ok(()));
    world.accounts.unban(&admin.ctx, person.id).await.unwrap();
    assert_eq!(world.logged("account.banned").await, 2);
    assert_eq!(world.logged("account.unbanned").await, 1);
}

async fn sign_in(world: &World, password: &str) -> Result<(), ErrorCode> {
    // On the heap: a test's thread has a small stack, and a debug build large futures.
    let signed_in = Box::pin(world.sign_in("person@example.com", password)).await;
    signed_in.map(|_| ()).map_err(|error| error.code())
}

#[tokio::test]
async fn a_ban_that_was_set_by_hand_ends_on_a_day_that_everybody_knows() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let person = world.person("person@example.com").await;
    for end in ["infinity", "250000-01-01"] {
        let ban = format!("UPDATE auth.users SET banned_until = '{end}' WHERE id = $1");
        world.execute(&ban, &[&person.id.0]).await;
        let refused = world.sign_in("person@example.com", PASSWORD).await;
        assert_eq!(
            refused.err().unwrap().code(),
            ErrorCode::AccountBanned,
            "{end}"
        );
        let detail = world.accounts.person(&admin.ctx, person.id).await.unwrap();
        assert_eq!(detail.person.status, AccountStatus::Banned);
        assert_eq!(detail.person.ban.unwrap().until, None, "for good");
    }
    let lifted = "UPDATE auth.users SET banned_until = '-infinity' WHERE id = $1";
    world.execute(lifted, &[&person.id.0]).await;
    world.sign_in("person@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_ban_lies_in_the_future_and_has_a_short_reason() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let person = world.person("person@example.com").await;
    let past = NewBan {
        until: Some(world.clock.now()),
        reason: None,
    };
    let long = NewBan {
        until: None,
        reason: Some("x".repeat(501)),
    };
    for (ban, pointer) in [(past, "/until"), (long, "/reason")] {
        let refused = world.accounts.ban(&admin.ctx, person.id, ban).await;
        let faults = refused.unwrap_err().field_errors();
        assert_eq!(faults[0].pointer, pointer);
    }
    assert_eq!(world.logged("account.banned").await, 0);
}

#[tokio::test]
async fn an_operator_ends_somebodys_sessions() {
    let world = World::new().await;
    let admin = with_role(&world, "admin@example.com", UserRole::Admin).await;
    let person = world.person("person@example.com").await;
    world.sign_in("person@example.com", PASSWORD).await.unwrap();
    let seen = world.accounts.person(&admin.ctx, person.id).await.unwrap();
    assert_eq!(seen.sessions, 2);
    assert_eq!(seen.account.email, "person@example.com");
    assert!(seen.account.subscription.is_some());
    let ended = People::end_sessions(&world.accounts, &admin.ctx, person.id).await;
    assert_eq!(ended.unwrap(), 2);
    let seen = world.accounts.person(&admin.ctx, person.id).await.unwrap();
    assert_eq!(seen.sessions, 0);
    assert_eq!(sign_in(&world, PASSWORD).await, Ok(()));
}

#[tokio::test]
async fn the_command_line_keeps_the_last_super_admin_too() {
    let world = World::new().await;
    let root = with_role(&world, "root@example.com", UserRole::SuperAdmin).await;
    let system = Ctx::system("cli");
    let demoted = world
        .accounts
        .promote(&system, "root@example.com", UserRole::Admin)
        .await;
    assert_eq!(demoted.unwrap_err().code(), ErrorCode::LastSuperAdmin);
    assert_eq!(role_of(&world, root.id).await, "super_admin");
    with_role(&world, "second@example.com", UserRole::SuperAdmin).await;
    world
        .accounts
        .promote(&system, "root@example.com", UserRole::Admin)
        .await
        .unwrap();
    assert_eq!(role_of(&world, root.id).await, "admin");
}

/// Each round two super_admins take each other's role, or ban each other, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_demote_each_other_one_stays() {
    let world = World::new().await;
    let system = Ctx::system("test");
    let mut pair = Vec::new();
    for email in ["a@example.com", "b@example.com"] {
        pair.push(with_role(&world, email, UserRole::SuperAdmin).await);
    }
    let [a, b] = pair.as_slice() else {
        unreachable!()
    };
    for round in 0..10 {
        let accounts = &world.accounts;
        let (first, second) = if round % 2 == 0 {
            tokio::join!(
                accounts.change_role(&a.ctx, b.id, UserRole::User),
                accounts.change_role(&b.ctx, a.id, UserRole::User),
            )
        } else {
            tokio::join!(
                accounts.ban(&a.ctx, b.id, NewBan::default()),
                accounts.ban(&b.ctx, a.id, NewBan::default()),
            )
        };
        let [lost] = [&first, &second]
            .into_iter()
            .filter_map(|done| done.as_ref().err())
            .map(Coded::code)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        assert_eq!(lost, ErrorCode::Forbidden, "the other was faster");
        let left = "user_profiles p JOIN auth.users u USING (id)
                    WHERE p.role = 'super_admin' AND u.banned_until IS NULL";
        assert_eq!(world.count(left).await, 1);
        for lifted in [
            "UPDATE auth.users SET banned_until = NULL",
            "UPDATE auth.sessions SET revoked_at = NULL, revoked_reason = NULL",
        ] {
            world.execute(lifted, &[]).await;
        }
        for email in ["a@example.com", "b@example.com"] {
            accounts
                .promote(&system, email, UserRole::SuperAdmin)
                .await
                .unwrap();
        }
    }
}
