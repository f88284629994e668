//! Sign-in through providers, put together from the settings.

use crate::config::{OauthSettings, Secret, Settings};
use eyemotion_auth::{
    AccountService, FederationConfig, FederationService, GithubConfig, InvalidProvider, OidcConfig,
};
use secrecy::SecretString;
use std::sync::Arc;

/// The service; a provider without a client id is not configured.
pub(crate) fn federation(
    settings: &Settings,
    accounts: Arc<AccountService>,
) -> Result<FederationService, InvalidProvider> {
    let oauth = &settings.oauth;
    let mut redirect_targets = oauth.redirect_urls.clone();
    redirect_targets.extend(settings.server.frontend_url.clone());
    let config = FederationConfig {
        google: google(oauth),
        github: github(oauth),
        redirect_targets,
    };
    FederationService::new(accounts, config)
}

fn google(oauth: &OauthSettings) -> Option<OidcConfig> {
    let (client_id, client_secret) = client(
        oauth.google_client_id.as_ref(),
        oauth.google_client_secret.as_ref(),
    )?;
    Some(OidcConfig {
        issuer: oauth.google_issuer.clone(),
        client_id,
        client_secret,
    })
}

fn github(oauth: &OauthSettings) -> Option<GithubConfig> {
    let (client_id, client_secret) = client(
        oauth.github_client_id.as_ref(),
        oauth.github_client_secret.as_ref(),
    )?;
    Some(GithubConfig {
        url: oauth.github_url.clone(),
        api_url: oauth.github_api_url.clone(),
        client_id,
        client_secret,
    })
}

fn client(id: Option<&String>, secret: Option<&Secret>) -> Option<(String, SecretString)> {
    Some((id?.clone(), SecretString::from(secret?.expose())))
}
