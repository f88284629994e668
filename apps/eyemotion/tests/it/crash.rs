//! kill -9 between any two steps of an upload. Afterwards nothing that was acknowledged is lost,
//! the client gets through by trying again, every sum is right and nothing lies about.

mod machine;
mod story;

use eyemotion_storage::FAIL_POINTS;
use futures_util::{StreamExt, stream};
use story::{Retry, Story};

/// The fail points of one part of the way.
fn points(part: &str) -> Vec<&'static str> {
    let prefix = format!("storage.{part}.");
    FAIL_POINTS
        .iter()
        .copied()
        .filter(|point| point.starts_with(&prefix))
        .collect()
}

#[test]
fn every_part_of_the_way_is_tested() {
    let tested = ["grant", "upload", "confirm", "process", "purge"]
        .map(points)
        .concat();
    assert_eq!(tested, FAIL_POINTS);
}

/// Kills it at each point of a part, a few at a time: much of it is waiting.
async fn at_each<F: Future<Output = ()>>(part: &str, tell: impl Fn(&'static str) -> F) {
    stream::iter(points(part))
        .for_each_concurrent(3, tell)
        .await;
}

async fn ready(point: &'static str, retry: Retry) {
    Story::until_killed_at(point)
        .await
        .ready(retry)
        .await
        .swept()
        .await;
}

#[tokio::test]
async fn while_leave_is_given() {
    at_each("grant", |point| ready(point, Retry::SameUrl)).await;
}

#[tokio::test]
async fn while_bytes_arrive_and_the_same_url_is_used_again() {
    at_each("upload", |point| ready(point, Retry::SameUrl)).await;
}

#[tokio::test]
async fn while_bytes_arrive_and_another_url_is_asked_for() {
    at_each("upload", |point| ready(point, Retry::NewUrl)).await;
}

#[tokio::test]
async fn while_it_is_confirmed() {
    at_each("confirm", |point| ready(point, Retry::SameUrl)).await;
}

#[tokio::test]
async fn while_it_is_processed() {
    at_each("process", |point| ready(point, Retry::SameUrl)).await;
}

#[tokio::test]
async fn while_it_is_purged() {
    at_each("purge", async |point| {
        let story = Story::until_killed_at(point)
            .await
            .ready(Retry::SameUrl)
            .await;
        story.purged().await.swept().await;
    })
    .await;
}
