//! The last super_admin, attacked below all of our code: two transactions at once.

use crate::session::{ALICE, BOB, Caller, Session};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::error::SqlState;

const BLOCKED: &str = "select 'blocked' from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'";

/// Alice and Bob, both super_admins, and a session of the platform.
async fn two(database: &TestDatabase) -> Session {
    let session = Session::new(database.admin().await);
    session.act(Caller::System).await;
    for id in [ALICE, BOB] {
        session
            .run(&format!(
                "insert into auth.users (id, email) values ('{id}', '{id}@example.com');
                 insert into public.user_profiles (id, full_name, role) values ('{id}', 'x', 'super_admin')"
            ))
            .await;
    }
    session
}

/// How the last one could go.
fn ways(id: &str) -> [String; 5] {
    [
        format!("update public.user_profiles set role = 'admin' where id = '{id}'"),
        format!("update auth.users set banned_until = 'infinity' where id = '{id}'"),
        format!("update auth.users set deleted_at = now() where id = '{id}'"),
        format!("delete from public.user_profiles where id = '{id}'"),
        format!("delete from auth.users where id = '{id}'"),
    ]
}

#[tokio::test]
async fn the_last_one_cannot_go_in_any_way() {
    let database = TestDatabase::new().await;
    let session = two(&database).await;
    // Acting for somebody, the platform sees that person only, and is still told the truth.
    for caller in [Caller::System, Caller::For(BOB)] {
        for way in ways(BOB) {
            session.act(caller).await;
            session.run(&format!("begin; {way}; rollback")).await;
            session.act(Caller::System).await;
            let gone = &ways(ALICE)[0];
            session.run(gone).await;
            session.act(caller).await;
            assert_eq!(
                session.refused(&way).await,
                SqlState::CHECK_VIOLATION,
                "{caller:?} {way}"
            );
            session.act(Caller::System).await;
            session
                .run(&format!(
                    "update public.user_profiles set role = 'super_admin' where id = '{ALICE}'"
                ))
                .await;
        }
    }
    // What is not about being one is not in the way.
    session.run(&ways(ALICE)[0]).await;
    session
        .run(&format!(
            "update auth.users set banned_until = now() where id = '{ALICE}'"
        ))
        .await;
    session
        .run(&format!(
            "update public.user_profiles set full_name = 'y' where id = '{BOB}'"
        ))
        .await;
}

#[tokio::test]
async fn a_context_is_put_back_after_the_question() {
    let database = TestDatabase::new().await;
    let session = two(&database).await;
    session.act(Caller::For(BOB)).await;
    let seen = format!("{}; select 1 from auth.users", ways(BOB)[0]);
    session.run(&format!("begin; {seen}")).await;
    let ids = session.texts("select id::text from auth.users").await;
    assert_eq!(ids, [BOB]);
    assert_eq!(session.texts("select auth.uid()::text").await, [BOB]);
    session.run("rollback").await;
}

#[tokio::test]
async fn of_two_at_once_one_is_refused() {
    let database = TestDatabase::new().await;
    let watcher = two(&database).await;
    watcher.act(Caller::Owner).await;
    for (first, second) in ways(ALICE).iter().zip(ways(BOB)) {
        let slow = Session::new(database.admin().await);
        let fast = Session::new(database.admin().await);
        slow.act(Caller::System).await;
        fast.act(Caller::System).await;
        fast.run(&format!("begin; {first}")).await;
        let refused = tokio::join!(slow.refused(&second), async {
            while watcher.texts(BLOCKED).await.is_empty() {
                tokio::task::yield_now().await;
            }
            fast.run("commit").await;
        });
        assert_eq!(refused.0, SqlState::CHECK_VIOLATION, "{second}");
        watcher.act(Caller::System).await;
        watcher
            .run(&format!(
                "insert into auth.users (id, email) values ('{ALICE}', '{ALICE}@example.com') on conflict (id)
                    do update set banned_until = null, deleted_at = null;
                 insert into public.user_profiles (id, full_name, role) values ('{ALICE}', 'x', 'super_admin')
                    on conflict (id) do update set role = 'super_admin'"
            ))
            .await;
        watcher.act(Caller::Owner).await;
    }
}
