use crate::world::{Person, World, anonymous, json_file, new_upload, nobodys_file};
use chrono::Duration;
use eyemotion_core::{Coded, Cursor, ErrorCode, FileId, PageRequest, ProjectId};
use eyemotion_storage::{Deletion, FileChanges, FileFilter, FileStatus, Files, MediaKind};

const FIRST: PageRequest = PageRequest {
    limit: 20,
    after: None,
};

async fn ready(world: &World, person: &Person) -> FileId {
    let file = world
        .upload(person, "a.json", "application/json", &json_file(100))
        .await;
    world.work().await;
    file.id
}

async fn names(world: &World, person: &Person, filter: FileFilter) -> Vec<String> {
    let page = world
        .files
        .list(&person.ctx, person.project, FIRST, filter)
        .await
        .unwrap();
    page.items.into_iter().map(|file| file.name).collect()
}

#[tokio::test]
async fn a_project_is_listed_newest_first_page_by_page() {
    let world = World::new().await;
    let person = world.person().await;
    for number in 0..5 {
        let upload = new_upload(&person, &format!("{number}.json"), "application/json", 9);
        world.files.upload_url(&person.ctx, upload).await.unwrap();
        // Two of them at one moment: the id breaks the tie.
        world.advance(Duration::seconds(number % 2));
    }
    let (mut seen, mut after) = (Vec::<String>::new(), None::<Cursor>);
    loop {
        let request = PageRequest { limit: 2, after };
        let filter = FileFilter::default();
        let page = world
            .files
            .list(&person.ctx, person.project, request, filter)
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|file| file.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut whole = names(&world, &person, FileFilter::default()).await;
    assert_eq!(seen, whole);
    whole.sort();
    assert_eq!(whole, ["0.json", "1.json", "2.json", "3.json", "4.json"]);
    world.settle().await;
}

#[tokio::test]
async fn filters_choose() {
    let world = World::new().await;
    let person = world.person().await;
    for (name, mime) in [
        ("a.json", "application/json"),
        ("b.png", "image/png"),
        ("c.png", ""),
    ] {
        let upload = new_upload(&person, name, mime, 9);
        let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
        if name == "c.png" {
            let changes = FileChanges {
                tags: Some(vec![
                    " night ".to_owned(),
                    "night".to_owned(),
                    "sea".to_owned(),
                ]),
                is_favorite: Some(true),
                ..FileChanges::default()
            };
            let file = world
                .files
                .update(&person.ctx, grant.file, changes, None)
                .await
                .unwrap();
            assert_eq!(file.tags, ["night", "sea"]);
        }
    }
    let images = FileFilter {
        kind: Some(MediaKind::Image),
        ..FileFilter::default()
    };
    assert_eq!(names(&world, &person, images).await.len(), 2);
    let night = FileFilter {
        tag: Some("night".to_owned()),
        ..FileFilter::default()
    };
    assert_eq!(names(&world, &person, night).await, ["c.png"]);
    let favorites = FileFilter {
        is_favorite: Some(true),
        ..FileFilter::default()
    };
    assert_eq!(names(&world, &person, favorites).await, ["c.png"]);
    let ready = FileFilter {
        status: Some(FileStatus::Ready),
        ..FileFilter::default()
    };
    assert!(names(&world, &person, ready).await.is_empty());
    world.settle().await;
}

#[tokio::test]
async fn an_empty_project_is_empty_and_somebody_elses_is_not_there() {
    let world = World::new().await;
    let (person, other) = (world.person().await, world.person().await);
    assert!(
        names(&world, &person, FileFilter::default())
            .await
            .is_empty()
    );
    let upload = new_upload(&other, "a.json", "application/json", 9);
    let grant = world.files.upload_url(&other.ctx, upload).await.unwrap();
    for project in [other.project, ProjectId(nobodys_file().0)] {
        let list = world
            .files
            .list(&person.ctx, project, FIRST, FileFilter::default())
            .await;
        assert_eq!(list.unwrap_err().code(), ErrorCode::ProjectNotFound);
    }
    let id = grant.file;
    let not_found = |code| assert_eq!(code, ErrorCode::FileNotFound);
    not_found(world.files.get(&person.ctx, id).await.unwrap_err().code());
    let changes = FileChanges {
        is_favorite: Some(true),
        ..FileChanges::default()
    };
    not_found(
        world
            .files
            .update(&person.ctx, id, changes, None)
            .await
            .unwrap_err()
            .code(),
    );
    not_found(
        world
            .files
            .delete(&person.ctx, id, None)
            .await
            .unwrap_err()
            .code(),
    );
    not_found(
        world
            .files
            .restore(&person.ctx, id)
            .await
            .unwrap_err()
            .code(),
    );
    let nobody = anonymous();
    let error = world.files.get(&nobody, id).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unauthenticated);
    let error = world.files.delete(&nobody, id, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unauthenticated);
    world.files.get(&other.ctx, id).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_list_is_one_walk_along_an_index() {
    let world = World::new().await;
    let person = world.person().await;
    world
        .admin(&format!(
            "insert into public.project_files (project_id, user_id, filename, original_name,
                file_type, mime_type, file_size, created_at)
             select '{}', '{}', 'a', 'a', 'image', 'image/png', 1, now() - n * interval '1 second'
             from generate_series(1, 20000) n;
             analyze public.project_files",
            person.project, person.id
        ))
        .await;
    let admin = world.database.admin().await;
    let claims = format!("{{\"sub\":\"{}\",\"role\":\"authenticated\"}}", person.id);
    admin
        .batch_execute(&format!(
            "set role authenticated; select set_config('request.jwt.claim.sub', '{}', false),
             set_config('request.jwt.claim.role', 'authenticated', false),
             set_config('request.jwt.claims', '{claims}', false)",
            person.id
        ))
        .await
        .unwrap();
    let explain = format!(
        "explain select id from public.project_files where project_id = '{}'
         and processing_status <> 'purged' and processing_status <> 'trashed'
         and processing_status <> 'expired' order by created_at desc, id desc limit 21",
        person.project
    );
    let rows = admin.query(&explain, &[]).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(
        plan.contains("using project_files_project_id_idx"),
        "{plan}"
    );
    assert!(!plan.contains("Sort"), "{plan}");

    let page = world
        .files
        .list(&person.ctx, person.project, FIRST, FileFilter::default())
        .await;
    assert_eq!(page.unwrap().items.len(), 20);
}

#[tokio::test]
async fn changes_are_checked_and_guarded_by_the_version() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 9);
    let id = world
        .files
        .upload_url(&person.ctx, upload)
        .await
        .unwrap()
        .file;
    let version = world.files.get(&person.ctx, id).await.unwrap().version;
    let name = |name: &str| FileChanges {
        name: Some(name.to_owned()),
        ..FileChanges::default()
    };
    let update = async |changes, if_match| {
        world
            .files
            .update(&person.ctx, id, changes, if_match)
            .await
            .map_err(|e| e.code())
    };
    let file = update(name("b.json"), Some(version)).await.unwrap();
    assert_eq!(
        (file.name.as_str(), file.original_name.as_str()),
        ("b.json", "a.json")
    );
    assert!(file.version > version);
    assert_eq!(
        update(name("c.json"), Some(version)).await.unwrap_err(),
        ErrorCode::VersionMismatch
    );
    for bad in ["c.mp4", "c", "../c.json", ""] {
        assert_eq!(
            update(name(bad), None).await.unwrap_err(),
            ErrorCode::ValidationFailed,
            "{bad}"
        );
    }
    for tags in [
        vec![String::new()],
        vec!["x".repeat(65)],
        (0..65).map(|n| n.to_string()).collect(),
    ] {
        let changes = FileChanges {
            tags: Some(tags),
            ..FileChanges::default()
        };
        assert_eq!(
            update(changes, None).await.unwrap_err(),
            ErrorCode::ValidationFailed
        );
    }
    let unchanged = update(FileChanges::default(), None).await.unwrap();
    assert_eq!(unchanged.version, file.version);
    world.settle().await;
}

#[tokio::test]
async fn the_trash_keeps_a_file_until_it_is_restored_or_deleted_again() {
    let world = World::new().await;
    let person = world.person().await;
    let id = ready(&world, &person).await;
    assert_eq!(world.file_count(person.project).await, 1);

    let version = world.files.get(&person.ctx, id).await.unwrap().version;
    let error = world
        .files
        .delete(&person.ctx, id, Some(version - 1))
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::VersionMismatch);
    let deletion = world
        .files
        .delete(&person.ctx, id, Some(version))
        .await
        .unwrap();
    let Deletion::Trashed(file) = deletion else {
        panic!("{deletion:?}")
    };
    assert_eq!(file.status, FileStatus::Trashed);
    assert!(file.trashed_at.is_some());
    assert_eq!(
        world.quota(person.id).await,
        (100, 0, 0),
        "its bytes still count"
    );
    assert_eq!(world.file_count(person.project).await, 0);
    assert!(
        names(&world, &person, FileFilter::default())
            .await
            .is_empty()
    );
    let trash = FileFilter {
        status: Some(FileStatus::Trashed),
        ..FileFilter::default()
    };
    assert_eq!(names(&world, &person, trash).await, ["a.json"]);

    let file = world.files.restore(&person.ctx, id).await.unwrap();
    assert_eq!((file.status, file.trashed_at), (FileStatus::Ready, None));
    assert_eq!(world.file_count(person.project).await, 1);
    let error = world.files.restore(&person.ctx, id).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::FileNotReady);

    world.files.delete(&person.ctx, id, None).await.unwrap();
    let deletion = world.files.delete(&person.ctx, id, None).await.unwrap();
    assert!(matches!(deletion, Deletion::Purged));
    assert_eq!(
        world.files.get(&person.ctx, id).await.unwrap_err().code(),
        ErrorCode::FileNotFound
    );
    assert_eq!(
        world.quota(person.id).await,
        (0, 0, 100),
        "until the object is gone"
    );
    world.work().await;
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    assert!(world.objects().is_empty());
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0
    );
    world.settle().await;
}

#[tokio::test]
async fn what_never_became_a_file_is_purged_at_once() {
    let world = World::new().await;
    let person = world.person().await;
    let new = || new_upload(&person, "a.json", "application/json", 100);
    let pending = world.files.upload_url(&person.ctx, new()).await.unwrap();
    let uploaded = world.files.upload_url(&person.ctx, new()).await.unwrap();
    world.put(&uploaded, &json_file(100)).await.unwrap();
    for grant in [&pending, &uploaded] {
        let deletion = world
            .files
            .delete(&person.ctx, grant.file, None)
            .await
            .unwrap();
        assert!(matches!(deletion, Deletion::Purged));
    }
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    let error = world.put(&pending, &json_file(100)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadUrlInvalid);
    world.work().await;
    assert!(world.objects().is_empty());
    world.settle().await;
}

#[tokio::test]
async fn a_file_that_is_being_verified_cannot_be_deleted() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(100))
        .await;
    let error = world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::FileNotReady);
    assert_eq!(error.members()["processingStatus"], "verifying");
    world.settle().await;
}
