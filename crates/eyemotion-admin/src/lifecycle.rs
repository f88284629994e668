//! What the platform notes about people beside the domains: the audit log, requests, jobs.

use crate::repository::activity_logs;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, erase_rows};

/// Lines that one transaction changes.
const BATCH: i32 = 1000;

/// The audit log of people who leave: it stays for its 90 days and says no more who it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivityOfPeople;

/// In a line that somebody else has caused, these tell of that person.
const ACTIVITY: PersonalTable = PersonalTable {
    section: "activity",
    table: "public.activity_logs",
    owner: "user_id",
    key: &[("created_at", "timestamptz"), ("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "action",
        "resource_type",
        "resource_id",
        "details - 'actor' as details",
        "case when not details ? 'actor' then ip_address end as ip_address",
        "case when not details ? 'actor' then user_agent end as user_agent",
        "case when not details ? 'actor' then session_id end as session_id",
        "case when not details ? 'actor' then request_id end as request_id",
        "created_at",
    ],
    withheld: &[],
    fate: Fate::Pseudonymised("what happened on the platform stays known for 90 days"),
};

#[async_trait]
impl AccountLifecycle for ActivityOfPeople {
    fn domain(&self) -> &'static str {
        "activity"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[ACTIVITY]
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        let changed = activity_logs::pseudonymise(tx, leaver, BATCH).await?;
        Ok(if changed == 0 {
            Erasure::Done
        } else {
            Erasure::More
        })
    }
}

/// Remembered requests and queued work of people who leave.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkOfPeople;

const REQUESTS: PersonalTable = PersonalTable {
    section: "requests",
    table: "public.idempotency_keys",
    owner: "user_id",
    key: &[("operation", "text"), ("key", "text")],
    exported: &["user_id", "operation", "key", "response", "created_at"],
    withheld: &[("request_hash", "bookkeeping of our own")],
    fate: Fate::Deleted,
};

const JOBS: PersonalTable = PersonalTable {
    section: "jobs",
    table: "jobs.jobs",
    owner: "owner_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "owner_id",
        "kind",
        "state",
        "run_at",
        "created_at",
        "updated_at",
    ],
    withheld: &[
        ("queue", "bookkeeping of our own"),
        ("payload", "bookkeeping of our own"),
        ("priority", "bookkeeping of our own"),
        ("attempts", "bookkeeping of our own"),
        ("max_attempts", "bookkeeping of our own"),
        ("lease_until", "bookkeeping of our own"),
        ("worker", "bookkeeping of our own"),
        ("unique_key", "bookkeeping of our own"),
        ("last_error", "may tell of others"),
    ],
    fate: Fate::Deleted,
};

#[async_trait]
impl AccountLifecycle for WorkOfPeople {
    fn domain(&self) -> &'static str {
        "work"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[REQUESTS, JOBS]
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        if erase_rows(tx, &[REQUESTS], leaver.id).await? == Erasure::More {
            return Ok(Erasure::More);
        }
        let running = eyemotion_jobs::forget(tx, leaver.id, &leaver.email).await?;
        Ok(if running == 0 {
            Erasure::Done
        } else {
            Erasure::Waiting
        })
    }
}
