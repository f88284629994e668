use eyemotion_testkit::TestDatabase;
use tokio_postgres::{Client, NoTls};

async fn exists(admin: &Client, database: &str) -> bool {
    let query = "SELECT FROM pg_database WHERE datname = $1";
    admin
        .query_opt(query, &[&database])
        .await
        .unwrap()
        .is_some()
}

async fn name(client: &Client) -> String {
    client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn each_database_has_the_schema_and_shares_nothing() {
    let (first, second) = tokio::join!(TestDatabase::new(), TestDatabase::new());
    let (ours, theirs) = (first.admin().await, second.admin().await);
    assert_ne!(name(&ours).await, name(&theirs).await);
    for client in [&ours, &theirs] {
        client
            .batch_execute("SELECT FROM user_profiles; CREATE TABLE mine ()")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_database_is_dropped_with_its_value_whoever_is_connected() {
    let kept = TestDatabase::new().await;
    let dropped = TestDatabase::new().await;
    let connected = dropped.admin().await;
    let (admin, gone) = (kept.admin().await, name(&connected).await);
    assert!(exists(&admin, &gone).await);
    drop(dropped);
    assert!(!exists(&admin, &gone).await);
}

#[tokio::test]
async fn the_database_of_a_failed_test_stays() {
    let database = TestDatabase::new().await;
    let url = database.url().to_owned();
    let failed = tokio::spawn(async move {
        let _database = database;
        panic!("as a failed test does");
    });
    assert!(failed.await.unwrap_err().is_panic());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let name = name(&client).await;
    drop(client);
    let other = TestDatabase::new().await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    other.admin().await.batch_execute(&drop).await.unwrap();
}
