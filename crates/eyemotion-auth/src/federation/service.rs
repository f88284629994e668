use super::config::FederationConfig;
use super::error::FederationError;
use super::github::Github;
use super::oidc::Oidc;
use super::provider::{Connection, ProviderError};
use super::redirects::RedirectTargets;
use super::{
    Federated, Federation, FlowFinish, FlowReturn, FlowStart, FlowStarted, Identity, Provider,
    Returned,
};
use crate::account::AccountService;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use std::sync::Arc;
use uuid::Uuid;

/// [`Federation`] over PostgreSQL, for the accounts of an [`AccountService`].
pub struct FederationService {
    pub(super) accounts: Arc<AccountService>,
    pub(super) targets: RedirectTargets,
    google: Option<Connection>,
    github: Option<Connection>,
}

impl FederationService {
    /// Puts the service together; asks no provider yet.
    ///
    /// # Errors
    /// When a provider's address is none.
    pub fn new(
        accounts: Arc<AccountService>,
        config: FederationConfig,
    ) -> Result<Self, InvalidProvider> {
        let clock = Arc::clone(&accounts.clock);
        let google = config.google.map(|google| Oidc::new(google, clock));
        let google = google.transpose()?.map(Box::new);
        let github = config.github.map(Github::new);
        let github = github.transpose()?.map(Box::new);
        Ok(Self {
            accounts,
            targets: RedirectTargets::new(config.redirect_targets),
            google: google.map(Connection::Oidc),
            github: github.map(Connection::Github),
        })
    }

    pub(super) fn connection(&self, provider: Provider) -> Result<&Connection, FederationError> {
        let connection = match provider {
            Provider::Google => &self.google,
            Provider::Github => &self.github,
        };
        connection
            .as_ref()
            .ok_or(FederationError::NotConfigured(provider))
    }

    /// Whether somebody may sign in with an identity of this issuer now.
    pub(super) fn knows(&self, issuer: &str) -> bool {
        [&self.google, &self.github]
            .into_iter()
            .flatten()
            .any(|connection| connection.issuer() == issuer)
    }
}

/// A provider's settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the sign-in provider cannot be used: {0}")]
pub struct InvalidProvider(String);

impl From<ProviderError> for InvalidProvider {
    fn from(error: ProviderError) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl Federation for FederationService {
    async fn begin(&self, ctx: &Ctx, start: FlowStart) -> Result<FlowStarted, FederationError> {
        self.begin_flow(ctx, start).await
    }

    async fn returned(&self, ctx: &Ctx, back: FlowReturn) -> Result<Returned, FederationError> {
        self.come_back(ctx, back).await
    }

    async fn finish(&self, ctx: &Ctx, finish: FlowFinish) -> Result<Federated, FederationError> {
        self.finish_flow(ctx, finish).await
    }

    async fn identities(&self, ctx: &Ctx) -> Result<Vec<Identity>, FederationError> {
        self.own_identities(ctx).await
    }

    async fn unlink(&self, ctx: &Ctx, identity: Uuid) -> Result<(), FederationError> {
        self.remove_identity(ctx, identity).await
    }
}
