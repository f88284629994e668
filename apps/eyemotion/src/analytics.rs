use crate::cli::AnalyticsAction;
use crate::database::Database;
use crate::{Failure, output};
use eyemotion_billing::{Analytics, BillingError};
use eyemotion_core::{Coded, Ctx};

/// `billing analytics rebuild`.
pub async fn run(database: &Database, action: AnalyticsAction) -> Result<(), Failure> {
    let analytics = gateway::analytics(&database.config).map_err(Failure::new)?;
    let ctx = Ctx::system("command line");
    let AnalyticsAction::Rebuild { from, to } = action;
    let to = match to {
        Some(to) => to,
        None => analytics.refresh(&ctx).await.map_err(explain)?.last_day,
    };
    let days = analytics.rebuild(&ctx, from, to).await.map_err(explain)?;
    let told = analytics.roll_forward(&ctx, from, to).await;
    let wrong = told.map_err(explain)?.into_iter().find(|day| !day.holds());
    if let Some(wrong) = wrong {
        let (day, currency) = (wrong.day, wrong.currency);
        return Err(Failure::new(format!(
            "recurring revenue in {currency} does not add up on {day}"
        )));
    }
    output::print(&format!("{days} days are made anew, and they add up\n"))
}

fn explain(error: BillingError) -> Failure {
    let details: Vec<String> = error
        .field_errors()
        .iter()
        .map(|field| format!("{} {}", field.pointer, field.detail))
        .collect();
    if details.is_empty() {
        Failure::new(error)
    } else {
        Failure::new(details.join("; "))
    }
}
