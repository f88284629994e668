//! What projects keep about people.

use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, erase_rows};

const PROJECTS: PersonalTable = PersonalTable {
    section: "projects",
    table: "public.projects",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "name",
        "description",
        "type",
        "status",
        "settings",
        "collaboration_settings",
        "thumbnail_url",
        "file_count",
        "total_duration_us",
        "export_count",
        "last_opened_at",
        "deleted_at",
        "created_at",
        "updated_at",
    ],
    withheld: &[("version", "bookkeeping of our own")],
    fate: Fate::Deleted,
};

/// The projects of people who leave. Their files have to be gone before.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProjectsOfPeople;

#[async_trait]
impl AccountLifecycle for ProjectsOfPeople {
    fn domain(&self) -> &'static str {
        "projects"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[PROJECTS]
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        erase_rows(tx, self.tables(), leaver.id).await
    }
}
