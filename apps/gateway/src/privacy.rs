//! Puts together who forgets people, and when.

use crate::compose::ledger;
use eyemotion_admin::{ActivityOfPeople, WorkOfPeople};
use eyemotion_auth::{
    AccountEraser, AccountService, AccountsOfPeople, EraseAccounts, HonourTombstones,
    TombstoneKeeper,
};
use eyemotion_billing::Subscriptions;
use eyemotion_core::Clock;
use eyemotion_db::Db;
use eyemotion_jobs::Workers;
use eyemotion_mail::MailsToPeople;
use eyemotion_ports::AccountLifecycle;
use eyemotion_projects::ProjectsOfPeople;
use eyemotion_storage::ProjectFiles;
use std::sync::Arc;

/// Every domain that keeps something about people, in the order in which they are asked: files
/// before the projects that hold them, jobs after what they work on, and the log last.
pub(crate) fn lifecycle(
    subscriptions: Arc<Subscriptions>,
    clock: &Arc<dyn Clock>,
) -> Vec<Arc<dyn AccountLifecycle>> {
    vec![
        subscriptions,
        Arc::new(ProjectFiles::new(Arc::clone(clock), ledger(clock))),
        Arc::new(ProjectsOfPeople),
        Arc::new(AccountsOfPeople),
        Arc::new(MailsToPeople),
        Arc::new(WorkOfPeople),
        Arc::new(ActivityOfPeople),
    ]
}

/// Lets `workers` delete accounts when their time has come.
pub(crate) fn workers(workers: Workers, accounts: &Arc<AccountService>, db: &Db) -> Workers {
    workers
        .register::<EraseAccounts>(AccountEraser::new(Arc::clone(accounts)))
        .schedule("auth.erase_accounts", "* * * * *", &EraseAccounts {})
        .register::<HonourTombstones>(TombstoneKeeper::new(db.clone()))
        .schedule("auth.honour_tombstones", "7 4 * * *", &HonourTombstones {})
}
