use crate::schema::projects;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::ProjectId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// Locks what a trigger counts files on. Always before the file itself: whoever deletes a project
/// locks in that order too, and would else wait for us while we wait for them.
pub(crate) async fn lock_counters(tx: &mut Tx, project: ProjectId) -> Result<(), DbError> {
    projects::table
        .filter(projects::id.eq(project.0))
        .select(projects::id)
        .for_no_key_update()
        .first::<Uuid>(tx)
        .await
        .optional()?;
    Ok(())
}
