//! The steps of a flow, and what binds them to one browser.

use super::error::FederationError;
use super::provider::{ProviderError, Redemption};
use super::redirects::with_query;
use super::service::FederationService;
use super::{
    FLOW_LIFE, Federated, FlowFinish, FlowReturn, FlowStart, FlowStarted, Provider, Returned,
};
use crate::account::as_platform;
use crate::error::AuthError;
use crate::repository::oauth_flows::{self, FlowRow};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use data_encoding::BASE64URL_NOPAD;
use eyemotion_core::{Actor, Ctx, FieldError};

/// How many characters a SHA-256 has in base64url.
const CHALLENGE_CHARS: usize = 43;

impl FederationService {
    pub(super) async fn begin_flow(
        &self,
        ctx: &Ctx,
        start: FlowStart,
    ) -> Result<FlowStarted, FederationError> {
        let connection = self.connection(start.provider)?;
        let redirect_to = self.targets.choose(start.redirect_to)?;
        if let Some(challenge) = &start.code_challenge {
            check_challenge(challenge, redirect_to.is_some())?;
        }
        let link_session = match ctx.actor {
            Actor::User { session, .. } => {
                let mut tx = self.accounts.db.read(ctx).await?;
                self.accounts.require_recent(&mut tx, ctx).await?;
                Some(session.0)
            }
            Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => None,
        };
        let state = random()?;
        let browser = match start.code_challenge {
            Some(_) => None,
            None => Some(random()?),
        };
        let authorization = connection
            .authorize(&state, &start.callback)
            .await
            .map_err(|error| told(start.provider, error))?;
        let now = self.accounts.clock.now();
        let row = FlowRow {
            state_hash: hash(&state),
            provider: start.provider.as_str().to_owned(),
            nonce: authorization.nonce,
            pkce_verifier: authorization.pkce_verifier,
            redirect_uri: start.callback,
            redirect_to,
            browser_hash: browser.as_deref().map(hash),
            client_challenge: start.code_challenge,
            link_session,
            created_at: now,
            expires_at: now + FLOW_LIFE,
        };
        let mut tx = self.accounts.db.begin(&as_platform(ctx)).await?;
        oauth_flows::insert(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(FlowStarted {
            url: authorization.url,
            state,
            browser,
        })
    }

    pub(super) async fn come_back(
        &self,
        ctx: &Ctx,
        back: FlowReturn,
    ) -> Result<Returned, FederationError> {
        let mut tx = self.accounts.db.read(&as_platform(ctx)).await?;
        let now = self.accounts.clock.now();
        let flow = oauth_flows::find(&mut tx, &hash(&back.state), now).await?;
        let flow = flow.ok_or(FederationError::FlowInvalid)?;
        drop(tx);
        if flow.provider != back.provider.as_str() {
            return Err(FederationError::FlowInvalid);
        }
        if flow.client_challenge.is_none() {
            same_browser(&flow, back.browser.as_deref())?;
        }
        self.check_issuer(back.provider, back.iss.as_deref())?;
        match (back.answer, &flow.redirect_to) {
            (Ok(code), Some(page)) => {
                let pairs = [("code", code.as_str()), ("state", back.state.as_str())];
                to(page, &pairs)
            }
            (Ok(code), None) => {
                let finish = FlowFinish {
                    code,
                    state: back.state,
                    browser: back.browser,
                    code_verifier: None,
                    iss: back.iss,
                };
                let done = self.finish_flow(ctx, finish).await?;
                Ok(Returned::Done(Box::new(done)))
            }
            (Err(error), page) => {
                self.take(ctx, &back.state, |_| Ok(())).await?;
                let Some(page) = page else {
                    return Err(FederationError::Refused("it was cancelled there"));
                };
                let pairs = [
                    ("error", known_error(&error)),
                    ("state", back.state.as_str()),
                ];
                to(page, &pairs)
            }
        }
    }

    pub(super) async fn finish_flow(
        &self,
        ctx: &Ctx,
        finish: FlowFinish,
    ) -> Result<Federated, FederationError> {
        let flow = self
            .take(ctx, &finish.state, |flow| match &flow.client_challenge {
                Some(challenge) => has_verifier(challenge, finish.code_verifier.as_deref()),
                None => same_browser(flow, finish.browser.as_deref()),
            })
            .await?;
        let provider: Provider = flow
            .provider
            .parse()
            .map_err(|_| FederationError::FlowInvalid)?;
        self.check_issuer(provider, finish.iss.as_deref())?;
        let redemption = Redemption {
            code: finish.code,
            redirect_uri: flow.redirect_uri,
            nonce: flow.nonce,
            pkce_verifier: flow.pkce_verifier,
        };
        let claim = self
            .connection(provider)?
            .redeem(redemption)
            .await
            .map_err(|error| told(provider, error))?;
        match flow.link_session {
            Some(session) => {
                self.add_identity(ctx, provider, &claim, session.into())
                    .await
            }
            None => self.admit(ctx, provider, &claim).await,
        }
    }

    /// Takes the flow if `check` lets it pass. Committed before the provider is asked, so that no
    /// state is used twice, whatever becomes of the first use.
    async fn take(
        &self,
        ctx: &Ctx,
        state: &str,
        check: impl FnOnce(&FlowRow) -> Result<(), FederationError> + Send,
    ) -> Result<FlowRow, FederationError> {
        let state_hash = hash(state);
        let now = self.accounts.clock.now();
        let mut tx = self.accounts.db.begin(&as_platform(ctx)).await?;
        let flow = oauth_flows::find(&mut tx, &state_hash, now).await?;
        let flow = flow.ok_or(FederationError::FlowInvalid)?;
        check(&flow)?;
        if oauth_flows::delete(&mut tx, &state_hash).await? == 0 {
            return Err(FederationError::FlowInvalid);
        }
        tx.commit().await?;
        Ok(flow)
    }

    /// RFC 9207 section 2.4: another issuer's answer is not this one's.
    fn check_issuer(&self, provider: Provider, iss: Option<&str>) -> Result<(), FederationError> {
        let issuer = self.connection(provider)?.issuer();
        match iss {
            Some(iss) if iss != issuer => Err(FederationError::FlowInvalid),
            Some(_) | None => Ok(()),
        }
    }
}

fn to(page: &str, pairs: &[(&str, &str)]) -> Result<Returned, FederationError> {
    let url = with_query(page, pairs).map_err(|_| FederationError::FlowInvalid)?;
    Ok(Returned::To(url))
}

/// The provider's word for what went wrong, if it is one of RFC 6749's: nothing else is passed on.
fn known_error(error: &str) -> &str {
    const KNOWN: [&str; 7] = [
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    ];
    if KNOWN.contains(&error) {
        error
    } else {
        "server_error"
    }
}

/// Logs what the client is not told.
fn told(provider: Provider, error: ProviderError) -> FederationError {
    match error {
        ProviderError::Refused(why) => {
            tracing::info!(provider = provider.as_str(), why, "sign-in refused");
            FederationError::Refused(why)
        }
        ProviderError::Unavailable(why) => {
            tracing::warn!(provider = provider.as_str(), why, "the provider is no help");
            FederationError::Unavailable(provider)
        }
    }
}

fn same_browser(flow: &FlowRow, browser: Option<&str>) -> Result<(), FederationError> {
    let same = match (&flow.browser_hash, browser) {
        (Some(expected), Some(browser)) => {
            verify_slices_are_equal(expected, &hash(browser)).is_ok()
        }
        _ => false,
    };
    same.then_some(()).ok_or(FederationError::FlowInvalid)
}

/// RFC 7636 section 4.6, method S256.
fn has_verifier(challenge: &str, verifier: Option<&str>) -> Result<(), FederationError> {
    let proves = |verifier: &str| {
        let made = BASE64URL_NOPAD.encode(&hash(verifier));
        (CHALLENGE_CHARS..=128).contains(&verifier.len())
            && verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
    };
    verifier
        .is_some_and(proves)
        .then_some(())
        .ok_or(FederationError::FlowInvalid)
}

fn check_challenge(challenge: &str, has_page: bool) -> Result<(), FederationError> {
    let bytes = BASE64URL_NOPAD.decode(challenge.as_bytes());
    let detail = if bytes.is_ok_and(|bytes| bytes.len() == 32) {
        if has_page {
            return Ok(());
        }
        "needs a redirectTo: somebody has to hold the verifier"
    } else {
        "must be the SHA-256 of the verifier in base64url: 43 characters"
    };
    let fault = FieldError::new("/codeChallenge", "invalid", detail);
    Err(FederationError::Invalid(vec![fault]))
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// 256 random bits in base64url.
fn random() -> Result<String, AuthError> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|_| AuthError::Crypto("no random bytes".to_owned()))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}
