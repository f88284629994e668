use crate::world::{World, as_user, charge, purchase};
use eyemotion_core::{Credits, Ctx};
use eyemotion_ports::{CreditLedger, LedgerError};
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_cannot_overdraw_one_wallet() {
    let world = World::new().await;
    let user = world.stranger().await;
    // Several lots, so that a charge has to take from more than one.
    for source in 0..10 {
        world
            .grant(purchase(user, 10, &format!("lot {source}")))
            .await
            .unwrap();
    }
    let outcomes = join_all((0..64).map(|task| world.spend(charge(user, 7, task)))).await;

    let mut balances = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(balance) => balances.push(balance.0),
            Err(LedgerError::Insufficient { needed, available }) => {
                assert_eq!((needed, available), (Credits(7), Credits(2)));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    balances.sort_unstable();
    let expected: Vec<i64> = (0..14).map(|n| 2 + 7 * n).collect();
    assert_eq!(
        balances, expected,
        "floor(100 / 7) succeed, each with a balance of its own"
    );
    assert_eq!(world.balance(user).await, 2);
    assert_eq!(
        world
            .count("select count(*) from credit_txns where kind = 'spend'")
            .await,
        14
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_charges_once_however_often_it_comes() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    let outcomes = join_all((0..20).map(|_| world.spend(charge(user, 30, "k")))).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), Credits(70));
    }
    assert_eq!(world.balance(user).await, 70);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_source_grants_once_however_often_it_comes() {
    let world = World::new().await;
    let user = world.stranger().await;
    let outcomes = join_all((0..20).map(|_| world.grant(purchase(user, 50, "order 1")))).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), Credits(50));
    }
    assert_eq!(world.balance(user).await, 50);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_source_grants_to_one_person() {
    let world = World::new().await;
    let people = join_all((0..8).map(|_| world.stranger())).await;
    let outcomes = join_all(
        people
            .iter()
            .map(|user| world.grant(purchase(*user, 5, "shared"))),
    )
    .await;
    let granted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(granted, 1);
    for outcome in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(outcome, LedgerError::KeyReused), "{outcome:?}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_person_in_the_middle_of_a_charge_blocks_nobody_else() {
    let world = World::new().await;
    let (slow, fast) = (world.buyer(10).await, world.buyer(10).await);
    let ctx = as_user(slow);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    world
        .ledger
        .spend(&mut tx, &ctx, charge(slow, 1, "slow"))
        .await
        .unwrap();

    // Would fail with a lock time-out if it had to wait for the open transaction.
    assert_eq!(
        world.spend(charge(fast, 1, "fast")).await.unwrap(),
        Credits(9)
    );
    assert_eq!(
        world.grant(purchase(fast, 5, "more")).await.unwrap(),
        Credits(14)
    );

    tx.commit().await.unwrap();
    assert_eq!(world.balance(slow).await, 9);
}

#[tokio::test]
async fn a_charge_that_is_rolled_back_leaves_nothing() {
    let world = World::new().await;
    let user = world.buyer(10).await;
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    world
        .ledger
        .spend(&mut tx, &ctx, charge(user, 4, "k"))
        .await
        .unwrap();
    drop(tx);
    // Waits for the lock until the rollback has arrived.
    assert_eq!(world.spend(charge(user, 4, "k")).await.unwrap(), Credits(6));
    assert_eq!(
        world
            .count("select count(*) from credit_txns where kind = 'spend'")
            .await,
        1
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn a_transaction_goes_on_after_a_refusal_and_keeps_no_trace_of_it() {
    let world = World::new().await;
    let user = world.buyer(10).await;
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let refused = world
        .ledger
        .spend(&mut tx, &ctx, charge(user, 11, "k"))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        LedgerError::Insufficient {
            needed: Credits(11),
            available: Credits(10)
        }
    ));
    // The key was not used up either.
    let balance = world
        .ledger
        .spend(&mut tx, &ctx, charge(user, 10, "k"))
        .await
        .unwrap();
    assert_eq!(balance, Credits(0));
    tx.commit().await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from credit_txns where kind = 'spend'")
            .await,
        1
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_can_be_charged_in_somebody_elses_transaction() {
    let world = World::new().await;
    let (user, other) = (world.buyer(10).await, world.buyer(10).await);
    let ctx: Ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let refused = world
        .ledger
        .spend(&mut tx, &ctx, charge(other, 1, "k"))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        LedgerError::Insufficient {
            available: Credits(0),
            ..
        }
    ));
    drop(tx);
    assert_eq!(world.balance(other).await, 10);
}
