use crate::cli::PlansAction;
use crate::database::Database;
use crate::{Failure, output};
use eyemotion_core::Ctx;
use gateway::config::Settings;
use std::fmt::Write;

/// `plans sync`.
pub async fn run(settings: &Settings, action: PlansAction) -> Result<(), Failure> {
    let database = Database::open(settings).await?;
    let done = Box::pin(act(settings, &database, action)).await;
    database.close().await?;
    done
}

async fn act(settings: &Settings, database: &Database, action: PlansAction) -> Result<(), Failure> {
    let PlansAction::Sync { dry_run } = action;
    eyemotion_db::migrate(&database.config)
        .await
        .map_err(Failure::new)?;
    let catalogue = gateway::catalogue(settings, &database.config).map_err(Failure::new)?;
    let advice = "there is no key of Stripe's: set STRIPE_SECRET_KEY";
    let catalogue = catalogue.ok_or_else(|| Failure::new(advice))?;
    let changes = catalogue.sync(&Ctx::system("command line"), dry_run).await;
    let changes = changes.map_err(Failure::new)?;
    let mut text = String::new();
    for change in &changes {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{change}");
    }
    text.push_str(match (changes.is_empty(), dry_run) {
        (true, _) => "Stripe's catalogue agrees with the plans\n",
        (false, true) => "nothing was written: this was a dry run\n",
        (false, false) => "Stripe's catalogue agrees with the plans now\n",
    });
    output::print(&text)
}
