use crate::cli::MigrateAction;
use crate::{Failure, output};
use eyemotion_db::DatabaseConfig;
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use gateway::config::Settings;
use std::time::Duration;

/// The database for as long as a command runs.
pub struct Database {
    /// How to reach it.
    pub config: DatabaseConfig,
    /// Ours, if none was configured.
    pub local: Option<LocalPostgres>,
}

impl Database {
    /// The configured database, or the local one, started.
    pub async fn open(settings: &Settings) -> Result<Self, Failure> {
        let (url, local) = if let Some(url) = &settings.database.url {
            (url.expose().to_owned(), None)
        } else {
            let local = LocalPostgres::start(&LocalConfig {
                data_dir: settings.data.dir.clone(),
                bin_dir: settings.pg.bin.clone(),
                ..LocalConfig::default()
            })
            .await
            .map_err(Failure::new)?;
            (local.url(), Some(local))
        };
        let config = DatabaseConfig {
            pool_size: settings.database.pool_size,
            acquire_timeout: Duration::from_secs(settings.database.acquire_timeout_secs),
            statement_timeout: Duration::from_secs(settings.database.statement_timeout_secs),
            lock_timeout: Duration::from_secs(settings.database.lock_timeout_secs),
            ..DatabaseConfig::new(url)
        };
        Ok(Self { config, local })
    }

    /// Stops the local one.
    pub async fn close(self) -> Result<(), Failure> {
        match self.local {
            Some(local) => local.stop().await.map_err(Failure::new),
            None => Ok(()),
        }
    }
}

/// `migrate up`, `status`, `down`.
pub async fn migrate(settings: &Settings, action: MigrateAction) -> Result<(), Failure> {
    if let MigrateAction::Down { yes: false, .. } = action {
        let advice = "this drops tables and what is in them; say --yes to do it";
        return Err(Failure::new(advice));
    }
    let database = Database::open(settings).await?;
    let done = run(&database.config, action).await;
    database.close().await?;
    done
}

async fn run(config: &DatabaseConfig, action: MigrateAction) -> Result<(), Failure> {
    let lines = match action {
        MigrateAction::Up => {
            let ran = eyemotion_db::migrate(config).await.map_err(Failure::new)?;
            if ran.is_empty() {
                vec!["The schema is up to date.".to_owned()]
            } else {
                ran
            }
        }
        MigrateAction::Down { steps, .. } => eyemotion_db::migrate_down(config, steps)
            .await
            .map_err(Failure::new)?,
        MigrateAction::Status => eyemotion_db::migration_status(config)
            .await
            .map_err(Failure::new)?
            .iter()
            .map(|state| {
                format!(
                    "{}  {}",
                    if state.applied { "applied" } else { "pending" },
                    state.name
                )
            })
            .collect(),
    };
    output::print(&(lines.join("\n") + "\n"))
}
