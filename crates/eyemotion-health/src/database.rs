use crate::repository;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::Db;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use serde_json::json;

/// Whether PostgreSQL answers a query through the same pools as requests use.
pub struct DatabaseProbe {
    db: Db,
}

impl DatabaseProbe {
    /// Of this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Probe for DatabaseProbe {
    fn component(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> ComponentHealth {
        let asked = async {
            let mut tx = self.db.read(&Ctx::system("health")).await?;
            repository::server_version(&mut tx).await
        };
        match asked.await {
            Ok(version) => {
                let mut health = ComponentHealth::new(HealthStatus::Healthy, "answers queries");
                health.details.insert("version".to_owned(), json!(version));
                health
            }
            // A report is public: what exactly is wrong stands in the log.
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database is critical"
                );
                ComponentHealth::new(
                    HealthStatus::Critical,
                    "does not answer: check that PostgreSQL runs and that DATABASE_URL is right",
                )
            }
        }
    }
}
