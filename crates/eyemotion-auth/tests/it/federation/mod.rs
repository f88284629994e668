//! Sign-in through providers, against one in the test's process.

mod flows;
mod identities;
mod linking;
mod providers;

use crate::world::{World, nobody};
use eyemotion_auth::{
    AccountService, AuthConfig, Federated, Federation, FederationConfig, FederationError,
    FederationService, FlowFinish, FlowReturn, FlowStart, FlowStarted, GithubConfig, OidcConfig,
    Provider, Returned, Throttling,
};
use eyemotion_core::Ctx;
use eyemotion_testkit::{CLIENT_ID, CLIENT_SECRET, FakeProvider};
use reqwest::{Url, redirect};
use std::collections::HashMap;
use std::sync::Arc;

const PAGE: &str = "https://app.example.com/auth/callback";

/// A world with two providers, a page to come back to, and a browser.
struct Scene {
    world: World,
    federation: Arc<FederationService>,
    google: FakeProvider,
    github: FakeProvider,
    http: reqwest::Client,
}

/// A flow whose browser has been at the provider.
struct Trip {
    provider: Provider,
    started: FlowStarted,
    /// What the provider added to the callback.
    query: HashMap<String, String>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let (google, github) = (FakeProvider::start().await, FakeProvider::start().await);
        let config = FederationConfig {
            google: Some(OidcConfig {
                issuer: google.url().to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.into(),
            }),
            github: Some(GithubConfig {
                url: github.url().to_owned(),
                api_url: github.url().to_owned(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.into(),
            }),
            redirect_targets: vec![PAGE.to_owned()],
        };
        let federation = FederationService::new(accounts(&world), config).unwrap();
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            world,
            federation: Arc::new(federation),
            google,
            github,
            http,
        }
    }

    fn fake(&self, provider: Provider) -> &FakeProvider {
        match provider {
            Provider::Google => &self.google,
            Provider::Github => &self.github,
        }
    }

    /// Begins a flow and goes to the provider with it.
    async fn leave(&self, provider: Provider) -> Trip {
        self.leave_as(&nobody(), provider, None).await
    }

    async fn leave_as(&self, ctx: &Ctx, provider: Provider, challenge: Option<String>) -> Trip {
        let start = FlowStart {
            code_challenge: challenge,
            ..start(provider)
        };
        let started = self.federation.begin(ctx, start).await.unwrap();
        let response = self.http.get(&started.url).send().await.unwrap();
        let back = response.headers()["location"].to_str().unwrap();
        assert!(back.starts_with(&callback(provider)), "{back}");
        Trip {
            provider,
            query: query(back),
            started,
        }
    }

    async fn finish(&self, trip: &Trip) -> Result<Federated, FederationError> {
        self.federation.finish(&nobody(), trip.finish()).await
    }

    /// The whole way.
    async fn sign_in(&self, provider: Provider) -> Result<Federated, FederationError> {
        let trip = self.leave(provider).await;
        let page = self.federation.returned(&nobody(), trip.back()).await?;
        let Returned::To(page) = page else {
            return Err(FederationError::FlowInvalid);
        };
        assert!(page.starts_with(PAGE), "{page}");
        let query = query(&page);
        let finish = FlowFinish {
            code: query["code"].clone(),
            state: query["state"].clone(),
            ..trip.finish()
        };
        self.federation.finish(&nobody(), finish).await
    }
}

impl Trip {
    fn back(&self) -> FlowReturn {
        FlowReturn {
            provider: self.provider,
            state: self.query["state"].clone(),
            browser: self.started.browser.clone(),
            answer: Ok(self.query["code"].clone()),
            iss: None,
        }
    }

    fn finish(&self) -> FlowFinish {
        FlowFinish {
            code: self.query["code"].clone(),
            state: self.query["state"].clone(),
            browser: self.started.browser.clone(),
            code_verifier: None,
            iss: None,
        }
    }
}

fn accounts(world: &World) -> Arc<AccountService> {
    let config = AuthConfig {
        throttling: Throttling::Off,
        ..AuthConfig::default()
    };
    Arc::new(world.another(config))
}

fn callback(provider: Provider) -> String {
    format!(
        "https://api.example.com/oauth/{}/callback",
        provider.as_str()
    )
}

fn start(provider: Provider) -> FlowStart {
    FlowStart {
        provider,
        redirect_to: None,
        callback: callback(provider),
        code_challenge: None,
    }
}

fn query(url: &str) -> HashMap<String, String> {
    let url: Url = url.parse().unwrap();
    url.query_pairs().into_owned().collect()
}
