//! The migrated database that every test's database is a copy of.

use eyemotion_db::{DatabaseConfig, migrate, schema_hash};
use tokio_postgres::Client;

use crate::{database::Failure, server::Server};

const PREFIX: &str = "schema_";
/// Held while the template is made.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// Makes the template for the current schema unless it is there, and returns its name.
pub(crate) async fn ensure(server: &Server, maintenance: &Client) -> Result<String, Failure> {
    let hash = schema_hash();
    let name = format!("{PREFIX}{}", hash.get(..32).unwrap_or(&hash));
    if is_finished(maintenance, &name).await? {
        return Ok(name);
    }
    maintenance
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await?;
    let made = if is_finished(maintenance, &name).await? {
        Ok(())
    } else {
        make(server, maintenance, &name).await
    };
    maintenance
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK])
        .await?;
    made.map(|()| name)
}

/// It becomes a template when everything in it is done.
async fn is_finished(maintenance: &Client, name: &str) -> Result<bool, Failure> {
    let row = maintenance
        .query_opt(
            "SELECT datistemplate FROM pg_database WHERE datname = $1",
            &[&name],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

async fn make(server: &Server, maintenance: &Client, name: &str) -> Result<(), Failure> {
    drop_outdated(maintenance).await?;
    maintenance
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await?;
    maintenance
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await?;
    migrate(&DatabaseConfig::new(server.url_of(name))).await?;
    // A database with a connection cannot be copied, so nobody gets one any more.
    maintenance
        .batch_execute(&format!(
            "ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"
        ))
        .await?;
    Ok(())
}

/// Removes the templates of former schemas, those of the last day excepted: another branch's tests
/// may be running on them.
async fn drop_outdated(maintenance: &Client) -> Result<(), Failure> {
    // Only the owner of a server may ask for the age of a file; elsewhere they stay.
    let outdated = "SELECT datname::text FROM pg_database \
         WHERE datname ^@ $1 AND (pg_stat_file('base/' || oid || '/PG_VERSION')).modification \
               < now() - interval '1 day'";
    let Ok(rows) = maintenance.query(outdated, &[&PREFIX]).await else {
        return Ok(());
    };
    for name in rows.iter().map(|row| row.get::<_, String>(0)) {
        maintenance
            .batch_execute(&format!("ALTER DATABASE {name} WITH IS_TEMPLATE false"))
            .await?;
        // One that is being copied right now stays.
        let _ = maintenance
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .await;
    }
    Ok(())
}
