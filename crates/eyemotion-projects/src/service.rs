//! The crate's public page.

use crate::error::ProjectError;
use crate::model::{Project, ProjectStatus, ProjectType};
use async_trait::async_trait;
use eyemotion_core::{Ctx, Page, PageRequest, ProjectId, UserId};
use serde_json::{Map, Value};

/// A person's film projects. A project of somebody else, a deleted and an unknown one look alike:
/// [`ProjectError::NotFound`]. Admins read everybody's and change their own only.
#[async_trait]
pub trait Projects: Send + Sync {
    /// Starts a project for the caller. The same idempotency key gives the same project.
    ///
    /// # Errors
    /// [`ProjectError::Invalid`], [`ProjectError::Idempotency`].
    async fn create(&self, ctx: &Ctx, new: NewProject) -> Result<Project, ProjectError>;

    /// The caller's projects, newest first, in one query.
    async fn list(
        &self,
        ctx: &Ctx,
        filter: ProjectFilter,
        page: PageRequest,
    ) -> Result<Page<Project>, ProjectError>;

    /// A person's projects, newest first: the caller's own, or anybody's for an admin.
    ///
    /// # Errors
    /// [`ProjectError::OwnerNotFound`] for everybody else.
    async fn list_of(
        &self,
        ctx: &Ctx,
        owner: UserId,
        filter: ProjectFilter,
        page: PageRequest,
    ) -> Result<Page<Project>, ProjectError>;

    /// One project.
    ///
    /// # Errors
    /// [`ProjectError::NotFound`].
    async fn get(&self, ctx: &Ctx, id: ProjectId) -> Result<Project, ProjectError>;

    /// Changes a project; `if_match` is the version that the change was made from.
    ///
    /// # Errors
    /// [`ProjectError::Invalid`], [`ProjectError::NotFound`], [`ProjectError::VersionMismatch`].
    async fn update(
        &self,
        ctx: &Ctx,
        id: ProjectId,
        update: ProjectUpdate,
        if_match: Option<i64>,
    ) -> Result<Project, ProjectError>;

    /// Deletes a project with all its files, in one transaction.
    ///
    /// # Errors
    /// [`ProjectError::NotFound`], [`ProjectError::VersionMismatch`].
    async fn delete(
        &self,
        ctx: &Ctx,
        id: ProjectId,
        if_match: Option<i64>,
    ) -> Result<(), ProjectError>;
}

/// A project to be started.
#[derive(Clone, Debug, Default)]
pub struct NewProject {
    /// 1 to 200 characters after trimming, on one line.
    pub name: String,
    /// At most 10000 characters; empty if absent.
    pub description: Option<String>,
    /// [`ProjectType::Other`] if absent.
    pub kind: Option<ProjectType>,
    /// At most 64 KiB of JSON; empty if absent.
    pub settings: Option<Map<String, Value>>,
    /// An http or https address, at most 2048 characters.
    pub thumbnail_url: Option<String>,
}

/// A merge patch (RFC 7396): what is absent stays, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct ProjectUpdate {
    /// See [`NewProject::name`].
    pub name: Option<String>,
    /// See [`NewProject::description`].
    pub description: Option<String>,
    /// What sort of film it is.
    pub kind: Option<ProjectType>,
    /// How far it is; any status may follow any other.
    pub status: Option<ProjectStatus>,
    /// Merged into the stored object, recursively; a null removes its key.
    pub settings: Option<Map<String, Value>>,
    /// Merged like `settings`.
    pub collaboration_settings: Option<Map<String, Value>>,
    /// See [`NewProject::thumbnail_url`].
    pub thumbnail_url: Option<Option<String>>,
}

/// Which projects are wanted; what is absent does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProjectFilter {
    /// Only those in this status.
    pub status: Option<ProjectStatus>,
    /// Only those of this sort.
    pub kind: Option<ProjectType>,
}
