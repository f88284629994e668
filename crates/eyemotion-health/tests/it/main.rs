//! The crate against a real database.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

use eyemotion_db::{DatabaseConfig, Db};
use eyemotion_health::{Components, DatabaseProbe, Health};
use eyemotion_ports::HealthStatus;
use eyemotion_testkit::TestDatabase;
use std::sync::Arc;

fn health(config: &DatabaseConfig) -> (Db, Components) {
    let db = Db::new(config).unwrap();
    (
        db.clone(),
        Components::new(vec![Arc::new(DatabaseProbe::new(db))]),
    )
}

#[tokio::test]
async fn a_database_that_answers_is_healthy_and_tells_its_version() {
    let database = TestDatabase::new().await;
    let (_, health) = health(&database.config());
    let report = health.check().await;
    assert_eq!(report.status, HealthStatus::Healthy);
    let version = report.components["database"].details["version"]
        .as_str()
        .unwrap();
    assert!(
        version.starts_with(|c: char| c.is_ascii_digit()),
        "{version}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_critical_and_its_address_stays_secret() {
    let config = DatabaseConfig::new("postgres://me:hunter2@127.0.0.1:1/nowhere");
    let (_, health) = health(&config);
    let report = health.check().await;
    assert_eq!(report.status, HealthStatus::Critical);
    assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
    assert!(!format!("{report:?}").contains("127.0.0.1"), "{report:?}");
}

#[tokio::test]
async fn a_closed_pool_is_critical() {
    let database = TestDatabase::new().await;
    let (db, health) = health(&database.config());
    db.close();
    assert_eq!(health.check().await.status, HealthStatus::Critical);
}
