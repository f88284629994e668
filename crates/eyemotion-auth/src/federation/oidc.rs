//! An OpenID provider, found by discovery
//! (<https://openid.net/specs/openid-connect-discovery-1_0.html>).

use super::config::OidcConfig;
use super::http::Http;
use super::provider::{Authorization, Claim, ProviderError, Redemption, bad_url, token_error};
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::Clock;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long the provider's addresses and keys are taken for its own.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How soon keys are fetched again for a token that names none of them: the provider may have
/// changed them, and a stranger may be making tokens up.
const AT_LEAST: TimeDelta = TimeDelta::minutes(1);

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(super) struct Oidc {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    http: Http,
    clock: Arc<dyn Clock>,
    discovered: Mutex<Option<Discovered>>,
}

struct Discovered {
    client: Arc<Client>,
    at: DateTime<Utc>,
}

impl Oidc {
    pub(super) fn new(config: OidcConfig, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        Ok(Self {
            http: Http::for_base(&config.issuer).map_err(bad_url)?,
            issuer: IssuerUrl::new(config.issuer).map_err(bad_url)?,
            client_id: ClientId::new(config.client_id),
            client_secret: ClientSecret::new(config.client_secret.expose_secret().to_owned()),
            clock,
            discovered: Mutex::new(None),
        })
    }

    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    pub(super) async fn authorize(
        &self,
        state: &str,
        redirect_uri: &str,
    ) -> Result<Authorization, ProviderError> {
        let client = self.client(FRESH).await?;
        let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(bad_url)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new(state.to_owned());
        let (url, _, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(std::borrow::Cow::Owned(redirect))
            .url();
        Ok(Authorization {
            url: url.into(),
            nonce: nonce.secret().clone(),
            pkce_verifier: verifier.into_secret(),
        })
    }

    pub(super) async fn redeem(&self, redemption: Redemption) -> Result<Claim, ProviderError> {
        let client = self.client(FRESH).await?;
        let redirect = RedirectUrl::new(redemption.redirect_uri).map_err(bad_url)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(redemption.code))
            .map_err(bad_url)?
            .set_pkce_verifier(PkceCodeVerifier::new(redemption.pkce_verifier))
            .set_redirect_uri(std::borrow::Cow::Owned(redirect))
            .request_async(&self.http)
            .await
            .map_err(token_error)?;
        let token = tokens
            .id_token()
            .ok_or(ProviderError::Refused("there is no ID token"))?;
        let nonce = Nonce::new(redemption.nonce);
        let claim = match self.verify(&client, token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => self.verify(&*self.client(AT_LEAST).await?, token, &nonce),
            verified => verified,
        };
        claim.map_err(|error| {
            tracing::warn!(%error, issuer = self.issuer(), "an ID token is not valid");
            ProviderError::Refused("the ID token is not valid")
        })
    }

    /// Checks the signature, `iss`, `aud`, `exp` and `nonce` (OpenID Connect Core section 3.1.3.7).
    fn verify(
        &self,
        client: &Client,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<Claim, ClaimsVerificationError> {
        let clock = Arc::clone(&self.clock);
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                CoreJwsSigningAlgorithm::RsaSsaPssSha256,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            ])
            .set_time_fn(move || clock.now());
        Ok(self.claim(token.claims(&verifier, nonce)?))
    }

    fn claim(&self, claims: &CoreIdTokenClaims) -> Claim {
        let name = claims.name().and_then(|name| name.get(None));
        let picture = claims.picture().and_then(|picture| picture.get(None));
        Claim {
            issuer: self.issuer().to_owned(),
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified() == Some(true),
            name: name.map(|name| name.to_string()),
            picture: picture.map(|picture| picture.to_string()),
        }
    }

    /// The provider as its discovery document and keys tell, no older than `age`. Many at once wait
    /// for one fetch.
    async fn client(&self, age: TimeDelta) -> Result<Arc<Client>, ProviderError> {
        let mut discovered = self.discovered.lock().await;
        let now = self.clock.now();
        if let Some(known) = discovered.as_ref().filter(|known| now - known.at < age) {
            return Ok(Arc::clone(&known.client));
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http)
            .await
            .map_err(|error| ProviderError::Unavailable(format!("discovery: {error}")))?;
        let secret = Some(self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), secret);
        let client = Arc::new(client);
        *discovered = Some(Discovered {
            client: Arc::clone(&client),
            at: now,
        });
        Ok(client)
    }
}
