use crate::world::{Person, World, anonymous, json_file, nobodys_file, query, sha256};
use chrono::Duration;
use data_encoding::HEXLOWER;
use eyemotion_core::{Coded, ErrorCode, FileId};
use eyemotion_storage::{Disposition, Download, DownloadGrant, Files, Rendition, SignedDownload};
use futures_util::TryStreamExt;
use std::ops::Range;

async fn ready(world: &World, person: &Person, bytes: &[u8]) -> FileId {
    let file = world
        .upload(person, "แผน.json", "application/json", bytes)
        .await;
    world.work().await;
    file.id
}

fn signed(file: FileId, grant: &DownloadGrant) -> SignedDownload {
    assert!(
        grant.url.starts_with(&format!("/storage/download/{file}?")),
        "{}",
        grant.url
    );
    let query = query(&grant.url);
    SignedDownload {
        file,
        rendition: Rendition::parse(&query["rendition"]).unwrap(),
        disposition: Disposition::parse(&query["disposition"]).unwrap(),
        expires: query["expires"].parse().unwrap(),
        signature: query["signature"].clone(),
    }
}

async fn read(download: Download, range: Range<u64>) -> Vec<u8> {
    let chunks: Vec<_> = download.read(range).try_collect().await.unwrap();
    chunks.concat()
}

#[tokio::test]
async fn a_signed_url_opens_the_file_for_anybody_who_holds_it() {
    let world = World::new().await;
    let person = world.person().await;
    let bytes = json_file((1 << 20) + 3);
    let id = ready(&world, &person, &bytes).await;
    let url = async |disposition| {
        world
            .files
            .download_url(&person.ctx, id, Rendition::Original, disposition)
            .await
            .unwrap()
    };
    let get = signed(id, &url(Disposition::Attachment).await);
    let open = async || {
        world
            .files
            .open_signed(&anonymous(), get.clone())
            .await
            .unwrap()
    };
    let download = open().await;
    assert_eq!(download.size, bytes.len() as u64);
    assert_eq!(download.etag, HEXLOWER.encode(&sha256(&bytes)));
    assert_eq!(download.content_type, "application/json");
    assert_eq!(download.file_name, "แผน.json");
    let size = download.size;
    assert_eq!(read(download, 0..size).await, bytes);
    for range in [0..1, 5..5, size - 1..size, 262_143..262_146, 100..1_000_000] {
        let wanted =
            &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert_eq!(read(open().await, range).await, wanted);
    }
    assert!(open().await.read(0..size + 1).try_next().await.is_err());

    // What a browser might run is never shown in place.
    let inline = signed(id, &url(Disposition::Inline).await);
    let download = world.files.open_signed(&anonymous(), inline).await.unwrap();
    assert_eq!(download.disposition, Disposition::Attachment);
    world.settle().await;
}

#[tokio::test]
async fn a_url_is_bound_to_everything_it_says() {
    let world = World::new().await;
    let person = world.person().await;
    let (id, other) = (
        ready(&world, &person, &json_file(10)).await,
        ready(&world, &person, &json_file(11)).await,
    );
    let grant = world
        .files
        .download_url(&person.ctx, id, Rendition::Original, Disposition::Inline);
    let get = signed(id, &grant.await.unwrap());
    for tampered in [
        SignedDownload {
            file: other,
            ..get.clone()
        },
        SignedDownload {
            file: nobodys_file(),
            ..get.clone()
        },
        SignedDownload {
            rendition: Rendition::Thumbnail,
            ..get.clone()
        },
        SignedDownload {
            disposition: Disposition::Attachment,
            ..get.clone()
        },
        SignedDownload {
            expires: get.expires + 1,
            ..get.clone()
        },
        SignedDownload {
            signature: "x".to_owned(),
            ..get.clone()
        },
    ] {
        let error = world
            .files
            .open_signed(&anonymous(), tampered.clone())
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::DownloadUrlInvalid, "{tampered:?}");
    }
    world.advance(Duration::minutes(14));
    world
        .files
        .open_signed(&anonymous(), get.clone())
        .await
        .unwrap();
    world.advance(Duration::minutes(1));
    let error = world
        .files
        .open_signed(&anonymous(), get)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::DownloadUrlExpired);
    world.settle().await;
}

#[tokio::test]
async fn only_what_is_verified_and_ones_own_is_served() {
    let world = World::new().await;
    let (person, other) = (world.person().await, world.person().await);
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(10))
        .await;
    let nobody = anonymous();
    let original = (Rendition::Original, Disposition::Attachment);
    let open = async |ctx, (rendition, disposition)| {
        let opened = world.files.open(ctx, file.id, rendition, disposition).await;
        let url = world
            .files
            .download_url(ctx, file.id, rendition, disposition)
            .await;
        let code = opened.map(|_| ()).map_err(|error| error.code());
        assert_eq!(url.map(|_| ()).map_err(|error| error.code()), code);
        code
    };
    assert_eq!(
        open(&person.ctx, original).await,
        Err(ErrorCode::FileNotReady)
    );
    world.work().await;
    assert_eq!(open(&person.ctx, original).await, Ok(()));
    assert_eq!(
        open(&other.ctx, original).await,
        Err(ErrorCode::FileNotFound)
    );
    assert_eq!(
        open(&nobody, original).await,
        Err(ErrorCode::Unauthenticated)
    );
    let thumbnail = (Rendition::Thumbnail, Disposition::Inline);
    assert_eq!(
        open(&person.ctx, thumbnail).await,
        Err(ErrorCode::ThumbnailNotFound)
    );

    // A URL that was given out ends with the file.
    let grant = world
        .files
        .download_url(&person.ctx, file.id, original.0, original.1)
        .await;
    let get = signed(file.id, &grant.unwrap());
    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    let error = world
        .files
        .open_signed(&anonymous(), get.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::FileNotReady);
    assert_eq!(
        open(&person.ctx, original).await,
        Err(ErrorCode::FileNotReady)
    );
    world.files.restore(&person.ctx, file.id).await.unwrap();
    world.files.open_signed(&anonymous(), get).await.unwrap();
    world.settle().await;
}
