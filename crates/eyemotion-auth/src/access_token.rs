//! Access tokens: JWTs in the form of RFC 9068, signed with ES256.

use crate::config::AuthConfig;
use crate::error::{AuthError, TokenError};
use crate::keys::Keys;
use aws_lc_rs::digest;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use eyemotion_core::{Actor, Clock, SessionId, UserId, UserRole};
use jsonwebtoken::{Algorithm, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// RFC 9068 section 2.1: keeps other JWTs of ours from passing as access tokens.
const TYPE: &str = "at+jwt";
/// The database role in Supabase's dialect, the same for every person.
const DATABASE_ROLE: &str = "authenticated";
/// How far clocks of replicas may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// Ours have some 600 characters.
const MAX_LENGTH: usize = 4096;
/// Tokens whose signature is remembered as good; some 200 bytes each.
const MEMO: u64 = 10_000;

/// Whom a token with a good signature names, and when it expires.
type Verified = (Actor, DateTime<Utc>);

/// Whom a token is for.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) user: UserId,
    pub(crate) email: String,
    pub(crate) role: UserRole,
    pub(crate) session: SessionId,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    sid: Uuid,
    iss: String,
    aud: String,
    exp: i64,
    /// Ours have none; a token that has one is held to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    iat: i64,
    jti: Uuid,
    role: String,
    user_role: UserRole,
    email: String,
}

/// Signs and checks access tokens.
pub(crate) struct AccessTokens {
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    ttl: TimeDelta,
    issuer: String,
    audience: String,
    header: Header,
    validation: Validation,
    /// By SHA-256 of the whole token. A P-256 verification costs more than the rest of a small
    /// request, and its outcome never changes; expiry is looked at each time.
    memo: Cache<[u8; digest::SHA256_OUTPUT_LEN], Verified>,
}

impl AccessTokens {
    pub(crate) fn new(keys: Arc<Keys>, clock: Arc<dyn Clock>, config: &AuthConfig) -> Self {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.signing().id.clone());
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Ours to check: the library asks the machine's clock, not the given one.
        validation.validate_exp = false;
        Self {
            keys,
            clock,
            ttl: config.access_ttl,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            header,
            validation,
            memo: Cache::new(MEMO),
        }
    }

    /// A token for `subject` from now on, and when it expires.
    pub(crate) fn issue(&self, subject: &Subject) -> Result<(String, DateTime<Utc>), AuthError> {
        let now = self.clock.now().trunc_subsecs(0);
        let expires_at = now + self.ttl;
        let claims = Claims {
            sub: subject.user.0,
            sid: subject.session.0,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            exp: expires_at.timestamp(),
            nbf: None,
            iat: now.timestamp(),
            jti: self.clock.new_id(),
            role: DATABASE_ROLE.to_owned(),
            user_role: subject.role,
            email: subject.email.clone(),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.keys.signing().private)
            .map_err(|error| AuthError::Crypto(error.to_string()))?;
        Ok((token, expires_at))
    }

    /// Who `token` speaks for. Algorithm, type, issuer and audience are ours to say, never the
    /// token's; it only names the key, among those we have.
    pub(crate) fn verify(&self, token: &str) -> Result<Actor, TokenError> {
        let (actor, expires_at) = self.read(token)?;
        self.check_expiry(expires_at)?;
        Ok(actor)
    }

    /// Whether a token that expires then is good now.
    pub(crate) fn check_expiry(&self, expires_at: DateTime<Utc>) -> Result<(), TokenError> {
        if self.clock.now() < expires_at + LEEWAY {
            Ok(())
        } else {
            Err(TokenError::Expired)
        }
    }

    /// Who `token` speaks for, or spoke for before it expired.
    pub(crate) fn recognise(&self, token: &str) -> Result<Actor, TokenError> {
        self.read(token).map(|(actor, _)| actor)
    }

    /// Who `token` speaks for, and when it expires or has expired.
    pub(crate) fn read(&self, token: &str) -> Result<Verified, TokenError> {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Invalid);
        }
        let mut key = [0; digest::SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        if let Some(verified) = self.memo.get(&key) {
            return Ok(verified);
        }
        let verified = self.verify_signature(token)?;
        self.memo.insert(key, verified);
        Ok(verified)
    }

    fn verify_signature(&self, token: &str) -> Result<Verified, TokenError> {
        let header = jsonwebtoken::decode_header(token)
            .ok()
            .ok_or(TokenError::Invalid)?;
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        let key = header.kid.as_deref().and_then(|kid| self.keys.public(kid));
        let claims = jsonwebtoken::decode::<Claims>(
            token,
            key.ok_or(TokenError::Invalid)?,
            &self.validation,
        )
        .ok()
        .ok_or(TokenError::Invalid)?
        .claims;
        let latest = (self.clock.now() + LEEWAY).timestamp();
        if claims.role != DATABASE_ROLE || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(TokenError::Invalid);
        }
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        let actor = Actor::User {
            id: UserId(claims.sub),
            session: SessionId(claims.sid),
            role: claims.user_role,
        };
        Ok((actor, expires_at))
    }
}

#[cfg(test)]
mod tests;
