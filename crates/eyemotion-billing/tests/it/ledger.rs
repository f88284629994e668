use crate::world::{World, charge, purchase};
use chrono::Duration;
use eyemotion_core::{Coded, Credits, ErrorCode};
use eyemotion_ports::{Charge, CreditKind, Grant, LedgerError};
use serde_json::json;

#[tokio::test]
async fn a_repeated_key_tells_what_the_first_one_led_to() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    assert_eq!(
        world.spend(charge(user, 30, "a")).await.unwrap(),
        Credits(70)
    );
    assert_eq!(
        world.spend(charge(user, 50, "b")).await.unwrap(),
        Credits(20)
    );
    assert_eq!(
        world.spend(charge(user, 30, "a")).await.unwrap(),
        Credits(70)
    );
    assert_eq!(world.balance(user).await, 20);

    for other in [
        charge(user, 31, "a"),
        Charge {
            action: "export",
            ..charge(user, 30, "a")
        },
        Charge {
            resource_id: "b".to_owned(),
            ..charge(user, 30, "a")
        },
    ] {
        let error = world.spend(other).await.unwrap_err();
        assert!(matches!(error, LedgerError::KeyReused), "{error:?}");
    }
    let error = world
        .grant(purchase(user, 101, &user.to_string()))
        .await
        .unwrap_err();
    assert!(matches!(error, LedgerError::KeyReused), "{error:?}");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_the_persons_own() {
    let world = World::new().await;
    let (first, second) = (world.buyer(10).await, world.buyer(20).await);
    assert_eq!(
        world.spend(charge(first, 1, "k")).await.unwrap(),
        Credits(9)
    );
    assert_eq!(
        world.spend(charge(second, 1, "k")).await.unwrap(),
        Credits(19)
    );
}

#[tokio::test]
async fn a_refusal_has_the_numbers() {
    let world = World::new().await;
    let user = world.buyer(3).await;
    let error = world.spend(charge(user, 5, "k")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    assert_eq!(
        json!(error.members()),
        json!({ "creditsNeeded": 5, "creditsAvailable": 3 })
    );

    let nobody = world.stranger().await;
    let error = world.spend(charge(nobody, 5, "k")).await.unwrap_err();
    assert_eq!(
        json!(error.members()),
        json!({ "creditsNeeded": 5, "creditsAvailable": 0 })
    );
    assert_eq!(world.balance(nobody).await, 0);
}

#[tokio::test]
async fn only_more_than_none_can_be_moved() {
    let world = World::new().await;
    let user = world.buyer(10).await;
    for amount in [0, -1, i64::MIN] {
        assert!(world.spend(charge(user, amount, "k")).await.is_err());
        assert!(world.grant(purchase(user, amount, "s")).await.is_err());
    }
    let error = world.spend(charge(user, i64::MAX, "k")).await.unwrap_err();
    assert!(matches!(
        error,
        LedgerError::Insufficient {
            available: Credits(10),
            ..
        }
    ));
    assert!(
        world.grant(purchase(user, i64::MAX, "s")).await.is_err(),
        "an overflow"
    );
    assert_eq!(world.balance(user).await, 10);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_expires_first_is_spent_first_and_never_after_its_time() {
    let world = World::new().await;
    // 100 included until the end of the month, then what was bought and given.
    let user = world.registered().await;
    world.grant(purchase(user, 40, "bought")).await.unwrap();
    let gift = Grant {
        kind: CreditKind::Adjustment,
        ..purchase(user, 20, "given")
    };
    assert_eq!(world.grant(gift).await.unwrap(), Credits(160));

    assert_eq!(
        world.spend(charge(user, 30, 1)).await.unwrap(),
        Credits(130)
    );
    assert_eq!(
        left(&world).await,
        "adjustment 20, included 70, purchased 40"
    );
    assert_eq!(world.spend(charge(user, 75, 2)).await.unwrap(), Credits(55));
    assert_eq!(
        left(&world).await,
        "adjustment 15, included 0, purchased 40"
    );
    assert_eq!(world.spend(charge(user, 16, 3)).await.unwrap(), Credits(39));
    assert_eq!(left(&world).await, "adjustment 0, included 0, purchased 39");

    let second = world.registered().await;
    world.grant(purchase(second, 5, "second")).await.unwrap();
    world.clock.advance(Duration::days(32));
    // No job has run: the included ones are gone all the same.
    assert_eq!(world.balance(second).await, 5);
    assert_eq!(world.spend(charge(second, 1, 1)).await.unwrap(), Credits(4));
    let expired = "select sum(amount)::bigint from credit_entries where account = 'system:expired'";
    assert_eq!(world.count(expired).await, 100);
    world.assert_sound().await;
}

async fn left(world: &World) -> String {
    let sql = "select string_agg(kind || ' ' || remaining, ', ' order by kind) from credit_lots";
    world.superuser.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_books_say_who_did_what_to_which() {
    let world = World::new().await;
    let user = world.registered().await;
    world.spend(charge(user, 10, "k")).await.unwrap();
    let row = world
        .superuser
        .query_one(
            "select actor, reason, ref_type, ref_id, subscription_id is not null, details
             from credit_txns where kind = 'spend'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), format!("user:{user}"));
    assert_eq!(row.get::<_, String>(1), "file_upload");
    assert_eq!(
        (row.get::<_, String>(2), row.get::<_, String>(3)),
        ("file".into(), "a".into())
    );
    assert!(row.get::<_, bool>(4), "the subscription of that time");
    let entries =
        "select string_agg(account || ' ' || amount, ', ' order by seq) from credit_entries e
        join credit_txns t on t.id = e.txn_id where t.kind = 'spend'";
    let entries: String = world
        .superuser
        .query_one(entries, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(
        entries,
        format!("user:{user}:available -10, system:consumed 10")
    );
}
