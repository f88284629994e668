//! What binds a flow to its browser, its provider and its time.

use super::{PAGE, Scene, callback, query, start};
use crate::world::nobody;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use eyemotion_auth::{
    Federation, FederationConfig, FederationError, FederationService, FlowFinish, FlowKeeper,
    FlowReturn, FlowStart, ForgetOauthFlows, Provider, Returned,
};
use eyemotion_core::{Coded, Ctx, ErrorCode};
use eyemotion_jobs::{Enqueue, Workers, enqueue};
use std::sync::Arc;
use std::time::Duration;

const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-~._";

fn challenge() -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, VERIFIER.as_bytes()).as_ref())
}

#[tokio::test]
async fn the_browser_is_sent_away_with_all_that_protects_it() {
    let scene = Scene::new().await;
    for provider in [Provider::Google, Provider::Github] {
        let started = scene
            .federation
            .begin(&nobody(), start(provider))
            .await
            .unwrap();
        assert!(started.url.starts_with(scene.fake(provider).url()));
        let query = query(&started.url);
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["code_challenge"].len(), 43);
        assert_eq!(query["redirect_uri"], callback(provider));
        assert_eq!(query["state"], started.state);
        assert_eq!(query.contains_key("nonce"), provider == Provider::Google);
        let again = scene
            .federation
            .begin(&nobody(), start(provider))
            .await
            .unwrap();
        assert_ne!(again.state, started.state);
        assert_ne!(again.browser, started.browser);
    }
    // Nothing that a browser holds can be read from the table.
    let states =
        "auth.oauth_flows WHERE octet_length(state_hash) = 32 AND octet_length(browser_hash) = 32";
    assert_eq!(scene.world.count(states).await, 4);
}

#[tokio::test]
async fn a_state_works_once() {
    let scene = Scene::new().await;
    for provider in [Provider::Google, Provider::Github] {
        let trip = scene.leave(provider).await;
        scene.finish(&trip).await.unwrap();
        let replayed = scene.finish(&trip).await;
        assert!(
            matches!(replayed, Err(FederationError::FlowInvalid)),
            "{replayed:?}"
        );
        let back = scene.federation.returned(&nobody(), trip.back()).await;
        assert!(
            matches!(back, Err(FederationError::FlowInvalid)),
            "{back:?}"
        );
    }
    assert_eq!(scene.world.count("auth.oauth_flows").await, 0);
}

#[tokio::test]
async fn of_many_at_once_one_uses_the_state() {
    let scene = Scene::new().await;
    let trip = scene.leave(Provider::Github).await;
    let tries = (0..8).map(|_| scene.finish(&trip));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        1,
        "{results:?}"
    );
    assert_eq!(scene.world.count("auth.sessions").await, 1);
}

#[tokio::test]
async fn a_code_works_once_whatever_the_state() {
    let scene = Scene::new().await;
    for provider in [Provider::Google, Provider::Github] {
        let used = scene.leave(provider).await;
        scene.finish(&used).await.unwrap();
        let fresh = scene.leave(provider).await;
        let finish = FlowFinish {
            code: used.query["code"].clone(),
            ..fresh.finish()
        };
        let replayed = scene.federation.finish(&nobody(), finish).await;
        assert!(
            matches!(replayed, Err(FederationError::Refused(_))),
            "{replayed:?}"
        );
    }
}

/// The code belongs to the flow it was given in: the provider sees another PKCE verifier.
#[tokio::test]
async fn a_code_of_another_flow_is_refused() {
    let scene = Scene::new().await;
    for provider in [Provider::Google, Provider::Github] {
        let (stolen, own) = (scene.leave(provider).await, scene.leave(provider).await);
        let finish = FlowFinish {
            code: stolen.query["code"].clone(),
            ..own.finish()
        };
        let refused = scene.federation.finish(&nobody(), finish).await;
        assert!(
            matches!(refused, Err(FederationError::Refused(_))),
            "{refused:?}"
        );
    }
    assert_eq!(scene.world.count("auth.users").await, 0);
}

#[tokio::test]
async fn pkce_is_checked_by_the_provider() {
    let scene = Scene::new().await;
    for provider in [Provider::Google, Provider::Github] {
        let trip = scene.leave(provider).await;
        let other = "another-verifier-of-at-least-43-characters-....";
        scene
            .world
            .execute("UPDATE auth.oauth_flows SET pkce_verifier = $1", &[&other])
            .await;
        let refused = scene.finish(&trip).await;
        assert!(
            matches!(refused, Err(FederationError::Refused(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn another_browser_is_refused_and_the_right_one_is_not_disturbed() {
    let scene = Scene::new().await;
    let trip = scene.leave(Provider::Github).await;
    let other = scene.leave(Provider::Github).await;
    for browser in [None, Some(String::new()), other.started.browser.clone()] {
        let finish = FlowFinish {
            browser: browser.clone(),
            ..trip.finish()
        };
        let refused = scene.federation.finish(&nobody(), finish).await;
        assert!(
            matches!(refused, Err(FederationError::FlowInvalid)),
            "{refused:?}"
        );
        let back = FlowReturn {
            browser,
            ..trip.back()
        };
        let refused = scene.federation.returned(&nobody(), back).await;
        assert!(
            matches!(refused, Err(FederationError::FlowInvalid)),
            "{refused:?}"
        );
    }
    // A verifier does not take the browser's place where none was agreed.
    let finish = FlowFinish {
        browser: None,
        code_verifier: Some(VERIFIER.to_owned()),
        ..trip.finish()
    };
    assert!(scene.federation.finish(&nobody(), finish).await.is_err());
    scene.finish(&trip).await.unwrap();
}

#[tokio::test]
async fn a_client_without_cookies_proves_itself_by_its_verifier() {
    let scene = Scene::new().await;
    let trip = scene
        .leave_as(&nobody(), Provider::Github, Some(challenge()))
        .await;
    assert_eq!(trip.started.browser, None);
    let page = scene
        .federation
        .returned(&nobody(), trip.back())
        .await
        .unwrap();
    assert!(matches!(page, Returned::To(_)));
    let with = |verifier: Option<&str>| FlowFinish {
        code_verifier: verifier.map(ToOwned::to_owned),
        ..trip.finish()
    };
    for wrong in [
        None,
        Some(""),
        Some("short"),
        Some("another-verifier-of-forty-three-characters-at-least"),
    ] {
        let refused = scene.federation.finish(&nobody(), with(wrong)).await;
        assert!(
            matches!(refused, Err(FederationError::FlowInvalid)),
            "{wrong:?}: {refused:?}"
        );
    }
    let right = with(Some(VERIFIER));
    scene.federation.finish(&nobody(), right).await.unwrap();

    for bad in ["", "plain", &VERIFIER[..43], &challenge()[..42]] {
        let start = FlowStart {
            code_challenge: Some(bad.to_owned()),
            ..start(Provider::Github)
        };
        let refused = scene
            .federation
            .begin(&nobody(), start)
            .await
            .err()
            .unwrap();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed, "{bad}");
    }
}

#[tokio::test]
async fn a_flow_ends_after_300_seconds() {
    let scene = Scene::new().await;
    let (early, late) = (
        scene.leave(Provider::Github).await,
        scene.leave(Provider::Github).await,
    );
    scene.world.advance(TimeDelta::seconds(299));
    scene.finish(&early).await.unwrap();
    scene.world.advance(TimeDelta::seconds(1));
    let refused = scene.federation.returned(&nobody(), late.back()).await;
    assert!(
        matches!(refused, Err(FederationError::FlowInvalid)),
        "{refused:?}"
    );
    let refused = scene.finish(&late).await;
    assert!(
        matches!(refused, Err(FederationError::FlowInvalid)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_nobody_came_back_from_is_forgotten() {
    let scene = Scene::new().await;
    scene.leave(Provider::Github).await;
    scene.world.advance(TimeDelta::seconds(200));
    let young = scene.leave(Provider::Github).await;
    scene.world.advance(TimeDelta::seconds(100));
    let db = scene.world.dependencies.db.clone();
    let clock = scene.world.clock.clone();
    let running = Workers::builder(db.clone(), clock.clone())
        .register::<ForgetOauthFlows>(FlowKeeper::new(db.clone(), clock.clone()))
        .start()
        .unwrap();
    let mut tx = db.begin(&Ctx::system("test")).await.unwrap();
    enqueue(&mut tx, &*clock, &ForgetOauthFlows {}, Enqueue::new())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let swept = async {
        while scene.world.count("auth.oauth_flows").await > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), swept)
        .await
        .unwrap();
    running.drain(Duration::from_secs(10)).await;
    // The younger one is still good.
    scene.finish(&young).await.unwrap();
}

#[tokio::test]
async fn answers_of_another_provider_are_refused() {
    let scene = Scene::new().await;
    let trip = scene.leave(Provider::Google).await;
    let crossed = FlowReturn {
        provider: Provider::Github,
        ..trip.back()
    };
    let refused = scene.federation.returned(&nobody(), crossed).await;
    assert!(
        matches!(refused, Err(FederationError::FlowInvalid)),
        "{refused:?}"
    );

    let evil = Some("https://evil.example.com".to_owned());
    let back = FlowReturn {
        iss: evil.clone(),
        ..trip.back()
    };
    let refused = scene.federation.returned(&nobody(), back).await;
    assert!(
        matches!(refused, Err(FederationError::FlowInvalid)),
        "{refused:?}"
    );

    // The code of one provider at the other's token endpoint.
    let own = scene.leave(Provider::Github).await;
    let finish = FlowFinish {
        code: trip.query["code"].clone() + "-google",
        ..own.finish()
    };
    let refused = scene.federation.finish(&nobody(), finish).await;
    assert!(
        matches!(refused, Err(FederationError::Refused(_))),
        "{refused:?}"
    );

    let right = FlowFinish {
        iss: Some(scene.google.url().to_owned()),
        ..trip.finish()
    };
    scene.federation.finish(&nobody(), right).await.unwrap();
    let trip = scene.leave(Provider::Google).await;
    let wrong = FlowFinish {
        iss: evil,
        ..trip.finish()
    };
    let refused = scene.federation.finish(&nobody(), wrong).await;
    assert!(
        matches!(refused, Err(FederationError::FlowInvalid)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_providers_refusal_reaches_the_page_and_ends_the_flow() {
    let scene = Scene::new().await;
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("<script>alert(1)</script>", "server_error"),
        ("x\r\nSet-Cookie: a=b", "server_error"),
    ] {
        let trip = scene.leave(Provider::Github).await;
        let back = FlowReturn {
            answer: Err(error.to_owned()),
            ..trip.back()
        };
        let page = scene.federation.returned(&nobody(), back).await.unwrap();
        let Returned::To(page) = page else {
            panic!("{page:?}");
        };
        let state = &trip.started.state;
        assert_eq!(page, format!("{PAGE}?error={told}&state={state}"));
        let over = scene.finish(&trip).await;
        assert!(
            matches!(over, Err(FederationError::FlowInvalid)),
            "{over:?}"
        );
    }
}

#[tokio::test]
async fn only_listed_pages_get_the_code() {
    let scene = Scene::new().await;
    let begin = |target: &str| {
        let start = FlowStart {
            redirect_to: Some(target.to_owned()),
            ..start(Provider::Github)
        };
        let federation = Arc::clone(&scene.federation);
        async move { federation.begin(&nobody(), start).await }
    };
    begin(PAGE).await.unwrap();
    for target in [
        "https://evil.com",
        "//evil.com",
        "https://app.example.com/auth/callback/",
    ] {
        let refused = begin(target).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed, "{target}");
        assert_eq!(refused.field_errors()[0].pointer, "/redirectTo");
    }
}

#[tokio::test]
async fn without_a_page_the_callback_signs_in() {
    let scene = Scene::new().await;
    let trip = scene.leave(Provider::Github).await;
    scene
        .world
        .execute("UPDATE auth.oauth_flows SET redirect_to = NULL", &[])
        .await;
    let done = scene
        .federation
        .returned(&nobody(), trip.back())
        .await
        .unwrap();
    let Returned::Done(done) = done else {
        panic!("{done:?}");
    };
    assert_eq!(done.account.email, "ada@example.com");
    assert!(done.tokens.is_some());
}

#[tokio::test]
async fn what_is_not_configured_says_so() {
    let scene = Scene::new().await;
    let accounts = super::accounts(&scene.world);
    let federation = FederationService::new(accounts, FederationConfig::default()).unwrap();
    for provider in [Provider::Google, Provider::Github] {
        let refused = federation
            .begin(&nobody(), start(provider))
            .await
            .err()
            .unwrap();
        assert_eq!(refused.code(), ErrorCode::OauthNotConfigured);
    }
}
