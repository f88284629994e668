//! kill -9 between any two steps of an upload. Afterwards nothing that was acknowledged is lost,
//! the client gets through by trying again, every sum is right and nothing lies about.

mod machine;
mod story;

use eyemotion_storage::FAIL_POINTS;
use story::{Retry, Story};

/// The fail points of one part of the way.
fn points(part: &str) -> Vec<&'static str> {
    let prefix = format!("storage.{part}.");
    FAIL_POINTS.iter().copied().filter(|point| point.starts_with(&prefix)).collect()
}

#[test]
fn every_part_of_the_way_is_tested() {
    let tested = ["grant", "upload", "confirm", "process", "purge"].map(points).concat();
    assert_eq!(tested, FAIL_POINTS);
}

#[tokio::test]
async fn while_leave_is_given() {
    for point in points("grant") {
        Story::until_killed_at(point).await.ready(Retry::SameUrl).await.swept().await;
    }
}

#[tokio::test]
async fn while_bytes_arrive_and_the_same_url_is_used_again() {
    for point in points("upload") {
        Story::until_killed_at(point).await.ready(Retry::SameUrl).await.swept().await;
    }
}

#[tokio::test]
async fn while_bytes_arrive_and_another_url_is_asked_for() {
    for point in points("upload") {
        Story::until_killed_at(point).await.ready(Retry::NewUrl).await.swept().await;
    }
}

#[tokio::test]
async fn while_it_is_confirmed() {
    for point in points("confirm") {
        Story::until_killed_at(point).await.ready(Retry::SameUrl).await.swept().await;
    }
}

#[tokio::test]
async fn while_it_is_processed() {
    for point in points("process") {
        Story::until_killed_at(point).await.ready(Retry::SameUrl).await.swept().await;
    }
}

#[tokio::test]
async fn while_it_is_purged() {
    for point in points("purge") {
        Story::until_killed_at(point).await.ready(Retry::SameUrl).await.purged().await.swept().await;
    }
}
