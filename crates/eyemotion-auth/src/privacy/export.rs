//! Everything that is kept about somebody, read by what the domains declare.

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::lifecycle::{ACCOUNT, PROFILE};
use crate::privacy::Export;
use crate::privacy::archive::Archive;
use async_stream::try_stream;
use bytes::Bytes;
use eyemotion_core::{Ctx, UserId};
use eyemotion_db::Db;
use eyemotion_db::personal::{PersonalRow, PersonalTable};
use eyemotion_ports::Activity;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use std::sync::Arc;
use std::time::Duration;

/// Rows that are read at once.
const PAGE: i64 = 2000;
/// How soon it makes sense to try again when too many are at it.
const BUSY: Duration = Duration::from_secs(30);

const README: &str = "\
This archive holds what EyeMotion keeps about you.

profile.json      your account and your profile
<section>.ndjson  the rest: a JSON object a line; a section without lines has nothing about you
files.ndjson      the list of your files: name, size, SHA-256 (hexadecimal)

The media themselves are not in here. To have one, call the path in its member \"download\" on the server,
signed in: the answer holds a URL of the bytes, which works for some minutes.

Left out are secrets (such as the hash of your password) and what serves only our own bookkeeping.
Times are UTC or carry their offset; sizes are bytes; money is in satang; durations are microseconds.
";

impl AccountService {
    pub(crate) async fn begin_export(&self, ctx: &Ctx) -> Result<Export, AuthError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        self.require_recent(&mut tx, ctx).await?;
        let permit = Arc::clone(&self.exports)
            .try_acquire_owned()
            .map_err(|_| AuthError::Overloaded { retry_after: BUSY })?;
        let activity = Activity::new("account.exported", "user", user);
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        let tables: Vec<_> = self
            .lifecycle
            .iter()
            .flat_map(|domain| domain.tables())
            .collect();
        let bytes = archive(self.db.clone(), ctx.clone(), user, tables);
        let day = self.clock.now().format("%Y-%m-%d");
        Ok(Export {
            file_name: format!("eyemotion-{day}.zip"),
            bytes: held(bytes, permit),
        })
    }
}

/// The stream, with something that is kept until it ends.
fn held<T: Send + 'static>(
    bytes: impl Stream<Item = Result<Bytes, AuthError>> + Send + 'static,
    permit: T,
) -> BoxStream<'static, Result<Bytes, AuthError>> {
    bytes
        .inspect(move |_| {
            let _ = &permit;
        })
        .filter(|piece| {
            let is_something = piece.as_ref().map_or(true, |bytes| !bytes.is_empty());
            std::future::ready(is_something)
        })
        .boxed()
}

fn archive(
    db: Db,
    ctx: Ctx,
    user: UserId,
    tables: Vec<&'static PersonalTable>,
) -> impl Stream<Item = Result<Bytes, AuthError>> + Send {
    try_stream! {
        let mut archive = Archive::new();
        archive.begin("README.txt")?;
        archive.line(README)?;
        yield archive.take();

        archive.begin("profile.json")?;
        let account = page(&db, &ctx, user, &ACCOUNT, None).await?;
        let profile = page(&db, &ctx, user, &PROFILE, None).await?;
        let only = |rows: Vec<PersonalRow>| {
            rows.into_iter().next().map_or_else(|| "null".to_owned(), |row| row.line)
        };
        archive.line(&format!(
            "{{\"account\":{},\"profile\":{}}}",
            only(account),
            only(profile)
        ))?;
        yield archive.take();

        let rest = tables.into_iter().filter(|table| {
            ![ACCOUNT.table, PROFILE.table].contains(&table.table)
        });
        for table in rest {
            archive.begin(&format!("{}.ndjson", table.section))?;
            let mut after: Option<Vec<String>> = None;
            loop {
                let mut rows = page(&db, &ctx, user, table, after.as_deref()).await?;
                for row in &rows {
                    archive.line(&row.line)?;
                }
                yield archive.take();
                match rows.pop() {
                    Some(last) => after = Some(last.key),
                    None => break,
                }
            }
        }
        yield archive.finish()?;
    }
}

/// In a transaction of its own: a slow reader must not hold a connection.
async fn page(
    db: &Db,
    ctx: &Ctx,
    user: UserId,
    table: &PersonalTable,
    after: Option<&[String]>,
) -> Result<Vec<PersonalRow>, AuthError> {
    let mut tx = db.read_for(ctx).await?;
    Ok(table.rows(&mut tx, user, after, PAGE).await?)
}
