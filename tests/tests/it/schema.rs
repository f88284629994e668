//! Rules about the database schema, asked of the catalogue.

use crate::database::OwnedDatabase;
use crate::session::{Caller, Session};
use eyemotion_db::{migrate, migrate_down, migration_status};
use eyemotion_testkit::TestDatabase;
use std::collections::BTreeSet;

/// Our tables: all but the partitions and diesel's own.
const TABLES: &str = "
    select c.oid, n.nspname || '.' || c.relname as name, c.relrowsecurity, c.relforcerowsecurity, c.relispartition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('auth', 'jobs', 'public') and c.relkind in ('r', 'p') and c.relname !~ '^__diesel'";

#[tokio::test]
async fn every_table_is_under_forced_policies() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    let open = owner
        .texts(&format!(
            "select name from ({TABLES}) t where not (relrowsecurity and relforcerowsecurity)
                or not relispartition and not exists (select from pg_policy where polrelid = t.oid)"
        ))
        .await;
    assert_eq!(open, [""; 0]);
    let tables = owner
        .texts(&format!(
            "select name from ({TABLES}) t where not relispartition"
        ))
        .await;
    assert_eq!(tables.len(), 44, "{tables:?}");
}

#[tokio::test]
async fn every_foreign_key_is_indexed_and_says_what_a_delete_does() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    let keys = format!(
        "select t.name || '.' || k.conname as name, k.* from pg_constraint k join ({TABLES}) t on t.oid = k.conrelid
         where k.contype = 'f'"
    );
    assert!(
        owner
            .texts(&format!("select name from ({keys}) k"))
            .await
            .len()
            > 20
    );
    let unstated = format!("select name from ({keys}) k where confdeltype = 'a'");
    assert_eq!(owner.texts(&unstated).await, [""; 0]);
    let unindexed = format!(
        "select name from ({keys}) k where not exists (
            select from pg_index i
            where i.indrelid = k.conrelid and i.indpred is null and i.indkey[0] = any (k.conkey))"
    );
    assert_eq!(owner.texts(&unindexed).await, [""; 0]);
}

#[tokio::test]
async fn policies_are_single_cheap_and_conditional() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    let doubled = "
        select tablename || ' ' || cmd || ' ' || role from pg_policies, unnest(roles) as role
        where permissive = 'PERMISSIVE' group by tablename, schemaname, cmd, role having count(*) > 1";
    assert_eq!(owner.texts(doubled).await, [""; 0]);
    // A function that is not wrapped in a sub-select is called for every row.
    let per_row = "
        select tablename || ' ' || policyname from pg_policies
        where regexp_replace(coalesce(qual, '') || ' ' || coalesce(with_check, ''),
            'SELECT auth\\.\\w+\\(\\)', '', 'g') ~ 'auth\\.\\w+\\('";
    assert_eq!(owner.texts(per_row).await, [""; 0]);
    let for_all = "
        select tablename || ' ' || policyname from pg_policies
        where cmd = 'ALL' or qual = 'true' or with_check = 'true' or 'public' = any (roles)
            or cmd in ('INSERT', 'UPDATE') and with_check is null";
    assert_eq!(owner.texts(for_all).await, [""; 0]);
}

#[tokio::test]
async fn no_function_or_view_lends_rights() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    let lending = "
        select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'jobs', 'public') and p.prosecdef
        order by 1";
    // The log's upkeep; and two that take a person's name out of what nobody else changes.
    let known = [
        "activity_logs_maintain",
        "activity_logs_pseudonymise",
        "credit_txns_rename_actor",
    ];
    assert_eq!(owner.texts(lending).await, known);
    // A body bound at creation (prosqlbody) needs no search_path.
    let unpinned = "
        select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'jobs', 'public') and p.prosqlbody is null
            and not exists (select from unnest(p.proconfig) as setting where setting ~ '^search_path=')";
    assert_eq!(owner.texts(unpinned).await, [""; 0]);
    let public = "
        select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'jobs', 'public')
            and (p.proacl is null or exists (select from aclexplode(p.proacl) as acl where acl.grantee = 0))";
    assert_eq!(owner.texts(public).await, [""; 0]);
    let views = "
        select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('auth', 'jobs', 'public') and (c.relkind = 'm'
            or c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false))";
    assert_eq!(owner.texts(views).await, [""; 0]);
}

/// Every column that a person's own role may write. Whoever adds one answers for it here.
const WRITABLE: &[&str] = &[
    "idempotency_keys INSERT key,operation,request_hash,response,user_id",
    "idempotency_keys UPDATE response",
    "projects INSERT collaboration_settings,description,id,name,settings,thumbnail_url,type,user_id",
    "projects UPDATE collaboration_settings,description,last_opened_at,name,settings,status,thumbnail_url,type",
    "user_profiles UPDATE avatar_url,company_name,country,full_name,industry,onboarding_completed,phone,preferences",
];

/// Columns that give rights or money, or prove something: never a person's to write, in any table.
const GIVES_RIGHTS: &[&str] = &[
    "role",
    "plan_id",
    "price",
    "credits_included",
    "posted",
    "held",
    "frozen",
    "debt",
    "granted",
    "remaining",
    "amount",
    "file_size",
    "processing_status",
    "storage_path",
    "used_bytes",
    "reserved_bytes",
    "limit_bytes",
    "email",
    "email_verified",
    "email_confirmed_at",
    "banned_until",
    "password_hash",
    "file_count",
    "total_duration_us",
    "export_count",
    "credits_cost",
    "version",
    "created_at",
    "deleted_at",
];

#[tokio::test]
async fn people_may_write_exactly_these_columns() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    let granted = "
        select table_name || ' ' || privilege_type || ' ' || string_agg(column_name, ',' order by column_name collate \"C\")
        from information_schema.column_privileges
        where grantee in ('anon', 'authenticated', 'PUBLIC') and privilege_type <> 'SELECT'
            and table_schema in ('auth', 'jobs', 'public')
        group by table_name, privilege_type order by 1";
    assert_eq!(owner.texts(granted).await, WRITABLE);
    let whole_tables = "
        select table_name || ' ' || privilege_type from information_schema.table_privileges
        where grantee in ('anon', 'authenticated', 'PUBLIC') and privilege_type <> 'SELECT'
            and table_schema in ('auth', 'jobs', 'public')";
    assert_eq!(owner.texts(whole_tables).await, [""; 0]);
    let written: BTreeSet<&str> = WRITABLE
        .iter()
        .flat_map(|line| line.rsplit(' ').next().unwrap().split(','))
        .collect();
    let dangerous: Vec<_> = GIVES_RIGHTS
        .iter()
        .filter(|column| written.contains(*column))
        .collect();
    assert!(dangerous.is_empty(), "{dangerous:?}");
    let anonymous = "
        select distinct table_name::text from information_schema.column_privileges where grantee in ('anon', 'PUBLIC')
            and table_schema in ('auth', 'jobs', 'public')";
    assert_eq!(owner.texts(anonymous).await, ["subscription_plans"]);
}

#[tokio::test]
async fn secrets_are_no_ones_to_read() {
    let database = TestDatabase::new().await;
    let owner = Session::new(database.admin().await);
    for secret in [
        "'auth.users', 'password_hash'",
        "'auth.sessions', 'counter'",
        "'auth.factors', 'secret'",
        "'auth.one_time_tokens', 'token_hash'",
        "'auth.one_time_tokens', 'code_hash'",
        "'public.api_keys', 'token_hash'",
        "'public.mail_outbox', 'data'",
        "'public.project_files', 'upload_lease_token'",
    ] {
        let readable = format!(
            "select 'readable' where has_column_privilege('authenticated', {secret}, 'select')"
        );
        assert_eq!(owner.texts(&readable).await, [""; 0], "{secret}");
    }
}

#[tokio::test]
async fn down_undoes_up() {
    let database = OwnedDatabase::new().await;
    let owner = database.session().await;
    let before = owner.texts(include_str!("catalog.sql")).await;
    assert!(before.len() > 500, "{}", before.len());
    let config = database.config();
    let steps = migration_status(&config).await.unwrap();
    for step in steps.iter().rev() {
        assert_eq!(
            migrate_down(&config, 1).await.unwrap(),
            std::slice::from_ref(&step.name)
        );
    }
    let left = owner.texts(include_str!("catalog.sql")).await;
    assert!(
        left.iter().all(|line| line.starts_with("schema public ")),
        "{left:#?}"
    );
    assert_eq!(migrate(&config).await.unwrap().len(), steps.len());
    let after = owner.texts(include_str!("catalog.sql")).await;
    let lost: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!((lost, new), (vec![], vec![]));
}

#[tokio::test]
async fn the_log_has_partitions_in_time_and_loses_old_ones() {
    let database = TestDatabase::new().await;
    let session = Session::new(database.admin().await);
    let names = "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
                 where i.inhparent = 'public.activity_logs'::regclass order by 1";
    assert_eq!(session.texts(names).await.len(), 4);
    let open = "
        select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.activity_logs'::regclass and (not c.relrowsecurity or not c.relforcerowsecurity
            or exists (select from aclexplode(c.relacl) as acl where acl.grantee <> c.relowner)
            or not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only'))";
    assert_eq!(session.texts(open).await, [""; 0]);
    session.act(Caller::System).await;
    let maintain =
        |at: &str| format!("select created, dropped from activity_logs_maintain('{at}')");
    session
        .run("insert into activity_logs (action) values ('kept')")
        .await;

    // 90 days after the end of January is the first of May.
    let row = &session.rows(&maintain("2040-01-31 23:59:59Z")).await[0];
    let months = ["y2040m01", "y2040m02", "y2040m03", "y2040m04"]
        .map(|month| format!("activity_logs_{month}"));
    assert_eq!(row.get::<_, Vec<String>>(0), months);
    assert_eq!(row.get::<_, Vec<String>>(1).len(), 4);
    let row = &session.rows(&maintain("2040-04-30 23:59:59Z")).await[0];
    assert_eq!(row.get::<_, Vec<String>>(1), [""; 0]);
    let row = &session.rows(&maintain("2040-05-01 00:00:00Z")).await[0];
    assert_eq!(row.get::<_, Vec<String>>(0), ["activity_logs_y2040m08"]);
    assert_eq!(row.get::<_, Vec<String>>(1), ["activity_logs_y2040m01"]);
    let row = &session.rows(&maintain("2040-05-01 00:00:00Z")).await[0];
    assert_eq!(
        row.get::<_, Vec<String>>(0),
        [""; 0],
        "a repeat changes nothing"
    );

    session
        .run("insert into activity_logs (action, created_at) values ('next', '2040-06-15')")
        .await;
    session
        .refused("select * from activity_logs_y2040m06")
        .await;
    session.act(Caller::Owner).await;
    assert_eq!(session.texts(open).await, [""; 0]);
}

#[tokio::test]
async fn a_database_of_supabase_is_refused_untouched() {
    let database = OwnedDatabase::empty().await;
    let session = database.session().await;
    session
        .run("create schema auth; create table auth.users (id uuid)")
        .await;
    let before = session.texts(include_str!("catalog.sql")).await;
    let error = migrate(&database.config()).await.unwrap_err().to_string();
    assert!(
        error.contains("already holds Supabase's auth schema"),
        "{error}"
    );
    assert!(error.contains("eyemotion import supabase"), "{error}");
    assert_eq!(session.texts(include_str!("catalog.sql")).await, before);
    assert_eq!(
        session
            .texts("select rolname::text from pg_roles where rolname = 'anon'")
            .await,
        [""; 0]
    );
}

#[tokio::test]
async fn seeds_repeat_without_a_trace_and_keep_what_an_operator_set() {
    let database = TestDatabase::new().await;
    let session = Session::new(database.admin().await);
    session.act(Caller::System).await;
    session.run("update subscription_plans set stripe_price_id = 'price_1', is_active = false where name = 'pro'").await;
    let plans = "select row_to_json(p)::text || xmin from subscription_plans p order by 1";
    let before = session.texts(plans).await;
    assert_eq!(before.len(), 4);
    session.act(Caller::Owner).await;
    session
        .run(include_str!("../../../migrations/sql/70_seeds.sql"))
        .await;
    session.act(Caller::System).await;
    assert_eq!(session.texts(plans).await, before);
    let prices = "select name || ' ' || price || ' ' || currency || ' ' || credits_included || ' ' || storage_gb
                  from subscription_plans order by sort_order";
    let expected = [
        "freemium 0 THB 100 1",
        "creator 29900 THB 1000 5",
        "pro 99900 THB 5000 50",
        "studio 299900 THB 20000 500",
    ];
    assert_eq!(session.texts(prices).await, expected);
}
