//! What the tables keep right whoever writes: the ledger, a file's states, the counters, the sums.

use crate::database::OwnedDatabase;
use crate::session::{ALICE, Caller, Session};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::error::SqlState;

const STATUSES: &[&str] = &[
    "pending",
    "uploading",
    "uploaded",
    "verifying",
    "verified",
    "processing",
    "ready",
    "failed",
    "rejected",
    "quarantined",
    "expired",
    "trashed",
    "purged",
];

async fn alice(session: Session) -> Session {
    session.act(Caller::System).await;
    session
        .run(&format!(
            "insert into auth.users (id, email) values ('{ALICE}', 'alice@example.com');
             insert into public.credit_wallets (user_id) values ('{ALICE}');
             insert into public.storage_quotas (user_id, limit_bytes) values ('{ALICE}', 1 << 30);
             insert into public.projects (id, user_id, name) values ('{ALICE}', '{ALICE}', 'Film')"
        ))
        .await;
    session
}

/// A credit transaction of two entries, and its effect on wallet and lot.
fn grant(key: u32, amount: i64, issued: i64) -> String {
    format!(
        "begin;
         with txn as (
            insert into public.credit_txns (user_id, kind, idem_key, request_hash, reason, actor)
            values ('{ALICE}', 'grant', '{key}', sha256('{key}'), 'bonus', 'system') returning *)
         insert into public.credit_entries (txn_id, seq, user_id, account, amount)
            select id, 1, user_id, 'user:{ALICE}:available', {amount} from txn
            union all select id, 2, user_id, 'system:issued', {issued} from txn;
         insert into public.credit_lots (user_id, kind, granted, remaining, source_type, source_id)
            values ('{ALICE}', 'bonus', {amount}, {amount}, 'test', '{key}');
         update public.credit_wallets set posted = posted + {amount} where user_id = '{ALICE}';
         commit"
    )
}

#[tokio::test]
async fn the_ledger_balances_and_stays() {
    let database = OwnedDatabase::new().await;
    let session = alice(database.session().await).await;
    session.run(&grant(1, 100, -100)).await;
    assert_eq!(
        session.refused(&grant(2, 100, -99)).await,
        SqlState::CHECK_VIOLATION
    );
    assert_eq!(
        session.refused(&grant(1, 100, -100)).await,
        SqlState::UNIQUE_VIOLATION
    );
    let stray = "insert into public.credit_entries (txn_id, seq, user_id, account, amount)
        select id, 3, user_id, 'user:00000000-0000-0000-0000-000000000000:available', 5 from public.credit_txns";
    assert_eq!(session.refused(stray).await, SqlState::CHECK_VIOLATION);
    let overdraw = "update public.credit_wallets set posted = posted - 101";
    assert_eq!(session.refused(overdraw).await, SqlState::CHECK_VIOLATION);
    assert_eq!(drift(&session, "credit_ledger_drift").await, [""; 0]);

    for table in [
        "credit_txns",
        "credit_entries",
        "credit_lot_moves",
        "activity_logs",
    ] {
        for change in [
            format!("update public.{table} set user_id = user_id"),
            format!("delete from public.{table}"),
        ] {
            assert_eq!(
                session.refused(&change).await,
                SqlState::INSUFFICIENT_PRIVILEGE,
                "{change}"
            );
        }
    }
    // The owner is under the policies too and sees no row; a superuser meets the trigger.
    session.act(Caller::Owner).await;
    let superuser = database.superuser().await;
    for table in ["credit_txns", "credit_entries"] {
        let delete = format!("delete from public.{table}");
        assert_eq!(session.reached(&delete).await, 0);
        assert_eq!(
            superuser.refused(&delete).await,
            SqlState::RESTRICT_VIOLATION
        );
        let truncate = format!("truncate public.{table} cascade");
        assert_eq!(
            session.refused(&truncate).await,
            SqlState::RESTRICT_VIOLATION
        );
    }

    session.act(Caller::System).await;
    session
        .run("update public.credit_wallets set posted = posted - 1")
        .await;
    assert_eq!(
        session
            .reached("select from public.credit_ledger_drift()")
            .await,
        1,
        "drift is seen"
    );
}

#[tokio::test]
async fn a_file_moves_only_along_the_table() {
    let database = TestDatabase::new().await;
    let session = alice(Session::new(database.admin().await)).await;
    for from in STATUSES {
        let listed = session
            .texts(&format!(
                "select unnest(public.file_status_successors('{from}'))"
            ))
            .await;
        assert!(
            listed
                .iter()
                .all(|to| STATUSES.contains(&to.as_str()) && to != from),
            "{from}"
        );
        assert_eq!(listed.is_empty(), *from == "purged");
        for to in STATUSES {
            let file = format!(
                "insert into public.project_files (project_id, user_id, filename, original_name, file_type, mime_type,
                    file_size, processing_status)
                 values ('{ALICE}', '{ALICE}', 'a', 'a', 'data', 'application/json', 1, '{from}')"
            );
            let step = format!("update public.project_files set processing_status = '{to}'");
            session.run("delete from public.project_files").await;
            session.run(&file).await;
            if from == to || listed.iter().any(|next| next == to) {
                session.run(&step).await;
            } else {
                assert_eq!(
                    session.refused(&step).await,
                    SqlState::CHECK_VIOLATION,
                    "{from} to {to}"
                );
            }
        }
    }
}

/// The rows of a drift function, empty when all is well.
async fn drift(session: &Session, function: &str) -> Vec<String> {
    session
        .texts(&format!(
            "select row_to_json(d)::text from public.{function}() d"
        ))
        .await
}

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn counters_and_sums_never_drift() {
    let database = TestDatabase::new().await;
    let session = alice(Session::new(database.admin().await)).await;
    let mut dice = Dice(20_261_122);
    session
        .run(
            "insert into public.projects (id, user_id, name)
        select gen_random_uuid(), user_id, 'Other' from public.projects",
        )
        .await;
    let any_file = "(select id from public.project_files order by random() limit 1)";
    for _ in 0..400 {
        let step = match dice.roll(6) {
            0 | 1 => {
                // A confirmed upload, with its quota.
                let size = dice.roll(1000);
                format!(
                    "with file as (
                        insert into public.project_files (project_id, user_id, filename, original_name, file_type,
                            mime_type, file_size, processing_status, confirmed_at, storage_path, duration_us)
                        select id, user_id, 'a', 'a', 'video', 'video/mp4', {size}, 'verifying', now(), 'o/a', {size}
                        from public.projects order by random() limit 1 returning file_size)
                     update public.storage_quotas set used_bytes = used_bytes + file_size from file"
                )
            }
            2 => format!(
                "update public.project_files set duration_us = nullif({}, 0) where id = {any_file}",
                dice.roll(9) * 1000
            ),
            3 => format!(
                "update public.project_files set project_id = (select id from public.projects order by random() limit 1)
                 where id = {any_file}"
            ),
            4 => {
                // The object of a purged file is gone, and then the row.
                "with gone as (
                    delete from public.project_files where processing_status = 'purged' returning file_size)
                 update public.storage_quotas set pending_delete_bytes =
                    pending_delete_bytes - (select coalesce(sum(file_size), 0) from gone)"
                    .to_owned()
            }
            _ => {
                let to = STATUSES[usize::try_from(dice.roll(13)).unwrap()];
                format!(
                    "with chosen as (
                        select id, processing_status as was from public.project_files order by random() limit 1),
                     moved as (
                        update public.project_files f set processing_status = '{to}' from chosen
                        where f.id = chosen.id and '{to}' = any (public.file_status_successors(was))
                        returning case when '{to}' in ('purged', 'rejected') and was <> 'rejected'
                            then file_size else 0 end as freed)
                     update public.storage_quotas set used_bytes = used_bytes - freed,
                        pending_delete_bytes = pending_delete_bytes + freed from moved"
                )
            }
        };
        session.run(&step).await;
    }
    let statuses = session
        .texts("select distinct processing_status from public.project_files")
        .await;
    assert!(statuses.len() > 3, "{statuses:?}");
    assert_eq!(drift(&session, "project_counter_drift").await, [""; 0]);
    assert_eq!(drift(&session, "storage_quota_drift").await, [""; 0]);

    session
        .run("update public.projects set file_count = file_count + 1")
        .await;
    session
        .run("update public.storage_quotas set used_bytes = used_bytes + 1")
        .await;
    assert_eq!(
        session
            .reached("select from public.project_counter_drift()")
            .await,
        2,
        "drift is seen"
    );
    assert_eq!(
        session
            .reached("select from public.storage_quota_drift()")
            .await,
        1,
        "drift is seen"
    );
}
