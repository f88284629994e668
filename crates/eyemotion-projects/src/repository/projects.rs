use crate::model::{Project, ProjectStatus, ProjectType};
use crate::schema::projects;
use crate::service::ProjectFilter;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{PageRequest, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::{Map, Value};
use std::str::FromStr;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(diesel::pg::Pg))]
struct ProjectRow {
    id: Uuid,
    user_id: Uuid,
    name: String,
    description: String,
    kind: String,
    status: String,
    settings: Value,
    collaboration_settings: Value,
    thumbnail_url: Option<String>,
    file_count: i32,
    total_duration_us: i64,
    export_count: i32,
    last_opened_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<ProjectRow> for Project {
    type Error = DbError;

    fn try_from(row: ProjectRow) -> Result<Self, DbError> {
        Ok(Self {
            id: ProjectId(row.id),
            owner: UserId(row.user_id),
            name: row.name,
            description: row.description,
            kind: name::<ProjectType>(&row.kind)?,
            status: name::<ProjectStatus>(&row.status)?,
            settings: object(row.settings),
            collaboration_settings: object(row.collaboration_settings),
            thumbnail_url: row.thumbnail_url,
            file_count: row.file_count,
            total_duration_us: row.total_duration_us,
            export_count: row.export_count,
            last_opened_at: row.last_opened_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn name<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    text: &str,
) -> Result<T, DbError> {
    text.parse()
        .map_err(|error: T::Err| DbError::Other(error.into()))
}

/// A constraint keeps both columns objects.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[derive(Insertable)]
#[diesel(table_name = projects)]
pub(crate) struct NewProjectRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    pub description: String,
    pub kind: &'static str,
    pub settings: Value,
    pub thumbnail_url: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, row: NewProjectRow) -> Result<Project, DbError> {
    diesel::insert_into(projects::table)
        .values(row)
        .returning(ProjectRow::as_returning())
        .get_result(tx)
        .await?
        .try_into()
}

pub(crate) async fn find(tx: &mut Tx, id: ProjectId) -> Result<Option<Project>, DbError> {
    projects::table
        .filter(projects::id.eq(id.0))
        .filter(projects::deleted_at.is_null())
        .select(ProjectRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(Project::try_from)
        .transpose()
}

/// As many as `page` wants and one more, newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    owner: UserId,
    filter: ProjectFilter,
    page: PageRequest,
) -> Result<Vec<Project>, DbError> {
    let mut query = projects::table
        .filter(projects::user_id.eq(owner.0))
        .filter(projects::deleted_at.is_null())
        .order((projects::created_at.desc(), projects::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(ProjectRow::as_select())
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(projects::status.eq(status.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(projects::kind.eq(kind.as_str()));
    }
    if let Some(after) = page.after {
        // The first condition alone lets the index start at the cursor.
        query = query
            .filter(projects::created_at.le(after.created_at))
            .filter(
                projects::created_at
                    .lt(after.created_at)
                    .or(projects::id.lt(after.id)),
            );
    }
    query
        .load(tx)
        .await?
        .into_iter()
        .map(Project::try_from)
        .collect()
}

/// Locks a project of the person that `tx` acts for, to change it.
pub(crate) async fn lock_for_change(
    tx: &mut Tx,
    id: ProjectId,
) -> Result<Option<Project>, DbError> {
    projects::table
        .filter(projects::id.eq(id.0))
        .filter(projects::deleted_at.is_null())
        .select(ProjectRow::as_select())
        .for_no_key_update()
        .first(tx)
        .await
        .optional()?
        .map(Project::try_from)
        .transpose()
}

/// Locks a project to delete it: waits for everybody who [`hold`]s it. Returns its version.
pub(crate) async fn lock_for_deletion(tx: &mut Tx, id: ProjectId) -> Result<Option<i64>, DbError> {
    Ok(projects::table
        .filter(projects::id.eq(id.0))
        .filter(projects::deleted_at.is_null())
        .select(projects::version)
        .for_update()
        .first(tx)
        .await
        .optional()?)
}

/// Keeps a project from being deleted; others may hold it too, and count its files.
pub(crate) async fn hold(tx: &mut Tx, id: ProjectId) -> Result<bool, DbError> {
    let found = projects::table
        .filter(projects::id.eq(id.0))
        .filter(projects::deleted_at.is_null())
        .select(projects::id)
        .for_key_share()
        .first::<Uuid>(tx)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// What changes; an absent column stays.
#[derive(AsChangeset, Default, PartialEq)]
#[diesel(table_name = projects)]
pub(crate) struct ProjectChanges {
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<&'static str>,
    pub status: Option<&'static str>,
    pub settings: Option<Value>,
    pub collaboration_settings: Option<Value>,
    #[expect(
        clippy::option_option,
        reason = "Diesel's form: none stays, null clears"
    )]
    pub thumbnail_url: Option<Option<String>>,
}

pub(crate) async fn update(
    tx: &mut Tx,
    id: ProjectId,
    changes: ProjectChanges,
) -> Result<Project, DbError> {
    diesel::update(projects::table.find(id.0))
        .set(changes)
        .returning(ProjectRow::as_returning())
        .get_result(tx)
        .await?
        .try_into()
}

pub(crate) async fn mark_deleted(
    tx: &mut Tx,
    id: ProjectId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(projects::table.find(id.0))
        .set(projects::deleted_at.eq(now))
        .execute(tx)
        .await?;
    Ok(())
}
