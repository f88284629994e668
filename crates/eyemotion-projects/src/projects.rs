use crate::error::ProjectError;
use crate::model::{Project, ProjectStatus, ProjectType};
use crate::repository::projects::{self, NewProjectRow, ProjectChanges};
use crate::service::{NewProject, ProjectFilter, ProjectUpdate, Projects};
use crate::validation::{self, Faults};
use async_trait::async_trait;
use eyemotion_core::{Actor, Clock, Ctx, Page, PageRequest, ProjectId, UserId};
use eyemotion_db::{Db, DbError, Tx, idempotency};
use eyemotion_ports::{Activity, ActivityLog, ProjectContents, ProjectDirectory};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const CREATE: &str = "projects.create";

/// [`Projects`] on PostgreSQL.
pub struct ProjectService {
    db: Db,
    clock: Arc<dyn Clock>,
    activity: Arc<dyn ActivityLog>,
    contents: Arc<dyn ProjectContents>,
}

impl ProjectService {
    /// Puts the service together.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        activity: Arc<dyn ActivityLog>,
        contents: Arc<dyn ProjectContents>,
    ) -> Self {
        Self {
            db,
            clock,
            activity,
            contents,
        }
    }
}

#[async_trait]
impl Projects for ProjectService {
    async fn create(&self, ctx: &Ctx, mut new: NewProject) -> Result<Project, ProjectError> {
        let owner = caller(ctx)?;
        validation::check_new(&mut new)?;
        let mut tx = self.db.begin_for(ctx).await?;
        if let Some(project) = idempotency::replay(&mut tx, ctx, CREATE).await? {
            return Ok(project);
        }
        let now = self.clock.now();
        let row = NewProjectRow {
            id: self.clock.new_id(),
            user_id: owner.0,
            name: new.name,
            description: new.description.unwrap_or_default(),
            kind: new.kind.unwrap_or(ProjectType::Other).as_str(),
            settings: Value::Object(new.settings.unwrap_or_default()),
            thumbnail_url: new.thumbnail_url,
            created_at: now,
            updated_at: now,
        };
        let project = projects::insert(&mut tx, row).await.map_err(refused)?;
        let activity = Activity::new("project.created", "project", project.id)
            .with(json!({ "name": project.name }));
        self.activity.record(&mut tx, ctx, activity).await?;
        idempotency::remember(&mut tx, ctx, CREATE, &project).await?;
        tx.commit().await?;
        Ok(project)
    }

    async fn list(
        &self,
        ctx: &Ctx,
        filter: ProjectFilter,
        page: PageRequest,
    ) -> Result<Page<Project>, ProjectError> {
        self.list_of(ctx, caller(ctx)?, filter, page).await
    }

    async fn list_of(
        &self,
        ctx: &Ctx,
        owner: UserId,
        filter: ProjectFilter,
        page: PageRequest,
    ) -> Result<Page<Project>, ProjectError> {
        let may_read = match ctx.actor {
            Actor::User { id, role, .. } => id == owner || role.is_admin(),
            Actor::System(_) => true,
            Actor::Anonymous | Actor::ApiKey { .. } => {
                return Err(ProjectError::Unauthenticated);
            }
        };
        if !may_read {
            return Err(ProjectError::OwnerNotFound);
        }
        let mut tx = self.db.read(ctx).await?;
        let rows = projects::list(&mut tx, owner, filter, page).await?;
        Ok(Page::from_rows(rows, page.limit, Project::cursor))
    }

    async fn get(&self, ctx: &Ctx, id: ProjectId) -> Result<Project, ProjectError> {
        if ctx.actor == Actor::Anonymous {
            return Err(ProjectError::Unauthenticated);
        }
        let mut tx = self.db.read(ctx).await?;
        projects::find(&mut tx, id)
            .await?
            .ok_or(ProjectError::NotFound)
    }

    async fn update(
        &self,
        ctx: &Ctx,
        id: ProjectId,
        mut update: ProjectUpdate,
        if_match: Option<i64>,
    ) -> Result<Project, ProjectError> {
        caller(ctx)?;
        validation::check_update(&mut update)?;
        let mut tx = self.db.begin_for(ctx).await?;
        let stored = projects::lock_for_change(&mut tx, id)
            .await?
            .ok_or(ProjectError::NotFound)?;
        check_version(stored.version, if_match)?;
        let changes = changes(&stored, update)?;
        if changes == ProjectChanges::default() {
            return Ok(stored);
        }
        let project = projects::update(&mut tx, id, changes)
            .await
            .map_err(refused)?;
        let activity = Activity::new("project.updated", "project", id)
            .with(json!({ "version": project.version, "status": project.status }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(project)
    }

    async fn delete(
        &self,
        ctx: &Ctx,
        id: ProjectId,
        if_match: Option<i64>,
    ) -> Result<(), ProjectError> {
        caller(ctx)?;
        let mut tx = self.db.begin_for(ctx).await?;
        let version = projects::lock_for_deletion(&mut tx, id).await?;
        check_version(version.ok_or(ProjectError::NotFound)?, if_match)?;
        self.contents.discard(&mut tx, ctx, id).await?;
        projects::mark_deleted(&mut tx, id, self.clock.now()).await?;
        self.activity
            .record(
                &mut tx,
                ctx,
                Activity::new("project.deleted", "project", id),
            )
            .await?;
        Ok(tx.commit().await?)
    }
}

/// [`ProjectDirectory`]. It needs nothing but the caller's transaction, so that whoever uses it
/// can be made before [`ProjectService`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Directory;

#[async_trait]
impl ProjectDirectory for Directory {
    async fn hold(&self, tx: &mut Tx, _: &Ctx, project: ProjectId) -> Result<bool, DbError> {
        projects::hold(tx, project).await
    }
}

/// A transaction for nobody would be the system's own, so this is asked before one is begun.
fn caller(ctx: &Ctx) -> Result<UserId, ProjectError> {
    ctx.user_id().ok_or(ProjectError::Unauthenticated)
}

fn check_version(current: i64, if_match: Option<i64>) -> Result<(), ProjectError> {
    match if_match {
        Some(seen) if seen != current => Err(ProjectError::VersionMismatch { current }),
        _ => Ok(()),
    }
}

fn changes(stored: &Project, update: ProjectUpdate) -> Result<ProjectChanges, ProjectError> {
    let mut faults = Faults::default();
    let mut merged = |pointer, stored: &Map<String, Value>, patch: Option<Map<String, Value>>| {
        let patch = patch?;
        let mut settings = stored.clone();
        validation::merge(&mut settings, patch);
        faults.settings(pointer, &settings);
        Some(Value::Object(settings))
    };
    let settings = merged("/settings", &stored.settings, update.settings);
    let collaboration_settings = merged(
        "/collaborationSettings",
        &stored.collaboration_settings,
        update.collaboration_settings,
    );
    faults.into_result()?;
    Ok(ProjectChanges {
        name: update.name,
        description: update.description,
        kind: update.kind.map(ProjectType::as_str),
        status: update.status.map(ProjectStatus::as_str),
        settings,
        collaboration_settings,
        thumbnail_url: update.thumbnail_url,
    })
}

/// PostgreSQL writes JSON with more white space than we do, and measures that.
fn refused(error: DbError) -> ProjectError {
    let pointer = match error.constraint() {
        Some("projects_settings_check") => "/settings",
        Some("projects_collaboration_settings_check") => "/collaborationSettings",
        _ => return error.into(),
    };
    ProjectError::Invalid(vec![validation::too_large(pointer)])
}
