use crate::world::World;
use eyemotion_auth::Accounts;

#[tokio::test]
async fn without_a_live_subscription_there_is_none() {
    let (world, person) = World::with_person().await;
    world
        .execute("UPDATE subscriptions SET status = 'cancelled'", &[])
        .await;
    let account = world.accounts.me(&person.ctx).await.unwrap();
    assert_eq!(account.subscription, None);
    // The old one is not mixed up with the new one.
    let again = "INSERT INTO subscriptions (user_id, plan_id, status, current_period_start, \
                 current_period_end) SELECT $1, id, 'past_due', now(), now() \
                 FROM subscription_plans WHERE name = 'pro'";
    world.execute(again, &[&person.id.0]).await;
    let account = world.accounts.me(&person.ctx).await.unwrap();
    let subscription = account.subscription.unwrap();
    assert_eq!(
        (subscription.status.as_str(), subscription.plan.price.amount),
        ("past_due", 99900)
    );
}

/// Read on almost every page: by index alone, and the policies' questions asked once.
#[tokio::test]
async fn the_overview_never_scans_people() {
    let (world, person) = World::with_person().await;
    let mut admin = world.database.admin().await;
    for crowd in [
        "INSERT INTO auth.users (email) SELECT i || '@example.com' FROM generate_series(1, 3000) i",
        "INSERT INTO user_profiles (id, full_name) SELECT id, 'X' FROM auth.users \
         ON CONFLICT DO NOTHING",
        "INSERT INTO auth.sessions (user_id, expires_at, idle_expires_at) \
         SELECT id, now(), now() FROM auth.users",
        "INSERT INTO subscriptions (user_id, plan_id, status, current_period_start, \
         current_period_end) SELECT u.id, p.id, 'active', now(), now() FROM auth.users u, \
         subscription_plans p WHERE p.name = 'freemium' ON CONFLICT DO NOTHING",
        "INSERT INTO credit_lots (user_id, kind, granted, remaining, source_type, source_id) \
         SELECT id, 'bonus', 1, 1, 'crowd', id::text FROM auth.users",
        "INSERT INTO storage_quotas (user_id, limit_bytes) SELECT id, 1 FROM auth.users",
        "ANALYZE",
    ] {
        admin.execute(crowd, &[]).await.unwrap();
    }
    let tx = admin.transaction().await.unwrap();
    let claims = format!(
        "SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claim.sub = '{user}'; \
         SET LOCAL request.jwt.claims = '{{\"sub\":\"{user}\",\"sid\":\"{session}\"}}'",
        user = person.id,
        session = person.session(),
    );
    tx.batch_execute(&claims).await.unwrap();
    let explain = format!(
        "EXPLAIN SELECT * FROM public.account_overview WHERE id = '{}'",
        person.id
    );
    let rows = tx.query(&explain, &[]).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let text = plan.join("\n");
    for line in plan.iter().filter(|line| line.contains("Seq Scan")) {
        assert!(line.contains("subscription_plans"), "{text}");
    }
    assert!(
        text.contains("InitPlan") && !text.contains("SubPlan"),
        "{text}"
    );
}
