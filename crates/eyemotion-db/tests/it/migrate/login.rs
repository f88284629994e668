//! What the login must be allowed, told in SQL that an administrator can run.

use crate::server::Server;
use eyemotion_core::Ctx;
use eyemotion_db::{DatabaseConfig, Db, MigrateError, migrate};
use tokio_postgres::Client;

/// A login's name that wants quoting everywhere.
const LOGIN: &str = r#"app "x""#;
const QUOTED: &str = r#""app ""x""""#;

/// A login without any right, and a database `film` of somebody else.
async fn world() -> (Server, Client, DatabaseConfig) {
    let server = Server::start(&[]).await;
    let admin = server.superuser("eyemotion").await;
    admin
        .batch_execute(&format!("create role {QUOTED} login"))
        .await
        .unwrap();
    admin.batch_execute("create database film").await.unwrap();
    let config = server.config(LOGIN, "film");
    let admin = server.superuser("film").await;
    (server, admin, config)
}

async fn refusal(config: &DatabaseConfig) -> (String, String) {
    match migrate(config).await.unwrap_err() {
        MigrateError::Roles {
            login,
            missing,
            sql,
        } => {
            assert_eq!(login, LOGIN);
            (missing, sql)
        }
        other => panic!("{other}"),
    }
}

/// Everything works that a role is needed for.
async fn serves(config: &DatabaseConfig) {
    let db = Db::new(config).unwrap();
    let mut tx = db.read(&Ctx::system("test")).await.unwrap();
    let plans = diesel::sql_query("select from subscription_plans");
    assert_eq!(
        diesel_async::RunQueryDsl::execute(plans, &mut tx)
            .await
            .unwrap(),
        4
    );
}

#[tokio::test]
async fn a_login_without_rights_is_told_the_sql_that_suffices() {
    let (server, admin, config) = world().await;
    let (missing, sql) = refusal(&config).await;
    assert_eq!(
        missing,
        "role anon, role authenticated, role service_role, role eyemotion_backup, \
         CREATE in database film, CREATE in schema public"
    );
    let tables = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(
        admin.query_one(tables, &[]).await.unwrap().get::<_, i64>(0),
        0,
        "untouched"
    );

    admin.batch_execute(&sql).await.unwrap();
    migrate(&config).await.unwrap();
    serves(&config).await;
    let backup = "select rolbypassrls from pg_roles where rolname = 'eyemotion_backup'";
    assert!(
        admin
            .query_one(backup, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    let client = server.connect(LOGIN, "film").await;
    client
        .batch_execute("set role eyemotion_backup")
        .await
        .unwrap();

    // With nothing left to make, the rights to make are not asked for; the roles are.
    admin
        .batch_execute(&format!(
            "revoke create on database film from {QUOTED}; revoke create on schema public from {QUOTED}"
        ))
        .await
        .unwrap();
    assert!(migrate(&config).await.unwrap().is_empty());
    admin
        .batch_execute(&format!("revoke anon from {QUOTED}"))
        .await
        .unwrap();
    let (missing, sql) = refusal(&config).await;
    assert_eq!(missing, "role anon");
    admin.batch_execute(&sql).await.unwrap();
    migrate(&config).await.unwrap();
}

#[tokio::test]
async fn a_login_that_may_create_roles_needs_no_more_than_its_database() {
    let (server, admin, config) = world().await;
    admin
        .batch_execute(&format!("alter role {QUOTED} createrole"))
        .await
        .unwrap();
    admin
        .batch_execute(&format!("alter database film owner to {QUOTED}"))
        .await
        .unwrap();
    migrate(&config).await.unwrap();
    serves(&config).await;

    // Another one finds the roles made by somebody else. Up to 15 it may take them; from 16 on
    // it must be given them.
    admin
        .batch_execute("create role other login createrole")
        .await
        .unwrap();
    admin
        .batch_execute("create database second owner other")
        .await
        .unwrap();
    let config = server.config("other", "second");
    let version = admin.query_one("select current_setting('server_version_num')::int", &[]);
    if version.await.unwrap().get::<_, i32>(0) >= 160_000 {
        let error = migrate(&config).await.unwrap_err();
        let MigrateError::Roles { sql, .. } = &error else {
            panic!("{error}")
        };
        assert!(!sql.contains("ON DATABASE"), "{sql}");
        admin.batch_execute(sql).await.unwrap();
    }
    migrate(&config).await.unwrap();
    serves(&config).await;
}

/// From 16 on, a member of a role need not be allowed to take it on.
#[tokio::test]
async fn a_membership_that_does_not_suffice_is_mended() {
    let (_server, admin, config) = world().await;
    admin
        .batch_execute(&format!("alter database film owner to {QUOTED}"))
        .await
        .unwrap();
    let (_, sql) = refusal(&config).await;
    admin.batch_execute(&sql).await.unwrap();
    let version = admin.query_one("select current_setting('server_version_num')::int", &[]);
    if version.await.unwrap().get::<_, i32>(0) < 160_000 {
        return migrate(&config).await.map(drop).unwrap();
    }
    let take = format!("grant service_role to {QUOTED} with set false");
    admin.batch_execute(&take).await.unwrap();
    let (missing, sql) = refusal(&config).await;
    assert_eq!(missing, "role service_role");
    admin.batch_execute(&sql).await.unwrap();
    migrate(&config).await.unwrap();
    serves(&config).await;
}

#[tokio::test]
async fn a_database_of_supabase_is_refused_untouched() {
    let (_server, admin, config) = world().await;
    admin
        .batch_execute(&format!(
            "alter role {QUOTED} createrole; alter schema public owner to {QUOTED}; \
             create schema auth; create table auth.users (id uuid)"
        ))
        .await
        .unwrap();
    let error = migrate(&config).await.unwrap_err();
    assert!(matches!(error, MigrateError::Occupied), "{error:?}");
    for advice in [
        "nothing in it was touched",
        "eyemotion import supabase --database-url",
    ] {
        assert!(error.to_string().contains(advice), "{error}");
    }
    let left = "select (select count(*) from pg_roles where rolname in ('anon', 'service_role')) \
                + (select count(*) from pg_class where relnamespace = 'public'::regnamespace)";
    assert_eq!(
        admin.query_one(left, &[]).await.unwrap().get::<_, i64>(0),
        0
    );
}
