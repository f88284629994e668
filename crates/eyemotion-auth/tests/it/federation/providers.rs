//! Providers that err, and what is believed of them.

use super::{Scene, start};
use crate::world::nobody;
use chrono::TimeDelta;
use eyemotion_auth::{Federation, FederationError, Provider};
use eyemotion_testkit::Fault;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Wanted {
    Unavailable,
    Refused,
}

#[tokio::test]
async fn a_provider_that_errs_signs_nobody_in() {
    let scene = Scene::new().await;
    let everywhere = [
        (Fault::Huge, Wanted::Unavailable),
        (Fault::Html, Wanted::Unavailable),
        (Fault::Failing, Wanted::Unavailable),
        (Fault::Redirect, Wanted::Unavailable),
    ];
    let tokens = [
        (Fault::Nonce, Wanted::Refused),
        (Fault::Issuer, Wanted::Refused),
        (Fault::Audience, Wanted::Refused),
        (Fault::Expired, Wanted::Refused),
        (Fault::Key, Wanted::Refused),
        (Fault::Unsigned, Wanted::Refused),
    ];
    let cases = everywhere
        .iter()
        .flat_map(|case| [(Provider::Google, *case), (Provider::Github, *case)])
        .chain(tokens.iter().map(|case| (Provider::Google, *case)));
    for (provider, (fault, wanted)) in cases {
        let trip = scene.leave(provider).await;
        scene.fake(provider).misbehaves(fault);
        let result = scene.finish(&trip).await;
        scene.fake(provider).misbehaves(Fault::None);
        let got = match &result {
            Err(FederationError::Unavailable(_)) => Some(Wanted::Unavailable),
            Err(FederationError::Refused(_)) => Some(Wanted::Refused),
            _ => None,
        };
        assert_eq!(got, Some(wanted), "{provider:?} {fault:?}: {result:?}");
        assert_eq!(scene.world.count("auth.users").await, 0, "{fault:?}");
    }
    scene.sign_in(Provider::Google).await.unwrap();
    scene.sign_in(Provider::Github).await.unwrap();
}

#[tokio::test]
async fn a_flow_does_not_begin_while_discovery_fails() {
    let scene = Scene::new().await;
    for fault in [Fault::Huge, Fault::Html, Fault::Failing, Fault::Redirect] {
        scene.google.misbehaves(fault);
        let failed = scene
            .federation
            .begin(&nobody(), start(Provider::Google))
            .await;
        assert!(matches!(
            failed,
            Err(FederationError::Unavailable(Provider::Google))
        ));
    }
    scene.google.misbehaves(Fault::None);
    scene.sign_in(Provider::Google).await.unwrap();
}

#[tokio::test]
async fn discovery_and_keys_are_kept_for_an_hour() {
    let scene = Scene::new().await;
    scene
        .federation
        .begin(&nobody(), start(Provider::Google))
        .await
        .unwrap();
    assert_eq!(scene.google.asked(), 2);
    for _ in 0..3 {
        scene
            .federation
            .begin(&nobody(), start(Provider::Google))
            .await
            .unwrap();
    }
    assert_eq!(scene.google.asked(), 2);
    scene.world.advance(TimeDelta::hours(1));
    scene
        .federation
        .begin(&nobody(), start(Provider::Google))
        .await
        .unwrap();
    assert_eq!(scene.google.asked(), 4);
}

#[tokio::test]
async fn new_keys_are_fetched_when_they_are_needed_but_not_at_anybodys_pleasure() {
    let scene = Scene::new().await;
    scene.sign_in(Provider::Google).await.unwrap();
    scene.google.rotates_its_key();
    let asked = scene.google.asked();
    let too_soon = scene.sign_in(Provider::Google).await;
    assert!(
        matches!(too_soon, Err(FederationError::Refused(_))),
        "{too_soon:?}"
    );
    assert_eq!(
        scene.google.asked() - asked,
        2,
        "the page and the token, no keys"
    );
    scene.world.advance(TimeDelta::minutes(1));
    scene.sign_in(Provider::Google).await.unwrap();
}
