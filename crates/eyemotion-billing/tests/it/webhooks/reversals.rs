//! Money that goes back, from Stripe's event to the balance.

use super::shop::{Buyer, Shop};
use crate::world::charge;
use eyemotion_billing::reversal_target;
use eyemotion_core::Credits;

async fn purchased(shop: &Shop, buyer: &Buyer) -> (i64, i64) {
    let query = "select (posted - frozen - (select coalesce(sum(remaining), 0)::bigint from credit_lots
        where user_id = $1 and kind = 'included'))::bigint, debt from credit_wallets where user_id = $1";
    let superuser = &shop.world.superuser;
    let row = superuser.query_one(query, &[&buyer.user.0]).await.unwrap();
    (row.get(0), row.get(1))
}

/// What the balance is after so much was spent of 1000 credits and so much of 50000 satang went
/// back: what is left, or what is owed.
fn expected(spent: i64, reversed: i64) -> (i64, i64) {
    let taken = reversal_target(Credits(1000), reversed, 50_000).0;
    let left = 1000 - spent - taken;
    (left.max(0), (-left).max(0))
}

/// Refund x dispute x spent share, each decided either way.
#[tokio::test]
async fn what_goes_back_takes_its_share_of_the_credits() {
    let shop = Shop::open().await;
    for spent in [0, 400, 1000] {
        for refunded in [0, 12_345, 30_000] {
            for disputed in [None, Some(false), Some(true)] {
                let buyer = shop.buyer().await;
                let (_, paid) = shop.buy(&buyer, 1000).await;
                shop.deliver().await;
                // The free plan's credits are spent first.
                let cost = 100 + spent;
                shop.world
                    .spend(charge(buyer.user, cost, "spent"))
                    .await
                    .unwrap();
                let mut gone = refunded;
                if refunded > 0 {
                    shop.fake.refund(&paid, Some(refunded)).unwrap();
                    shop.deliver().await;
                }
                let case = format!("spent {spent}, refunded {refunded}, won {disputed:?}");
                assert_eq!(
                    purchased(&shop, &buyer).await,
                    expected(spent, gone),
                    "{case}"
                );
                if let Some(won) = disputed {
                    let dispute = shop.fake.dispute(&paid, Some(20_000)).unwrap();
                    shop.deliver().await;
                    // Open, the money is gone and nothing of the rest can be spent.
                    let (left, debt) = purchased(&shop, &buyer).await;
                    assert_eq!(
                        (left, debt),
                        (0, expected(spent, gone + 20_000).1),
                        "{case}"
                    );
                    let id = dispute["id"].as_str().unwrap();
                    shop.fake.close_dispute(id, won).unwrap();
                    shop.deliver().await;
                    gone += if won { 0 } else { 20_000 };
                    assert_eq!(
                        purchased(&shop, &buyer).await,
                        expected(spent, gone),
                        "{case}"
                    );
                }
                let query = "select refunded_amount, disputed_amount from payment_transactions
                    where user_id = $1 and transaction_type <> 'refund'";
                let superuser = &shop.world.superuser;
                let row = superuser.query_one(query, &[&buyer.user.0]).await.unwrap();
                let noted = (row.get::<_, i64>(0), row.get::<_, i64>(1));
                assert_eq!(noted, (refunded, gone - refunded), "{case}");
            }
        }
    }
    shop.world.assert_sound().await;
    shop.close().await;
}

#[tokio::test]
async fn a_refund_that_fails_gives_back() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let (_, paid) = shop.buy(&buyer, 1000).await;
    shop.deliver().await;
    let refund = shop.fake.refund(&paid, None).unwrap();
    shop.deliver().await;
    assert_eq!(purchased(&shop, &buyer).await, (0, 0));
    let refunded = "select count(*) from payment_transactions where status = 'refunded'";
    assert_eq!(shop.world.count(refunded).await, 1);
    shop.fake
        .fail_refund(refund["id"].as_str().unwrap())
        .unwrap();
    shop.deliver().await;
    assert_eq!(purchased(&shop, &buyer).await, (1000, 0));
    assert_eq!(shop.world.count(refunded).await, 0);
    shop.world.assert_sound().await;
    shop.close().await;
}

#[tokio::test]
async fn a_fraud_warning_freezes_until_it_is_settled() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let (_, paid) = shop.buy(&buyer, 1000).await;
    shop.deliver().await;
    shop.fake.early_fraud_warning(&paid).unwrap();
    shop.deliver().await;
    assert_eq!(purchased(&shop, &buyer).await.0, 0);
    assert_eq!(
        shop.world
            .count("select count(*) from fraud_warnings where open")
            .await,
        1
    );
    // A full refund settles it.
    shop.fake.refund(&paid, None).unwrap();
    shop.deliver().await;
    shop.reconcile(eyemotion_billing::ReconcileScope::Recent)
        .await;
    assert_eq!(
        shop.world
            .count("select count(*) from fraud_warnings where open")
            .await,
        0
    );
    assert_eq!(
        shop.world.count("select frozen from credit_wallets").await,
        0
    );
    shop.world.assert_sound().await;
    shop.close().await;
}

/// A refunded period takes back the period's credits.
#[tokio::test]
async fn a_refunded_subscription_loses_its_credits() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.subscribe(&buyer, "pro").await;
    shop.deliver().await;
    let charge = shop.fake.objects("charge");
    shop.fake
        .refund(charge[0]["id"].as_str().unwrap(), None)
        .unwrap();
    shop.deliver().await;
    assert_eq!(shop.world.balance(buyer.user).await, 0);
    shop.world.assert_sound().await;
    shop.close().await;
}
