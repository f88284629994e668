//! What processing finds out about a file. Every step is guarded by the state it starts from.

use crate::model::{FileStatus, Rational, ThumbnailStatus};
use crate::repository::changed;
use crate::schema::stored_files as files;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::FileId;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;

/// One step of processing.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub from: FileStatus,
    pub to: FileStatus,
    /// Percent.
    pub progress: i16,
    pub error: Option<&'a str>,
}

/// Goes one step. False: the file has been trashed or purged meanwhile, or has gone it already.
pub(crate) async fn step(tx: &mut Tx, id: FileId, step: &Step<'_>) -> Result<bool, DbError> {
    changed(
        diesel::update(files::table.find(id.0))
            .filter(files::processing_status.eq(step.from.as_str()))
            .set((
                files::processing_status.eq(step.to.as_str()),
                files::processing_progress.eq(step.progress),
                files::processing_error.eq(step.error),
            ))
            .execute(tx)
            .await,
    )
}

/// What a file turned out to be.
#[derive(AsChangeset, Debug, Default)]
#[diesel(table_name = files)]
#[diesel(treat_none_as_null = true)]
pub(crate) struct Facts {
    pub duration_us: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub fps_num: Option<i32>,
    pub fps_den: Option<i32>,
    pub codec: Option<String>,
    pub bit_rate: Option<i64>,
    #[diesel(treat_none_as_null = false)]
    pub media: Option<Value>,
}

impl Facts {
    pub(crate) fn set_frame_rate(&mut self, rate: Rational) {
        if let (Ok(num), Ok(den)) = (rate.num().try_into(), rate.den().try_into()) {
            self.fps_num = Some(num);
            self.fps_den = Some(den);
        }
    }
}

/// Stores what was found. The caller has locked the file.
pub(crate) async fn describe(tx: &mut Tx, id: FileId, facts: &Facts) -> Result<(), DbError> {
    diesel::update(files::table.find(id.0))
        .set(facts)
        .execute(tx)
        .await?;
    Ok(())
}

/// Stores what came of the thumbnail. The caller has locked the file.
pub(crate) async fn set_thumbnail(
    tx: &mut Tx,
    id: FileId,
    status: ThumbnailStatus,
    key: Option<String>,
) -> Result<(), DbError> {
    diesel::update(files::table.find(id.0))
        .set((
            files::thumbnail_status.eq(status.as_str()),
            files::thumbnail_path.eq(key),
        ))
        .execute(tx)
        .await?;
    Ok(())
}
