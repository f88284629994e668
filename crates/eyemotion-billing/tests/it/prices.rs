//! What actions cost, and when.

use crate::world::{World, as_role, as_user, charge};
use chrono::Duration;
use eyemotion_billing::Billing;
use eyemotion_core::{Clock, Credits, Ctx, UserRole};
use eyemotion_ports::{Charge, CreditLedger, LedgerError};
use futures_util::future::join_all;
use tokio_postgres::error::SqlState;

const GIB: u64 = 1 << 30;

impl World {
    async fn quote(&self, action: &'static str, quantity: u64) -> Result<i64, LedgerError> {
        let ctx = Ctx::system("test");
        let mut tx = self.db.read(&ctx).await?;
        let quote = self.ledger.quote(&mut tx, action, quantity).await?;
        Ok(quote.credits.0)
    }
}

#[tokio::test]
async fn a_price_change_counts_from_its_moment_on() {
    let world = World::new().await;
    assert_eq!(world.quote("file_upload", GIB / 2 + 1).await.unwrap(), 6);
    assert_eq!(world.quote("file_upload", 1).await.unwrap(), 1);
    assert_eq!(world.quote("file_processing", 1).await.unwrap(), 0);
    let error = world.quote("unheard_of", 1).await.unwrap_err();
    assert!(
        matches!(error, LedgerError::Unpriced("unheard_of")),
        "{error:?}"
    );

    let change = world.clock.now() + Duration::days(1);
    let sql = "update action_prices set valid_to = $1::timestamptz where action = 'file_upload'";
    world.superuser.execute(sql, &[&change]).await.unwrap();
    let sql = "insert into action_prices (action, unit, credits_per_unit, min, valid_from)
        values ('file_upload', 'gib', 20, 3, $1::timestamptz)";
    world.superuser.execute(sql, &[&change]).await.unwrap();
    assert_eq!(world.quote("file_upload", GIB).await.unwrap(), 10);
    world.clock.advance(Duration::days(1));
    assert_eq!(world.quote("file_upload", GIB).await.unwrap(), 20);
    assert_eq!(world.quote("file_upload", 1).await.unwrap(), 3);

    let admin = as_role(world.stranger().await, UserRole::Admin);
    let prices = world.billing.action_prices(&admin).await.unwrap();
    let known: Vec<_> = prices
        .iter()
        .map(|price| (price.action.as_str(), price.credits_per_unit.0))
        .collect();
    let all = [
        ("file_processing", 0),
        ("file_upload", 10),
        ("file_upload", 20),
    ];
    assert_eq!(known, all);
    assert!(prices[1].valid_to.is_some() && prices[2].valid_to.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_action_has_two_prices_at_once() {
    let world = World::new().await;
    let racing = join_all((0..8).map(|day| {
        let (db, day) = (world.db.clone(), i64::from(day));
        let from = world.clock.now() + Duration::days(day);
        async move {
            use diesel::sql_types::Timestamptz;
            use diesel_async::RunQueryDsl;
            let mut tx = db.begin(&Ctx::system("test")).await?;
            diesel::sql_query(
                "insert into action_prices (action, unit, credits_per_unit, valid_from, valid_to)
                 values ('export', 'item', 1, $1, $1 + interval '30 days')",
            )
            .bind::<Timestamptz, _>(from)
            .execute(&mut tx)
            .await?;
            tx.commit().await
        }
    }))
    .await;
    let kept = racing.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(kept, 1, "{racing:?}");
    // Side by side they are fine.
    let next = "insert into action_prices (action, unit, credits_per_unit, valid_from)
        select 'export', 'item', 2, valid_to from action_prices where action = 'export'";
    world.superuser.execute(next, &[]).await.unwrap();
    let doubled = world.superuser.execute(next, &[]).await.unwrap_err();
    assert_eq!(doubled.code(), Some(&SqlState::EXCLUSION_VIOLATION));
}

#[tokio::test]
async fn the_books_keep_price_and_quantity() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let quote = world
        .ledger
        .quote(&mut tx, "file_upload", GIB)
        .await
        .unwrap();
    let spend = Charge {
        credits: quote.credits,
        price: Some(quote.price),
        ..charge(user, 1, "k")
    };
    world.ledger.spend(&mut tx, &ctx, spend).await.unwrap();
    tx.commit().await.unwrap();
    let sql = "select count(*) from credit_txns t join action_prices p on p.id = t.price_id
        where t.kind = 'spend' and p.action = 'file_upload' and t.quantity = 1073741824";
    assert_eq!(world.count(sql).await, 1);
    assert_eq!(world.balance(user).await, 90);
    assert_eq!(quote.credits, Credits(10));
}
