use crate::relay::Relay;
use crate::world::{World, reset_of};
use chrono::TimeDelta;
use eyemotion_mail::{MailProbe, MailboxFolder, Transport};
use eyemotion_ports::{HealthStatus, Probe};
use std::sync::Arc;

fn probe(world: &World, transport: Arc<dyn Transport>) -> MailProbe {
    MailProbe::new(world.db.clone(), world.clock.clone(), transport)
}

#[tokio::test]
async fn the_relay_is_asked_and_the_outbox_must_not_age() {
    let world = World::new().await;
    let relay = Relay::start([]).await;
    let probe = probe(
        &world,
        World::smtp(&format!("smtp://127.0.0.1:{}", relay.port)),
    );
    assert_eq!(probe.component(), "mail");
    let health = probe.check().await;
    assert_eq!(health.status, HealthStatus::Healthy, "{}", health.message);
    assert_eq!(health.details["queued"], 0);

    world.post(reset_of("a@example.com", None)).await.unwrap();
    for (after, status) in [
        (TimeDelta::minutes(9), HealthStatus::Healthy),
        (TimeDelta::minutes(1), HealthStatus::Warning),
        (TimeDelta::minutes(50), HealthStatus::Critical),
    ] {
        world.advance(after);
        let health = probe.check().await;
        assert_eq!(health.status, status, "{}", health.message);
        assert_eq!(health.details["queued"], 1);
    }
    assert_eq!(
        relay.connections(),
        1,
        "a public report must not wear the relay out"
    );
}

#[tokio::test]
async fn a_relay_that_is_away_is_critical() {
    let world = World::new().await;
    // A port that was free a moment ago.
    let port = Relay::start([]).await.port;
    tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .map(drop)
        .ok();
    let health = probe(&world, World::smtp(&format!("smtp://127.0.0.1:{port}")))
        .check()
        .await;
    assert_eq!(health.status, HealthStatus::Critical, "{}", health.message);
}

#[tokio::test]
async fn no_relay_is_no_fault() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let folder = MailboxFolder::new(directory.path().to_owned(), false);
    let health = probe(&world, Arc::new(folder)).check().await;
    assert_eq!(health.status, HealthStatus::Disabled, "{}", health.message);
}
