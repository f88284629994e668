use crate::world::{World, as_role, as_user, charge, purchase};
use chrono::Duration;
use eyemotion_billing::{Billing, BillingError, CreditGrant, CreditsOverview, SubscriptionStatus};
use eyemotion_core::{
    Actor, Clock, Coded, Credits, Ctx, ErrorCode, IdempotencyKey, PageRequest, UserId, UserRole,
};

fn anonymous() -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        ..Ctx::system("")
    }
}

#[tokio::test]
async fn anybody_sees_the_plans_on_sale() {
    let world = World::new().await;
    let user = world.registered().await;
    world
        .superuser
        .execute(
            "update subscription_plans set is_active = false where name = 'pro'",
            &[],
        )
        .await
        .unwrap();
    for ctx in [anonymous(), as_user(user)] {
        let plans = world.billing.plans(&ctx).await.unwrap();
        let names: Vec<_> = plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["freemium", "creator", "studio"]);
        assert_eq!(plans[1].price.amount, 29900);
        assert_eq!(plans[1].storage_bytes(), 5 << 30);
        assert_eq!(
            plans[0].features,
            ["basic_editing", "watermark", "limited_exports"]
        );
    }
}

#[tokio::test]
async fn subscription_and_credits_tell_the_same() {
    let world = World::new().await;
    let user = world.registered().await;
    world.grant(purchase(user, 40, "bought")).await.unwrap();
    world.spend(charge(user, 30, 1)).await.unwrap();

    let subscription = world.billing.subscription(&as_user(user)).await.unwrap();
    assert_eq!(subscription.plan.name, "freemium");
    assert_eq!(subscription.status, SubscriptionStatus::Active);
    assert!(!subscription.cancel_at_period_end);
    let of_subscription = (
        subscription.credits_included,
        subscription.credits_used,
        subscription.extra_credits,
        subscription.credits_remaining,
    );
    let credits = world.billing.credits(&as_user(user)).await.unwrap();
    assert_eq!(
        (
            credits.included,
            credits.used,
            credits.extra,
            credits.balance
        ),
        of_subscription
    );
    assert_eq!(
        credits,
        CreditsOverview {
            balance: Credits(110),
            included: Credits(100),
            used: Credits(30),
            extra: Credits(40),
            held: Credits(0),
            resets_at: Some(subscription.current_period_end),
        }
    );

    let stranger = as_user(world.stranger().await);
    assert_eq!(
        world.billing.credits(&stranger).await.unwrap(),
        CreditsOverview::default()
    );
    let error = world.billing.subscription(&stranger).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SubscriptionNotFound);
}

#[tokio::test]
async fn usage_pages_through_a_persons_own_charges() {
    let world = World::new().await;
    let (user, other) = (world.buyer(100).await, world.buyer(100).await);
    world.spend(charge(other, 9, "other")).await.unwrap();
    for n in 1..=5 {
        // Two at each moment: the id breaks the tie.
        if n % 2 == 0 {
            world.clock.advance(Duration::seconds(1));
        }
        world.spend(charge(user, n, n)).await.unwrap();
    }
    for ctx in [as_user(user), as_role(user, UserRole::Admin)] {
        let mut amounts = Vec::new();
        let mut page = PageRequest {
            limit: 2,
            after: None,
        };
        loop {
            let found = world.billing.usage(&ctx, page).await.unwrap();
            assert!(found.items.len() <= 2);
            amounts.extend(found.items.iter().map(|usage| usage.credits.0));
            for usage in &found.items {
                assert_eq!(usage.action, "file_upload");
                assert_eq!(usage.resource_id.as_deref(), Some("a"));
                assert!(usage.details["balanceAfter"].is_i64());
            }
            let Some(next) = found.next else { break };
            page.after = Some(next);
        }
        amounts.sort_unstable();
        assert_eq!(amounts, [1, 2, 3, 4, 5]);
    }
}

fn gift(user: UserId, credits: i64) -> CreditGrant {
    CreditGrant {
        user,
        credits: Credits(credits),
        reason: " sorry ".to_owned(),
    }
}

#[tokio::test]
async fn operators_give_credits_once_for_each_key() {
    let world = World::new().await;
    let user = world.registered().await;
    let admin = world.registered().await;
    let mut ctx = as_role(admin, UserRole::Admin);
    ctx.idempotency = Some(IdempotencyKey {
        key: "k".to_owned(),
        request_hash: [1; 32],
    });

    assert_eq!(
        world.billing.grant(&ctx, gift(user, 50)).await.unwrap(),
        Credits(150)
    );
    assert_eq!(
        world.billing.grant(&ctx, gift(user, 50)).await.unwrap(),
        Credits(150)
    );
    assert_eq!(world.balance(user).await, 150);
    ctx.idempotency = Some(IdempotencyKey {
        key: "k".to_owned(),
        request_hash: [2; 32],
    });
    let error = world.billing.grant(&ctx, gift(user, 60)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::IdempotencyKeyReused);
    ctx.idempotency = None;
    assert_eq!(
        world.billing.grant(&ctx, gift(user, 1)).await.unwrap(),
        Credits(151)
    );

    let activities = std::mem::take(&mut *world.neighbours.activities.lock().unwrap());
    assert_eq!(activities.len(), 2);
    assert_eq!(activities[0].resource_id, Some(user.to_string()));
    assert_eq!(activities[0].details["reason"], "sorry");
    let books = "select count(*) from credit_txns where reason = 'sorry' and actor like 'user:%'";
    assert_eq!(world.count(books).await, 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn grants_are_refused_to_and_for_the_wrong_people() {
    let world = World::new().await;
    let user = world.registered().await;
    let admin = as_role(user, UserRole::Admin);

    let error = world
        .billing
        .grant(&as_user(user), gift(user, 5))
        .await
        .unwrap_err();
    assert!(matches!(error, BillingError::Forbidden), "{error:?}");
    let error = world
        .billing
        .grant(&anonymous(), gift(user, 5))
        .await
        .unwrap_err();
    assert!(matches!(error, BillingError::Unauthenticated), "{error:?}");
    let nobody = UserId(world.clock.new_id());
    let error = world
        .billing
        .grant(&admin, gift(nobody, 5))
        .await
        .unwrap_err();
    assert!(matches!(error, BillingError::UserNotFound), "{error:?}");

    for credits in [0, -5, 1_000_001] {
        let error = world
            .billing
            .grant(&admin, gift(user, credits))
            .await
            .unwrap_err();
        assert_eq!(error.field_errors()[0].pointer, "/credits");
    }
    for reason in ["", "  ", "a\0b", &"x".repeat(201)] {
        let grant = CreditGrant {
            reason: reason.to_owned(),
            ..gift(user, 5)
        };
        let error = world.billing.grant(&admin, grant).await.unwrap_err();
        assert_eq!(error.field_errors()[0].pointer, "/reason");
    }
    assert_eq!(world.balance(user).await, 100);
}

#[tokio::test]
async fn nobody_has_nothing() {
    let world = World::new().await;
    let ctx = anonymous();
    let page = PageRequest {
        limit: 5,
        after: None,
    };
    let unauthenticated = |error: BillingError| error.code() == ErrorCode::Unauthenticated;
    assert!(unauthenticated(
        world.billing.subscription(&ctx).await.unwrap_err()
    ));
    assert!(unauthenticated(
        world.billing.credits(&ctx).await.unwrap_err()
    ));
    assert!(unauthenticated(
        world.billing.usage(&ctx, page).await.unwrap_err()
    ));
}
