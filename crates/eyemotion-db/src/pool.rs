use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector};
use crate::error::DbError;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use std::sync::Arc;

/// The database roles that requests run as. None of them owns a table or passes row-level security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DbRole {
    /// Nobody has signed in.
    Anon,
    /// A signed-in person, with that person's rights and no more.
    Authenticated,
    /// The platform: as itself, or acting for one person whose rows are then all it sees.
    Service,
}

impl DbRole {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Service => "service_role",
        }
    }
}

/// Makes connections that have one role for all their life: switching roles on a connection
/// re-plans its prepared statements.
pub(crate) struct RoleManager {
    connector: Arc<Connector>,
    setup: String,
}

impl managed::Manager for RoleManager {
    type Type = AsyncPgConnection;
    type Error = ConnectError;

    async fn create(&self) -> Result<AsyncPgConnection, ConnectError> {
        let mut connection = self.connector.connect_diesel().await?;
        connection.batch_execute(&self.setup).await.map_err(ConnectError::setup)?;
        Ok(connection)
    }

    async fn recycle(
        &self,
        connection: &mut AsyncPgConnection,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        if connection.is_broken() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

pub(crate) type Connection = Object<RoleManager>;

/// One pool for each role.
pub(crate) struct Pools {
    anon: managed::Pool<RoleManager>,
    authenticated: managed::Pool<RoleManager>,
    service: managed::Pool<RoleManager>,
}

impl Pools {
    pub(crate) fn new(config: &DatabaseConfig, connector: &Arc<Connector>) -> Result<Self, ConnectError> {
        let pool = |role: DbRole| {
            let setup = format!(
                "SET ROLE {}; SET statement_timeout = {}; SET lock_timeout = {}; \
                 SET idle_in_transaction_session_timeout = 60000",
                role.as_str(),
                config.statement_timeout.as_millis(),
                config.lock_timeout.as_millis(),
            );
            managed::Pool::builder(RoleManager { connector: Arc::clone(connector), setup })
                .max_size(config.pool_size)
                .runtime(deadpool::Runtime::Tokio1)
                .wait_timeout(Some(config.acquire_timeout))
                .create_timeout(Some(config.acquire_timeout))
                .build()
                .map_err(ConnectError::setup)
        };
        Ok(Self {
            anon: pool(DbRole::Anon)?,
            authenticated: pool(DbRole::Authenticated)?,
            service: pool(DbRole::Service)?,
        })
    }

    pub(crate) async fn get(&self, role: DbRole) -> Result<Connection, DbError> {
        let pool = match role {
            DbRole::Anon => &self.anon,
            DbRole::Authenticated => &self.authenticated,
            DbRole::Service => &self.service,
        };
        pool.get().await.map_err(|error| match error {
            PoolError::Timeout(what) => {
                DbError::Unavailable(format!("no connection in time ({what:?})").into())
            }
            other => DbError::Unavailable(other.into()),
        })
    }

    pub(crate) fn close(&self) {
        self.anon.close();
        self.authenticated.close();
        self.service.close();
    }
}
