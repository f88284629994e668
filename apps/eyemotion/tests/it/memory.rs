//! A large upload passes through; it is never held.

use crate::clip;
use crate::person::Person;
use crate::processes;
use crate::server::{Launch, folder};
use bytes::Bytes;
use eyemotion_testkit::TestDatabase;
use futures_util::stream;
use reqwest::Body;
use serde_json::json;

const MIB: u64 = 1 << 20;
static BLOCK: [u8; 1 << 20] = [0; 1 << 20];

/// GiB to upload; `EYEMOTION_TEST_UPLOAD_GIB=4 ./run test -p eyemotion memory` for the figure in
/// the documentation.
fn size() -> u64 {
    let gib = std::env::var("EYEMOTION_TEST_UPLOAD_GIB").map_or(1, |gib| gib.parse().unwrap());
    gib * 1024 * MIB
}

/// A whole clip if there is an ffmpeg, then zeros in a box that players skip (ISO/IEC 14496-12
/// section 8.1.2, `free` with a 64-bit size), which are never on any disk of the client.
fn sparse(size: u64) -> (Body, bool) {
    let clip = clip::made();
    let mut head = clip.clone().unwrap_or_default();
    let rest = size - head.len() as u64;
    head.extend([0, 0, 0, 1]);
    head.extend(b"free");
    head.extend(rest.to_be_bytes());
    let zeros = size - head.len() as u64;
    let block = Bytes::from_static(&BLOCK);
    let blocks = (0..zeros.div_ceil(MIB)).map(move |index| {
        let length = usize::try_from(MIB.min(zeros - index * MIB)).unwrap();
        Ok::<_, std::io::Error>(block.slice(..length))
    });
    let pieces = std::iter::once(Ok(Bytes::from(head))).chain(blocks);
    (Body::wrap_stream(stream::iter(pieces)), clip.is_some())
}

#[tokio::test]
async fn a_large_upload_takes_no_memory() {
    let size = size();
    let (database, folder) = (TestDatabase::new().await, folder());
    let launch = Launch::in_folder(folder.path()).env("DATABASE_URL", database.url());
    let server = launch.start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let room = "update storage_quotas set limit_bytes = 1::bigint << 40";
    database.admin().await.batch_execute(room).await.unwrap();
    // What is loaded once, at the first upload, is no growth.
    let small = person.upload("a.json", "application/json", b"{}").await;
    person.settled(&small).await;

    let before = processes::kib(server.id(), "VmRSS");
    let grant = person.grant("film.mp4", "video/mp4", size).await;
    let (body, is_clip) = sparse(size);
    let request = person.put(&grant, body).header("content-length", size);
    person.client.send(request).await.expect(200);
    let file = grant["fileId"].as_str().unwrap();
    person
        .client
        .post(&format!("/files/{file}/confirm"), &json!({}))
        .await
        .expect(200);
    let settled = person.settled(file).await;
    let expected = if is_clip { "ready" } else { "rejected" };
    assert_eq!(settled["processingStatus"], expected, "{settled}");
    let growth = processes::kib(server.id(), "VmHWM").saturating_sub(before) / 1024;
    tell(&format!(
        "{} MiB uploaded: {} MiB before, {growth} MiB of growth",
        size / MIB,
        before / 1024
    ));
    assert!(growth <= 64, "{growth} MiB");
    server.stop().await;
}

#[expect(clippy::print_stdout, reason = "the figure is asked for by hand")]
fn tell(figure: &str) {
    println!("{figure}");
}
