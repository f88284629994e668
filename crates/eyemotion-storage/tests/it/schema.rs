use crate::world::World;
use eyemotion_storage::FileStatus;
use std::collections::BTreeSet;

#[tokio::test]
async fn the_table_of_states_is_the_databases() {
    let world = World::new().await;
    let admin = world.database.admin().await;
    for from in FileStatus::ALL {
        let row = admin
            .query_one(
                "select public.file_status_successors($1)",
                &[&from.as_str()],
            )
            .await
            .unwrap();
        let theirs: BTreeSet<String> = row.get::<_, Vec<String>>(0).into_iter().collect();
        let ours: BTreeSet<String> = from
            .successors()
            .iter()
            .map(|to| to.as_str().to_owned())
            .collect();
        assert_eq!(ours, theirs, "{from:?}");
    }
    let check = world
        .text(
            "select pg_get_constraintdef(oid) from pg_constraint
             where conname = 'project_files_processing_status_check'",
        )
        .await;
    for status in FileStatus::ALL {
        assert!(
            check.contains(&format!("'{}'", status.as_str())),
            "{status:?}"
        );
    }
    assert_eq!(
        check.matches("::text").count(),
        FileStatus::ALL.len(),
        "{check}"
    );
}
