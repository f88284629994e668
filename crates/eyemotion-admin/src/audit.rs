use crate::repository::activity_logs::{self, ActivityRow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Ctx, Cursor, Page, PageRequest, UserId};
use eyemotion_db::{Db, DbError};
use serde_json::Value;
use uuid::Uuid;

/// Reads the audit log.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Lines of everybody's, the newest first. Whoever is no admin gets none but their own.
    async fn list(
        &self,
        ctx: &Ctx,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, DbError>;

    /// The lines of the caller's own log, the newest first. Where somebody else acted, it does
    /// not say from where.
    async fn own(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<AuditEntry>, DbError>;
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Those in this person's log.
    pub user: Option<UserId>,
    /// Those of what this person did, in whoever's log.
    pub actor: Option<UserId>,
    /// Those of this action.
    pub action: Option<String>,
    /// Those of this moment and later ones.
    pub from: Option<DateTime<Utc>>,
    /// Those before this moment.
    pub to: Option<DateTime<Utc>>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The line.
    pub id: Uuid,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// In whose log; none: in nobody's.
    pub user: Option<UserId>,
    /// Who acted.
    pub actor: AuditActor,
    /// What was done: `project.created` ...
    pub action: String,
    /// To what sort of thing.
    pub resource_type: Option<String>,
    /// To which one.
    pub resource_id: Option<String>,
    /// Further facts: an object.
    pub details: Value,
    /// From which address.
    pub ip_address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// In which session.
    pub session: Option<Uuid>,
    /// In which request.
    pub request_id: Option<String>,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditActor {
    /// Nobody had signed in.
    Anonymous,
    /// A person.
    User(UserId),
    /// Something else, by its name: `system:auth`, `api_key:<id>`.
    Other(String),
}

impl AuditActor {
    /// `user:<id>`, `anonymous` or the name.
    pub fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User(id) => format!("user:{id}"),
            Self::Other(name) => name.clone(),
        }
    }

    /// The log names the actor where it is not its owner; a session is its owner's.
    fn of(named: Option<Value>, user: Option<Uuid>, session: Option<Uuid>) -> Self {
        match (named, user) {
            (Some(Value::String(name)), _) => name
                .strip_prefix("user:")
                .and_then(|id| id.parse().ok())
                .map_or(Self::Other(name), Self::User),
            (_, Some(user)) if session.is_some() => Self::User(UserId(user)),
            _ => Self::Anonymous,
        }
    }
}

impl From<ActivityRow> for AuditEntry {
    fn from(row: ActivityRow) -> Self {
        let mut details = row.details;
        let named = details
            .as_object_mut()
            .and_then(|members| members.remove("actor"));
        Self {
            id: row.id,
            created_at: row.created_at,
            user: row.user_id.map(UserId),
            actor: AuditActor::of(named, row.user_id, row.session_id),
            action: row.action,
            resource_type: row.resource_type,
            resource_id: row.resource_id,
            details,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            session: row.session_id,
            request_id: row.request_id,
        }
    }
}

/// [`Audit`] over PostgreSQL, whose policies decide what each caller sees.
pub struct AuditService {
    db: Db,
}

impl AuditService {
    /// Reads the log in `db`.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn read(
        &self,
        ctx: &Ctx,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, DbError> {
        let mut tx = self.db.read(ctx).await?;
        let rows = activity_logs::list(&mut tx, filter, page).await?;
        let page = Page::from_rows(rows, page.limit, |row| Cursor {
            created_at: row.created_at,
            id: row.id,
        });
        Ok(page.map(AuditEntry::from))
    }
}

#[async_trait]
impl Audit for AuditService {
    async fn list(
        &self,
        ctx: &Ctx,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, DbError> {
        self.read(ctx, &filter, page).await
    }

    async fn own(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<AuditEntry>, DbError> {
        let Some(user) = ctx.user_id() else {
            let items = Vec::new();
            return Ok(Page { items, next: None });
        };
        let filter = AuditFilter {
            user: Some(user),
            ..AuditFilter::default()
        };
        let page = self.read(ctx, &filter, page).await?;
        Ok(page.map(|entry| match entry.actor {
            AuditActor::User(actor) if actor != user => AuditEntry {
                ip_address: None,
                user_agent: None,
                session: None,
                ..entry
            },
            _ => entry,
        }))
    }
}
