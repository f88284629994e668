//! The files of `migrations/`, embedded.

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

macro_rules! steps {
    ($($name:literal),* $(,)?) => {
        /// Every migration, oldest first.
        pub(crate) const STEPS: &[Step] = &[$(Step {
            name: $name,
            up: include_str!(concat!("../../../migrations/", $name, "/up.sql")),
            down: include_str!(concat!("../../../migrations/", $name, "/down.sql")),
        }),*];
    };
}

macro_rules! replaceable {
    ($($name:literal),* $(,)?) => {
        /// Functions, triggers, policies, grants, views and seeds: replaced as a whole whenever
        /// one of them changes.
        pub(crate) const REPLACEABLE: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../migrations/sql/", $name)))),*];
    };
}

steps![
    "20261122000001_foundation",
    "20261122000002_accounts",
    "20261122000003_billing",
    "20261122000004_projects_and_files",
    "20261122000005_activity",
    "20261122000006_jobs",
    "20261122000007_kv",
    "20261122000008_idempotency",
    "20261122000009_mail",
    "20261122000010_sessions_and_throttles",
    "20261122000011_recovery",
    "20261122000012_oauth_flows",
    "20261122000013_kv_and_api_keys",
    "20261122000014_privacy",
    "20261122000015_roles_and_audit",
    "20261123000001_payments",
    "20261123000002_holds_and_prices",
    "20261123000003_analytics",
    "20261123000005_subscription_changes",
    "20261123000010_ban_ends",
];

replaceable![
    "10_context.sql",
    "15_changes.sql",
    "20_triggers.sql",
    "25_super_admins.sql",
    "26_hot_reads.sql",
    "27_kv.sql",
    "30_views.sql",
    "35_account_overview.sql",
    "36_admin_views.sql",
    "40_functions.sql",
    "45_analytics.sql",
    "50_service_access.sql",
    "60_people_access.sql",
    "65_privacy.sql",
    "70_seeds.sql",
    "75_subscription_history.sql",
    "80_partitions.sql",
];

/// Names the schema that [`migrate`](crate::migrate()) makes, in 64 hexadecimal digits: another one
/// whenever any of its files changes.
pub fn schema_hash() -> String {
    let mut hash = Context::new(&SHA256);
    let steps = STEPS.iter().map(|step| (step.name, step.up));
    for (name, sql) in steps.chain(REPLACEABLE.iter().copied()) {
        for text in [name, "\0", sql, "\0"] {
            hash.update(text.as_bytes());
        }
    }
    HEXLOWER.encode(hash.finish().as_ref())
}

/// A migration: a directory with `up.sql` and `down.sql`, each run in one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub name: &'static str,
    pub up: &'static str,
    pub down: &'static str,
}

impl Step {
    /// The timestamp before the first underscore.
    pub(crate) fn version(&self) -> &'static str {
        self.name.split('_').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(directory: &str) -> Vec<String> {
        let path = format!("{}/../../{directory}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<String> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "sql" && name != "README.md")
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_is_embedded_in_order() {
        let steps: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(steps, names_in("migrations"));
        let replaceable: Vec<&str> = REPLACEABLE.iter().map(|(name, _)| *name).collect();
        assert_eq!(replaceable, names_in("migrations/sql"));
    }
}
