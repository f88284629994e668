//! Row-level security and grants, attacked in plain SQL: what the database refuses even when all of
//! our code has been got round.

use crate::session::{ALICE, BOB, Caller, Session};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::error::SqlState;

/// Every table whose rows have an owner, and the column that names the owner.
const OWNED: &[(&str, &str)] = &[
    ("auth.account_deletions", "user_id"),
    ("auth.factors", "user_id"),
    ("auth.identities", "user_id"),
    ("auth.one_time_tokens", "user_id"),
    ("auth.sessions", "user_id"),
    ("auth.users", "id"),
    ("jobs.jobs", "owner_id"),
    ("public.activity_logs", "user_id"),
    ("public.api_keys", "user_id"),
    ("public.credit_entries", "user_id"),
    ("public.credit_hold_lines", "user_id"),
    ("public.credit_holds", "user_id"),
    ("public.credit_lot_moves", "user_id"),
    ("public.credit_lots", "user_id"),
    ("public.credit_txns", "user_id"),
    ("public.credit_wallets", "user_id"),
    ("public.fraud_warnings", "user_id"),
    ("public.idempotency_keys", "user_id"),
    ("public.mail_outbox", "user_id"),
    ("public.payment_disputes", "user_id"),
    ("public.payment_orders", "user_id"),
    ("public.payment_transactions", "user_id"),
    ("public.project_files", "user_id"),
    ("public.projects", "user_id"),
    ("public.storage_quotas", "user_id"),
    ("public.storage_reservations", "user_id"),
    ("public.stripe_customers", "user_id"),
    ("public.subscription_changes", "user_id"),
    ("public.subscription_history", "user_id"),
    ("public.subscription_mrr_daily", "user_id"),
    ("public.subscriptions", "user_id"),
    ("public.user_profiles", "id"),
];

const UNOWNED: &[&str] = &[
    "auth.oauth_flows",
    "auth.throttles",
    "jobs.schedules",
    "public.action_prices",
    "public.analytics_state",
    "public.credits_daily",
    "public.kv_store",
    "public.mrr_daily",
    "public.revenue_daily",
    "public.storage_buckets",
    "public.stripe_events",
    "public.subscription_plans",
];

/// What is never seen through a person's own role, not even one's own.
const HIDDEN: &[&str] = &[
    "auth.one_time_tokens",
    "jobs.jobs",
    "public.api_keys",
    "public.fraud_warnings",
    "public.mail_outbox",
    "public.subscription_mrr_daily",
];

/// The views and the column that names the owner.
const VIEWS: &[(&str, &str)] = &[
    ("public.account_overview", "id"),
    ("public.admin_people", "id"),
    ("public.admin_projects", "user_id"),
    ("public.admin_users", "id"),
    ("public.credits_usage", "user_id"),
    ("public.user_subscriptions", "user_id"),
];

/// Alice and Bob, a row each in every owned table.
pub(crate) async fn alice_and_bob(database: &TestDatabase) -> Session {
    let session = Session::new(database.admin().await);
    session.act(Caller::System).await;
    let people = format!(
        "begin; create temporary table people on commit drop as
         select id::uuid, right(id, 1) as n from unnest(array['{ALICE}', '{BOB}']) as id;
         {} commit",
        include_str!("people.sql")
    );
    session.run(&people).await;
    session
}

fn forbidden(code: &SqlState) -> bool {
    *code == SqlState::INSUFFICIENT_PRIVILEGE
}

#[tokio::test]
async fn the_lists_of_tables_and_views_are_whole() {
    let database = TestDatabase::new().await;
    let tables = "
        select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('auth', 'jobs', 'public') and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname !~ '^__diesel' order by 1";
    let views = "
        select schemaname || '.' || viewname from pg_views where schemaname in ('auth', 'jobs', 'public') order by 1";
    let known_views: Vec<_> = VIEWS.iter().map(|(view, _)| *view).collect();
    let session = Session::new(database.admin().await);
    assert_eq!(session.texts(views).await, known_views);
    let mut known: Vec<_> = OWNED
        .iter()
        .map(|(table, _)| *table)
        .chain(UNOWNED.iter().copied())
        .collect();
    known.sort_unstable();
    assert_eq!(session.texts(tables).await, known);
}

#[tokio::test]
async fn without_a_context_every_table_is_empty() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    let tables = OWNED
        .iter()
        .map(|(table, _)| *table)
        .chain(UNOWNED.iter().copied());
    for role in ["anon", "authenticated", "service_role"] {
        session.act(Caller::Bare(role)).await;
        // Not `select *`: a column without a grant would hide what the policy lets through.
        for table in tables.clone() {
            assert_eq!(
                session.reached(&format!("select 1 from {table}")).await,
                0,
                "{role} {table}"
            );
            assert_eq!(
                session.reached(&format!("delete from {table}")).await,
                0,
                "{role} {table}"
            );
        }
        for (view, _) in VIEWS {
            assert_eq!(
                session.reached(&format!("select 1 from {view}")).await,
                0,
                "{role} {view}"
            );
        }
    }
}

#[tokio::test]
async fn a_context_ends_with_its_transaction() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Bare("authenticated")).await;
    session
        .run(&format!(
            "begin; select set_config('request.jwt.claim.sub', '{ALICE}', true),
                set_config('request.jwt.claim.role', 'authenticated', true), set_config('request.jwt.claims', '{{}}', true);
             do $$ begin assert (select count(*) = 1 from public.projects); end $$; commit"
        ))
        .await;
    assert_eq!(session.reached("select from public.projects").await, 0);
}

#[tokio::test]
async fn a_person_reaches_own_rows_and_no_others() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Person(ALICE)).await;
    for (table, owner) in OWNED {
        let of = |person: &str| format!("from {table} where {owner} = '{person}'");
        let own = session.reached(&format!("select 1 {}", of(ALICE))).await;
        assert_eq!(own > 0, !HIDDEN.contains(table), "{table}");
        assert_eq!(
            session.reached(&format!("select 1 {}", of(BOB))).await,
            0,
            "{table}"
        );
        assert_eq!(
            session.reached(&format!("delete {}", of(BOB))).await,
            0,
            "{table}"
        );
        assert_eq!(
            session.reached(&format!("delete {}", of(ALICE))).await,
            0,
            "{table}"
        );
        assert_eq!(
            session.reached(&format!("truncate {table} cascade")).await,
            0,
            "{table}"
        );
        let take = format!("update {table} set {owner} = '{ALICE}' where {owner} = '{BOB}'");
        assert!(forbidden(&session.refused(&take).await), "{table}");
        let give = format!("update {table} set {owner} = '{BOB}' where {owner} = '{ALICE}'");
        assert!(forbidden(&session.refused(&give).await), "{table}");
    }
    for (view, owner) in VIEWS {
        let others = format!("select from {view} where {owner} <> '{ALICE}'");
        assert_eq!(session.reached(&others).await, 0, "{view}");
    }
    for table in [
        "jobs.schedules",
        "public.kv_store",
        "public.storage_buckets",
    ] {
        assert_eq!(
            session.reached(&format!("select 1 from {table}")).await,
            0,
            "{table}"
        );
    }
}

#[tokio::test]
async fn a_granted_column_writes_only_ones_own_row() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Owner).await;
    let granted = session
        .rows(
            "select table_schema || '.' || table_name, column_name::text from information_schema.column_privileges
             where grantee = 'authenticated' and privilege_type = 'UPDATE' order by 1, 2",
        )
        .await;
    assert!(granted.len() > 10);
    for caller in [Caller::Person(ALICE), Caller::Admin(ALICE)] {
        session.act(caller).await;
        for row in &granted {
            let (table, column): (&str, &str) = (row.get(0), row.get(1));
            let owner = OWNED.iter().find(|(owned, _)| *owned == table).unwrap().1;
            let change = |person: &str| {
                format!("update {table} set {column} = {column} where {owner} = '{person}'")
            };
            assert_eq!(
                session.reached(&change(BOB)).await,
                0,
                "{caller:?} {table}.{column}"
            );
            assert_eq!(
                session.reached(&change(ALICE)).await,
                1,
                "{caller:?} {table}.{column}"
            );
        }
    }
}

#[tokio::test]
async fn a_person_cannot_raise_themself() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    let attempts = [
        "update public.user_profiles set role = 'super_admin'".to_owned(),
        "update public.user_profiles set full_name = 'x', role = 'admin', email_verified = true".to_owned(),
        "insert into public.user_profiles (id, full_name, role) values (gen_random_uuid(), 'x', 'admin')".to_owned(),
        "update auth.users set banned_until = null, email = 'root@example.com'".to_owned(),
        "update public.credit_wallets set posted = 1000000".to_owned(),
        "update public.credit_lots set granted = 1000000, remaining = 1000000".to_owned(),
        format!(
            "insert into public.credit_lots (user_id, kind, granted, remaining, source_type, source_id)
             values ('{ALICE}', 'bonus', 5, 5, 'self', '1')"
        ),
        "update public.subscriptions set plan_id = (select id from public.subscription_plans where name = 'studio')"
            .to_owned(),
        "update public.subscription_plans set price = 0".to_owned(),
        "update public.storage_quotas set limit_bytes = 1 << 40".to_owned(),
        "delete from public.storage_reservations".to_owned(),
        "update public.project_files set processing_status = 'ready'".to_owned(),
        "update public.project_files set file_size = 0".to_owned(),
        "update public.projects set file_count = 0, version = 1".to_owned(),
        format!("insert into public.projects (user_id, name, file_count) values ('{ALICE}', 'x', 9)"),
        format!("insert into public.projects (user_id, name) values ('{BOB}', 'x')"),
        format!("insert into public.activity_logs (user_id, action) values ('{BOB}', 'framed')"),
        format!("insert into public.activity_logs (user_id, action) values ('{ALICE}', 'made up')"),
        "insert into public.activity_logs (user_id, action) values (null, 'nobody')".to_owned(),
        format!("insert into public.activity_logs (user_id, action, created_at) values ('{ALICE}', 'x', '2030-01-01')"),
        format!(
            "insert into public.idempotency_keys (user_id, operation, key, request_hash)
             values ('{BOB}', 'create', 'other', sha256(''))"
        ),
        "insert into public.kv_store (key, value) values ('features:flags', '{}')".to_owned(),
        "insert into jobs.jobs (kind) values ('purge')".to_owned(),
        "select public.activity_logs_maintain('2099-01-01')".to_owned(),
        "select * from public.project_counter_drift()".to_owned(),
        "create table public.mine (id int)".to_owned(),
        "alter table public.projects disable row level security".to_owned(),
    ];
    // A verified admin reads more, and still writes nothing here.
    for caller in [
        Caller::Person(ALICE),
        Caller::Admin(ALICE),
        Caller::Anonymous,
    ] {
        session.act(caller).await;
        for attempt in &attempts {
            let code = session.refused(attempt).await;
            assert!(forbidden(&code), "{caller:?} {attempt}: {code:?}");
        }
    }
}

#[tokio::test]
async fn a_person_does_what_is_theirs() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Person(ALICE)).await;
    session
        .run(&format!(
            "insert into public.projects (user_id, name) values ('{ALICE}', 'Second')"
        ))
        .await;
    session
        .run("update public.projects set name = 'Renamed' where name = 'Second'")
        .await;
    assert_eq!(
        session
            .reached("select from public.projects where name = 'Renamed' and version = 2")
            .await,
        1
    );
    session
        .run("update public.idempotency_keys set response = '{\"id\": 1}'")
        .await;
    let again = "update public.idempotency_keys set response = '{\"id\": 2}'";
    assert_eq!(session.reached(again).await, 0, "an answer is stored once");
    let subscription = "select from public.user_subscriptions
        where credits_included = 100 and credits_used = 0 and extra_credits = 0 and credits_remaining = 100";
    assert_eq!(session.reached(subscription).await, 1);
    assert_eq!(
        session
            .reached("select from public.subscription_plans")
            .await,
        4
    );
    session.act(Caller::Anonymous).await;
    assert_eq!(
        session
            .reached("select from public.subscription_plans")
            .await,
        4
    );
    session.act(Caller::System).await;
    session
        .run("update public.subscription_plans set is_active = false where name = 'studio'")
        .await;
    session.act(Caller::Anonymous).await;
    assert_eq!(
        session
            .reached("select from public.subscription_plans")
            .await,
        3
    );
}

#[tokio::test]
async fn an_admin_reads_everyone() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Admin(ALICE)).await;
    for table in [
        "auth.users",
        "public.user_profiles",
        "public.projects",
        "public.credit_wallets",
    ] {
        assert_eq!(
            session.reached(&format!("select 1 from {table}")).await,
            2,
            "{table}"
        );
    }
    for table in ["auth.sessions", "auth.factors", "public.idempotency_keys"] {
        assert_eq!(
            session.reached(&format!("select 1 from {table}")).await,
            1,
            "{table}"
        );
    }
}

#[tokio::test]
async fn the_platform_acting_for_a_person_reaches_that_person_only() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    for (table, owner) in OWNED {
        session.act(Caller::For(ALICE)).await;
        let of = |person: &str| format!("select from {table} where {owner} = '{person}'");
        assert!(session.reached(&of(ALICE)).await > 0, "{table}");
        assert_eq!(session.reached(&of(BOB)).await, 0, "{table}");
        let take = format!("update {table} set {owner} = '{ALICE}' where {owner} = '{BOB}'");
        assert_eq!(session.reached(&take).await, 0, "{table}");
        assert_eq!(
            session
                .reached(&format!("delete from {table} where {owner} = '{BOB}'"))
                .await,
            0,
            "{table}"
        );
        session.act(Caller::System).await;
        assert!(session.reached(&of(ALICE)).await > 0, "{table}");
        assert!(session.reached(&of(BOB)).await > 0, "{table}");
    }
    session.act(Caller::For(ALICE)).await;
    for give in [
        format!("update public.projects set user_id = '{BOB}'"),
        format!("insert into public.projects (user_id, name) values ('{BOB}', 'x')"),
        format!("insert into jobs.jobs (kind, owner_id) values ('probe', '{BOB}')"),
        "insert into jobs.jobs (kind) values ('sweep')".to_owned(),
        "insert into public.kv_store (key, value) values ('k', '{}')".to_owned(),
    ] {
        assert!(forbidden(&session.refused(&give).await), "{give}");
    }
    assert_eq!(
        session
            .reached("update public.subscription_plans set price = 0")
            .await,
        0
    );
    assert_eq!(session.reached("select from public.kv_store").await, 0);
    assert_eq!(session.reached("select from jobs.schedules").await, 0);
}
