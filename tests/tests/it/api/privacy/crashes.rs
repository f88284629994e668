//! What breaks in the middle goes on from there.

use super::stage::{Run, Stage, leave};
use crate::api::mailbox::{letters, settled};

/// Where the database refuses: a table, and what is done to it. One for each step.
const STEPS: &[(&str, &str)] = &[
    ("auth.users", "update of deleted_at"),
    ("public.subscriptions", "update"),
    ("public.payment_transactions", "update"),
    ("public.project_files", "update of processing_status"),
    ("public.storage_quotas", "delete"),
    ("public.projects", "delete"),
    ("auth.sessions", "delete"),
    ("public.user_profiles", "delete"),
    ("public.mail_outbox", "delete"),
    ("public.idempotency_keys", "delete"),
    ("public.activity_logs", "update"),
    ("public.mail_outbox", "insert"),
    ("auth.users", "update of id"),
    ("public.credit_entries", "update"),
];

#[tokio::test]
async fn a_deletion_that_breaks_at_any_step_goes_on_later() {
    let stage = Stage::with_undo_days(0).await;
    let neighbour = stage.filmmaker().await;
    let untouched = stage.tables_with(neighbour.person.user()).await;
    stage
        .execute(
            "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'the machine has gone away'; end $$",
        )
        .await;
    for (table, what) in STEPS {
        let maker = stage.filmmaker().await;
        let person = maker.person.user().to_owned();
        let address = stage.address(&maker.person).await;
        stage
            .execute(&format!(
                "insert into payment_transactions (user_id, amount, transaction_type, description)
                 values ('{person}', 100, 'one_time', 'for {address}');
                 insert into idempotency_keys (user_id, operation, key, request_hash)
                 values ('{person}', 'test', 'test', sha256('test'))"
            ))
            .await;
        leave(&maker.person).await;
        settled(&stage.app).await;
        stage
            .execute(&format!(
                "create trigger broken before {what} on {table} for each row execute function refuse()"
            ))
            .await;
        let mut failed = false;
        for _ in 0..5 {
            failed |= stage.erase().await == Run::Failed;
            if !failed {
                stage.idle().await;
            }
        }
        assert!(failed, "{what} on {table} was never reached");
        assert_eq!(
            stage
                .count("auth.account_deletions where state <> 'erased'")
                .await,
            1,
            "{what} on {table}"
        );
        assert_eq!(stage.count("credit_ledger_drift()").await, 0);
        stage
            .execute(&format!("drop trigger broken on {table}"))
            .await;
        stage
            .execute("delete from jobs.jobs where state = 'dead'")
            .await;
        stage.erase_wholly().await;
        assert_eq!(
            stage.tables_with(&person).await,
            [""; 0],
            "{what} on {table}"
        );
        assert_eq!(
            stage.tables_with(&address).await,
            [""; 0],
            "{what} on {table}"
        );
        assert!(stage.objects_with(&person).is_empty(), "{what} on {table}");
        assert_eq!(stage.drift().await, 0);
        let goodbyes = letters(&stage.app, &address);
        let goodbyes = goodbyes
            .iter()
            .filter(|mail| mail.template == "account_deleted");
        assert_eq!(goodbyes.count(), 1, "{what} on {table}");
    }
    assert_eq!(stage.tables_with(neighbour.person.user()).await, untouched);
}
