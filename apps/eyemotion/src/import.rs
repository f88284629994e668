//! `import supabase`.

mod progress;
mod summary;

use crate::cli::{ImportSource, SupabaseArgs};
use crate::database::Database;
use crate::{Failure, output};
use eyemotion_auth::{ImportReport, SupabaseSource};
use eyemotion_core::Ctx;
use eyemotion_db::DatabaseConfig;
use gateway::config::Settings;
use progress::Progress;
use std::io::Read;

/// Somebody could not come: EX_DATAERR of sysexits.
const SOME_REFUSED: u8 = 65;

/// Brings people over.
pub async fn run(settings: &Settings, source: ImportSource) -> Result<(), Failure> {
    let ImportSource::Supabase(args) = source;
    let url = address(&args)?;
    // The other database first: a mistyped address shall not make a database here.
    let source = SupabaseSource::open(&DatabaseConfig::new(url)).await;
    let source = source.map_err(|error| Failure::new(format!("the source: {error}")))?;
    let database = Database::open(settings).await?;
    let done = Box::pin(act(settings, &database, source, &args)).await;
    database.close().await?;
    done
}

async fn act(
    settings: &Settings,
    database: &Database,
    mut source: SupabaseSource,
    args: &SupabaseArgs,
) -> Result<(), Failure> {
    if source.is(&database.config).await.map_err(Failure::new)? {
        return Err(Failure::new(
            "source and target are one database: point DATABASE_URL at an empty one",
        ));
    }
    prepare(&database.config, args.dry_run).await?;
    for note in source.notes() {
        output::complain(note);
    }
    let accounts = gateway::accounts(settings, &database.config).map_err(Failure::new)?;
    let ctx = Ctx::system("cli");
    let mut progress = Progress::new(source.count().await.map_err(Failure::new)?);
    let mut report = ImportReport::default();
    let done = loop {
        let page = match source.next().await {
            Ok(page) if page.is_empty() => break Ok(()),
            Ok(page) => page,
            Err(error) => break Err(format!("the source: {error}")),
        };
        let bringing = report.bring(&accounts, &ctx, page, args.keep_roles, args.dry_run);
        if let Err(error) = bringing.await {
            break Err(error.to_string());
        }
        progress.show(report.seen);
    };
    progress.end();
    output::print(&summary::text(&report, args))?;
    if let Err(error) = done {
        let advice = "who has been brought over stays; the same command goes on from there";
        return Err(Failure::new(format!("{error}\n{advice}")));
    }
    match report.refusals() {
        0 => Ok(()),
        refused => Err(Failure {
            message: format!("not everybody could be brought over: {refused} refused"),
            code: SOME_REFUSED,
        }),
    }
}

/// Brings the schema up to date; a dry run only looks whether it is.
async fn prepare(config: &DatabaseConfig, dry_run: bool) -> Result<(), Failure> {
    if !dry_run {
        return eyemotion_db::migrate(config)
            .await
            .map(drop)
            .map_err(Failure::new);
    }
    let states = eyemotion_db::migration_status(config).await;
    let states = states.map_err(Failure::new)?;
    if states.iter().all(|state| state.applied) {
        return Ok(());
    }
    let advice = "a dry run writes nothing, not even the schema: run `eyemotion migrate up` first";
    Err(Failure::new(advice))
}

/// The source's address; `-` reads it from standard input.
fn address(args: &SupabaseArgs) -> Result<String, Failure> {
    if args.database_url != "-" {
        return Ok(args.database_url.clone());
    }
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(Failure::new)?;
    Ok(text.trim().to_owned())
}
