use crate::rls::alice_and_bob;
use crate::session::{ALICE, Caller};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::error::SqlState;

#[tokio::test]
async fn no_role_of_an_application_takes_a_line_back() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    session.act(Caller::Owner).await;
    let partitions = "select inhrelid::regclass::text from pg_inherits
        where inhparent = 'public.activity_logs'::regclass";
    let mut tables = session.texts(partitions).await;
    assert!(tables.len() > 3, "{tables:?}");
    tables.push("public.activity_logs".to_owned());
    for caller in [
        Caller::Anonymous,
        Caller::Person(ALICE),
        Caller::Admin(ALICE),
        Caller::For(ALICE),
        Caller::System,
    ] {
        session.act(caller).await;
        for table in &tables {
            for attempt in [
                format!("update {table} set action = 'nothing'"),
                format!("update {table} set user_id = user_id"),
                format!("delete from {table}"),
                format!("truncate {table}"),
                format!("select set_config('eyemotion.erasing', 'on', true); delete from {table}"),
                format!(
                    "select set_config('eyemotion.erasing', 'on', true); update {table} set action = 'x'"
                ),
                format!("drop table {table}"),
                format!("alter table {table} disable trigger all"),
            ] {
                let code = session.refused(&attempt).await;
                assert_eq!(
                    code,
                    SqlState::INSUFFICIENT_PRIVILEGE,
                    "{caller:?} {attempt}"
                );
            }
        }
    }
    // Not even the owner does so by mistake.
    session.act(Caller::Owner).await;
    for attempt in [
        "update activity_logs set action = 'x'",
        "delete from activity_logs",
        "truncate activity_logs",
    ] {
        assert_eq!(
            session.refused(attempt).await,
            SqlState::RESTRICT_VIOLATION,
            "{attempt}"
        );
    }
}
