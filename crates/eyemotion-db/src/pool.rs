use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector};
use crate::error::DbError;
use deadpool::managed::{
    self, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType, Timeouts,
};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::{self, FutureExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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
        // Boxed because it is rare and large: every wait for a connection would carry its state.
        let mut connection = Box::pin(self.connector.connect_diesel()).await?;
        connection
            .batch_execute(&self.setup)
            .await
            .map_err(ConnectError::setup)?;
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

thread_local! {
    /// Which shard is this thread's own.
    static HOME: usize = NEXT_HOME.fetch_add(1, Ordering::Relaxed);
}

static NEXT_HOME: AtomicUsize = AtomicUsize::new(0);

/// The connections of one role, in one shard for each core. A connection is driven by the runtime
/// of the thread that opened it, and HTTP workers have one each: a request that gets a connection
/// of its own thread's needs no other thread to be woken.
struct RolePool {
    shards: Vec<managed::Pool<RoleManager>>,
}

impl RolePool {
    fn new(
        role: DbRole,
        config: &DatabaseConfig,
        connector: &Arc<Connector>,
    ) -> Result<Self, ConnectError> {
        let setup = format!(
            "SET ROLE {}; SET search_path = public; SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = 60000",
            role.as_str(),
            config.statement_timeout.as_millis(),
            config.lock_timeout.as_millis(),
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = cores.min(config.pool_size).max(1);
        let shard = |index: usize| {
            let manager = RoleManager {
                connector: Arc::clone(connector),
                setup: setup.clone(),
            };
            // The first ones take what cannot be shared out evenly.
            let size = config.pool_size / count + usize::from(index < config.pool_size % count);
            managed::Pool::builder(manager)
                .max_size(size)
                .runtime(deadpool::Runtime::Tokio1)
                .wait_timeout(Some(config.acquire_timeout))
                .create_timeout(Some(config.acquire_timeout))
                .build()
                .map_err(ConnectError::setup)
        };
        Ok(Self {
            shards: (0..count).map(shard).collect::<Result<_, _>>()?,
        })
    }

    /// One of this thread's own; else one that another shard has to spare; else the next that
    /// comes free anywhere.
    async fn get(&self) -> Result<Connection, PoolError<ConnectError>> {
        let home = HOME.with(|home| home % self.shards.len());
        let (before, from_home) = self.shards.split_at(home);
        for shard in from_home.iter().chain(before) {
            let at_once = Timeouts {
                wait: Some(Duration::ZERO),
                ..shard.timeouts()
            };
            match shard.timeout_get(&at_once).await {
                Err(PoolError::Timeout(TimeoutType::Wait)) => {}
                got => return got,
            }
        }
        let anywhere = self.shards.iter().map(|shard| shard.get().boxed());
        let (got, _, _) = future::select_all(anywhere).await;
        got
    }

    fn close(&self) {
        self.shards.iter().for_each(managed::Pool::close);
    }
}

/// One pool for each role.
pub(crate) struct Pools {
    anon: RolePool,
    authenticated: RolePool,
    service: RolePool,
}

impl Pools {
    pub(crate) fn new(
        config: &DatabaseConfig,
        connector: &Arc<Connector>,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            anon: RolePool::new(DbRole::Anon, config, connector)?,
            authenticated: RolePool::new(DbRole::Authenticated, config, connector)?,
            service: RolePool::new(DbRole::Service, config, connector)?,
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
