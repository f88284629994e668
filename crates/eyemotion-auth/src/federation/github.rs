//! GitHub speaks OAuth 2.0 without OpenID: who somebody is, is asked of its API.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>

use super::config::GithubConfig;
use super::http::Http;
use super::provider::{Authorization, Claim, ProviderError, Redemption, bad_url, token_error};
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub(super) struct Github {
    url: String,
    api_url: String,
    client: Client,
    http: Http,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl Github {
    pub(super) fn new(config: GithubConfig) -> Result<Self, ProviderError> {
        let url = config.url.trim_end_matches('/').to_owned();
        let authorize = AuthUrl::new(format!("{url}/login/oauth/authorize")).map_err(bad_url)?;
        let token = TokenUrl::new(format!("{url}/login/oauth/access_token")).map_err(bad_url)?;
        let secret = config.client_secret.expose_secret().to_owned();
        let client = BasicClient::new(ClientId::new(config.client_id))
            .set_client_secret(ClientSecret::new(secret))
            .set_auth_uri(authorize)
            .set_token_uri(token)
            .set_auth_type(AuthType::RequestBody);
        let http = Http::for_base(&url).map_err(bad_url)?;
        Ok(Self {
            url,
            api_url: config.api_url.trim_end_matches('/').to_owned(),
            client,
            http,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.url
    }

    pub(super) fn authorize(
        &self,
        state: &str,
        redirect_uri: &str,
    ) -> Result<Authorization, ProviderError> {
        let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad_url)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new(state.to_owned());
        let (url, _) = self
            .client
            .authorize_url(|| state)
            .add_scope(Scope::new("read:user".to_owned()))
            .add_scope(Scope::new("user:email".to_owned()))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(std::borrow::Cow::Owned(redirect))
            .url();
        Ok(Authorization {
            url: url.into(),
            // GitHub gives no ID token that could carry one back.
            nonce: CsrfToken::new_random().into_secret(),
            pkce_verifier: verifier.into_secret(),
        })
    }

    pub(super) async fn redeem(&self, redemption: Redemption) -> Result<Claim, ProviderError> {
        let redirect = RedirectUrl::new(redemption.redirect_uri).map_err(bad_url)?;
        let tokens = self
            .client
            .exchange_code(AuthorizationCode::new(redemption.code))
            .set_pkce_verifier(PkceCodeVerifier::new(redemption.pkce_verifier))
            .set_redirect_uri(std::borrow::Cow::Owned(redirect))
            .request_async(&self.http)
            .await
            .map_err(token_error)?;
        let token = tokens.access_token().secret();
        let user: User = self.ask("/user", token).await?;
        let emails: Vec<Address> = self.ask("/user/emails?per_page=100", token).await?;
        // The profile's public address may be anything; only the list says what is verified.
        let primary = emails.into_iter().find(|email| email.primary);
        Ok(Claim {
            issuer: self.url.clone(),
            subject: user.id.to_string(),
            email_verified: primary.as_ref().is_some_and(|email| email.verified),
            email: primary.map(|email| email.email),
            name: user.name.or(Some(user.login)),
            picture: user.avatar_url,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, ProviderError> {
        let request = http::Request::get(format!("{}{path}", self.api_url))
            .header(ACCEPT, "application/vnd.github+json")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(USER_AGENT, "eyemotion")
            .body(Vec::new())
            .map_err(bad_url)?;
        let response = self.http.send(request).await?;
        if !response.status().is_success() {
            let text = format!("the API answers {} to {path}", response.status());
            return Err(ProviderError::Unavailable(text));
        }
        serde_json::from_slice(response.body()).map_err(|error| {
            ProviderError::Unavailable(format!("the API's answer to {path}: {error}"))
        })
    }
}
