use crate::world::{World, as_user, charge};
use eyemotion_core::UserId;
use eyemotion_ports::CreditLedger;
use tokio_postgres::error::SqlState;

const BOOKS: [&str; 3] = ["credit_txns", "credit_entries", "credit_lot_moves"];

/// Runs a statement in a role's context and gives its fate.
async fn attempt(world: &World, role: &str, sub: &str, sql: &str) -> Result<u64, SqlState> {
    let setup = format!(
        "begin; set local role {role};
         select set_config('request.jwt.claim.role', '{role}', true),
                set_config('request.jwt.claim.sub', '{sub}', true)"
    );
    world.superuser.batch_execute(&setup).await.unwrap();
    let outcome = world.superuser.execute(sql, &[]).await;
    world.superuser.batch_execute("rollback").await.unwrap();
    outcome.map_err(|error| error.code().unwrap().clone())
}

async fn person_with_history(world: &World) -> UserId {
    let user = world.buyer(10).await;
    world.spend(charge(user, 3, "k")).await.unwrap();
    user
}

#[tokio::test]
async fn the_books_cannot_be_changed_by_anybody() {
    let world = World::new().await;
    let user = person_with_history(&world).await.to_string();
    for table in BOOKS {
        for sql in [
            format!("update {table} set user_id = user_id"),
            format!("delete from {table}"),
        ] {
            for (role, sub) in [
                ("service_role", ""),
                ("service_role", &user),
                ("authenticated", &user),
                ("anon", ""),
            ] {
                let outcome = attempt(&world, role, sub, &sql).await;
                assert_eq!(
                    outcome,
                    Err(SqlState::INSUFFICIENT_PRIVILEGE),
                    "{role}: {sql}"
                );
            }
            // Not even past every policy and grant.
            let outcome = world.superuser.execute(&sql, &[]).await.unwrap_err();
            assert_eq!(outcome.code(), Some(&SqlState::RESTRICT_VIOLATION), "{sql}");
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn people_cannot_give_themselves_credits() {
    let world = World::new().await;
    let user = person_with_history(&world).await.to_string();
    for sql in [
        "update credit_wallets set posted = 1000".to_owned(),
        "update credit_lots set remaining = granted".to_owned(),
        format!("insert into credit_wallets (user_id, posted) values ('{user}', 5)"),
        format!(
            "insert into credit_lots (user_id, kind, granted, remaining, source_type, source_id)
             values ('{user}', 'bonus', 5, 5, 'me', 'me')"
        ),
    ] {
        let outcome = attempt(&world, "authenticated", &user, &sql).await;
        assert_eq!(outcome, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_balance_is_refused_at_commit() {
    let world = World::new().await;
    let user = person_with_history(&world).await;
    let lopsided = format!(
        "begin;
         with txn as (
             insert into credit_txns (user_id, kind, idem_key, request_hash, reason, actor)
             values ('{user}', 'grant', 'x', sha256('x'), 'x', 'x') returning id
         )
         insert into credit_entries (txn_id, seq, user_id, account, amount)
         select id, 1, '{user}', 'system:issued', -5 from txn;
         commit"
    );
    let error = world.superuser.batch_execute(&lopsided).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION));
    world.superuser.batch_execute("rollback").await.unwrap();
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_sees_anothers_balance() {
    let world = World::new().await;
    let (user, other) = (world.buyer(10).await, world.buyer(20).await);
    let mut tx = world.db.read(&as_user(user)).await.unwrap();
    assert_eq!(world.ledger.balance(&mut tx, other).await.unwrap().0, 0);
}
