use crate::admission::Admission;
use crate::changes::Changes;
use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector};
use crate::error::DbError;
use crate::listen::Notifications;
use crate::pool::{DbRole, Pools};
use crate::statements::SetContext;
use crate::tx::Tx;
use eyemotion_core::{Actor, Ctx};
use serde_json::json;
use std::sync::{Arc, OnceLock};

/// PostgreSQL, for the whole process. Cheap to clone.
///
/// Every transaction needs a [`Ctx`]; the actor in it decides the database role and the claims
/// that row-level security reads. There is no other way to a query.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    connector: Arc<Connector>,
    changes: Arc<OnceLock<Changes>>,
}

impl Db {
    /// Makes the pools; connections are opened when they are first needed.
    pub fn new(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        let connector = Arc::new(Connector::new(config)?);
        let pools = Arc::new(Pools::new(config, &connector)?);
        Ok(Self {
            pools,
            connector,
            changes: Arc::default(),
        })
    }

    /// A transaction with exactly the caller's rights: `anon` for nobody, `authenticated` for a
    /// person, `service_role` for the platform.
    pub async fn begin(&self, ctx: &Ctx) -> Result<Tx, DbError> {
        proven(ctx)?;
        let role = own_role(ctx);
        self.open(ctx, role, Tx::write).await
    }

    /// Queries with exactly the caller's rights, each a read-only transaction of its own that
    /// takes one round trip. Not for queries with types of our own making: Diesel looks those up
    /// first, and the COMMIT would be there before the query, which then sees no rows.
    pub async fn read(&self, ctx: &Ctx) -> Result<Tx, DbError> {
        let role = own_role(ctx);
        self.open(ctx, role, Tx::read).await
    }

    /// A transaction of the platform on behalf of the caller: it may write what people may not
    /// (credits, quota, a file's state), and for a signed-in caller it still sees that person's
    /// rows only.
    pub async fn begin_for(&self, ctx: &Ctx) -> Result<Tx, DbError> {
        proven(ctx)?;
        self.open(ctx, DbRole::Service, Tx::write).await
    }

    /// Like [`Db::read`], with the platform's rights on behalf of the caller.
    pub async fn read_for(&self, ctx: &Ctx) -> Result<Tx, DbError> {
        self.open(ctx, DbRole::Service, Tx::read).await
    }

    /// Listens on `channels`, reconnecting for ever.
    pub fn listen(&self, channels: &'static [&'static str]) -> Notifications {
        Notifications::start(Arc::clone(&self.connector), channels)
    }

    /// What is changed anywhere, from this database on one connection for the whole process.
    pub fn changes(&self) -> Changes {
        let start = || Changes::start(Arc::clone(&self.connector));
        self.changes.get_or_init(start).clone()
    }

    /// Closes idle connections and refuses new ones.
    pub fn close(&self) {
        self.pools.close();
    }

    async fn open(
        &self,
        ctx: &Ctx,
        role: DbRole,
        make: impl FnOnce(crate::pool::Connection, Arc<Connector>, SetContext) -> Tx,
    ) -> Result<Tx, DbError> {
        let connection = self.pools.get(role).await?;
        let tx = make(connection, Arc::clone(&self.connector), context(ctx, role));
        Ok(tx.telling(self.changes.get()).admitting(Admission::of(ctx)))
    }
}

/// What is written cannot be taken back in the flight that it is written in.
const fn proven(ctx: &Ctx) -> Result<(), DbError> {
    match ctx.unproven_at {
        None => Ok(()),
        Some(_) => Err(DbError::NotAdmitted),
    }
}

const fn own_role(ctx: &Ctx) -> DbRole {
    match ctx.actor {
        Actor::Anonymous | Actor::ApiKey { .. } => DbRole::Anon,
        Actor::User { .. } => DbRole::Authenticated,
        Actor::System(_) => DbRole::Service,
    }
}

fn context(ctx: &Ctx, role: DbRole) -> SetContext {
    let (subject, claims) = match &ctx.actor {
        Actor::User {
            id,
            session,
            role: user_role,
        } => (
            id.to_string(),
            json!({ "sub": id, "sid": session, "role": role.as_str(), "user_role": user_role }),
        ),
        // Not the empty subject: on behalf of a key, `service_role` reaches no person's rows.
        Actor::ApiKey { id } => (id.to_string(), json!({ "sub": id, "role": role.as_str() })),
        Actor::Anonymous | Actor::System(_) => (String::new(), json!({ "role": role.as_str() })),
    };
    SetContext {
        subject,
        role: role.as_str(),
        claims: claims.to_string(),
        request_id: ctx.request_id.clone(),
    }
}
