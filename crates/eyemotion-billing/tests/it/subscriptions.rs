use crate::world::{World, charge, purchase};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use eyemotion_billing::Renewed;
use eyemotion_core::{Clock, Credits, Ctx, UserId};
use eyemotion_ports::Grant;
use futures_util::future::join_all;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn period(world: &World, user: UserId) -> (DateTime<Utc>, DateTime<Utc>) {
    let sql =
        "select current_period_start, current_period_end from subscriptions where user_id = $1";
    let row = world.superuser.query_one(sql, &[&user.0]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_new_person_gets_the_free_plan_its_credits_and_its_room() {
    let world = World::at(at("2027-01-31T10:00:00.123456789Z")).await;
    let user = world.registered().await;
    assert_eq!(world.balance(user).await, 100);
    assert_eq!(
        period(&world, user).await,
        (
            at("2027-01-31T10:00:00.123456Z"),
            at("2027-02-28T10:00:00.123456Z")
        )
    );
    assert_eq!(*world.neighbours.limits.lock().unwrap(), [(user, 1 << 30)]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_renewal_resets_the_included_credits_and_nothing_else() {
    let world = World::at(at("2027-01-31T10:00:00Z")).await;
    let user = world.registered().await;
    world.spend(charge(user, 60, 1)).await.unwrap();
    world.grant(purchase(user, 7, "bought")).await.unwrap();
    let ctx = Ctx::system("test");

    world.clock.advance(Duration::days(27));
    assert_eq!(
        world.subscriptions.renew_due(&ctx).await.unwrap(),
        Renewed::default()
    );
    assert_eq!(world.balance(user).await, 47);

    world.clock.advance(Duration::days(1));
    assert_eq!(world.balance(user).await, 7, "over, and not renewed yet");
    let once = Renewed {
        renewed: 1,
        failed: 0,
    };
    assert_eq!(world.subscriptions.renew_due(&ctx).await.unwrap(), once);
    assert_eq!(world.balance(user).await, 107);
    let next = (at("2027-02-28T10:00:00Z"), at("2027-03-31T10:00:00Z"));
    assert_eq!(period(&world, user).await, next);
    assert_eq!(
        world.subscriptions.renew_due(&ctx).await.unwrap(),
        Renewed::default()
    );

    // Months that nobody saw do not add up.
    world.clock.advance(Duration::days(100));
    assert_eq!(world.subscriptions.renew_due(&ctx).await.unwrap(), once);
    assert_eq!(world.balance(user).await, 107);
    let later = (at("2027-05-31T10:00:00Z"), at("2027-06-30T10:00:00Z"));
    assert_eq!(period(&world, user).await, later);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_charge_renews_a_period_that_is_over() {
    let world = World::new().await;
    let user = world.registered().await;
    world.clock.advance(Duration::days(31));
    assert_eq!(world.spend(charge(user, 30, 1)).await.unwrap(), Credits(70));
    let (start, end) = period(&world, user).await;
    assert!(start <= world.clock.now() && world.clock.now() < end);
    assert_eq!(
        world
            .subscriptions
            .renew_due(&Ctx::system("test"))
            .await
            .unwrap(),
        Renewed::default()
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_period_is_granted_once_by_any_number_of_workers_and_charges() {
    let world = World::new().await;
    let people = join_all((0..12).map(|_| world.registered())).await;
    world.clock.advance(Duration::days(31));
    let ctx = Ctx::system("test");
    let rounds = join_all((0..6).map(|_| world.subscriptions.renew_due(&ctx)));
    let charges = join_all(people.iter().map(|user| world.spend(charge(*user, 1, "k"))));
    let (rounds, charges) = futures_util::future::join(rounds, charges).await;
    for round in rounds {
        assert_eq!(round.unwrap().failed, 0);
    }
    for outcome in charges {
        assert_eq!(outcome.unwrap(), Credits(99));
    }
    let granted = "select count(*) from credit_txns where kind = 'grant'";
    assert_eq!(
        world.count(granted).await,
        24,
        "two periods for each of twelve"
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn what_stripe_bills_or_is_to_end_is_left_alone() {
    let world = World::new().await;
    for change in [
        "cancel_at_period_end = true",
        "stripe_subscription_id = 'sub_1'",
        "plan_id = (select id from subscription_plans where name = 'creator')",
        "status = 'cancelled'",
    ] {
        let user = world.registered().await;
        let sql = format!("update subscriptions set {change} where user_id = $1");
        world.superuser.execute(&sql, &[&user.0]).await.unwrap();
        world.clock.advance(Duration::days(31));
        let round = world
            .subscriptions
            .renew_due(&Ctx::system("test"))
            .await
            .unwrap();
        assert_eq!(round, Renewed::default(), "{change}");
        assert_eq!(world.balance(user).await, 0, "{change}");
        assert!(world.spend(charge(user, 1, 1)).await.is_err(), "{change}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn more_than_a_batch_is_renewed_and_one_that_fails_stops_nobody() {
    let world = World::new().await;
    let broken = world.registered().await;
    // More than one look-up holds, all due at one moment.
    world
        .superuser
        .batch_execute(
            "with people as (
                 insert into auth.users (email) select 'n' || n || '@example.com'
                 from generate_series(1, 1001) n returning id
             )
             insert into subscriptions (user_id, plan_id, status, current_period_start, current_period_end, created_at)
             select p.id, s.plan_id, s.status, s.current_period_start, s.current_period_end, s.created_at
             from people p cross join subscriptions s",
        )
        .await
        .unwrap();
    // Its next period's grant collides with somebody else's source.
    world.clock.advance(Duration::days(31));
    let (_, end) = period(&world, broken).await;
    let subscription = "select id::text from subscriptions where user_id = $1";
    let id: String = world
        .superuser
        .query_one(subscription, &[&broken.0])
        .await
        .unwrap()
        .get(0);
    let source = format!("{id}:{}", end.to_rfc3339_opts(SecondsFormat::Micros, true));
    let thief = world.stranger().await;
    let theft = Grant {
        source_type: "subscription_period",
        ..purchase(thief, 1, &source)
    };
    world.grant(theft).await.unwrap();

    let round = world
        .subscriptions
        .renew_due(&Ctx::system("test"))
        .await
        .unwrap();
    assert_eq!(
        round,
        Renewed {
            renewed: 1001,
            failed: 1
        }
    );
    let granted = "select count(*) from credit_wallets where posted = 100";
    assert_eq!(
        world.count(granted).await,
        1002,
        "the one that failed still has its old ones"
    );
    world.assert_sound().await;
}
