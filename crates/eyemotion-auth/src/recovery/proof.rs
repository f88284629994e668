//! Taking a link or a code: once, and for nothing but what it was mailed for.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::recovery::Proof;
use crate::recovery::purpose::Purpose;
use crate::recovery::secrets::token_hash;
use crate::repository::one_time_tokens::{self, GuessedRow, Holder};
use crate::throttle::{Held, Rule};
use chrono::TimeDelta;
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::Tx;
use secrecy::ExposeSecret;
use serde_json::Value;

/// Guesses of codes for one address, over all its codes.
const GUESSES: Rule = Rule::window("code", 10, TimeDelta::hours(1));

/// Whose proof was taken.
pub(crate) struct Proved {
    pub user: UserId,
    /// What was asked for when the mail was sent.
    pub payload: Value,
}

impl AccountService {
    /// Takes `proof`: the platform's transaction in which it is gone, to be committed together with
    /// what it allows. A wrong guess is counted whatever happens next.
    pub(crate) async fn take_proof(
        &self,
        ctx: &Ctx,
        purpose: Purpose,
        proof: &Proof,
    ) -> Result<(Tx, Proved), AuthError> {
        match proof {
            Proof::Link(token) => {
                let hash = token_hash(token.expose_secret()).ok_or(AuthError::ProofInvalid)?;
                let mut tx = self.db.begin(&as_platform(ctx)).await?;
                let now = self.clock.now();
                let (user, payload) =
                    one_time_tokens::take_link(&mut tx, &hash, purpose.as_str(), now)
                        .await?
                        .ok_or(AuthError::ProofInvalid)?;
                let user = UserId(user);
                Ok((tx, Proved { user, payload }))
            }
            Proof::Code { email, code } => {
                let email = EmailAddress::parse(email)
                    .ok()
                    .ok_or(AuthError::ProofInvalid)?;
                let holder = Holder::Address(email.as_str());
                self.take_code(ctx, purpose, holder, email.as_str(), code.expose_secret())
                    .await
            }
        }
    }

    /// Takes the code that `holder` was mailed; `subject` is what its guesses are counted for.
    pub(crate) async fn take_code(
        &self,
        ctx: &Ctx,
        purpose: Purpose,
        holder: Holder<'_>,
        subject: &str,
        code: &str,
    ) -> Result<(Tx, Proved), AuthError> {
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        let limited = self.config.throttling.limits(ctx.ip);
        let counters = [(GUESSES, self.throttles.key(GUESSES, subject))];
        let counters = if limited { &counters[..] } else { &[] };
        // Counted for addresses that nobody has as well: they cost the same.
        self.count(&mut tx, counters, Held::Refuses).await?;
        let now = self.clock.now();
        let guessed = one_time_tokens::claim_guess(&mut tx, holder, purpose.as_str(), now).await?;
        let Some(row) = guessed.filter(|row| self.is_code_of(row, purpose, code)) else {
            tx.commit().await?;
            return Err(AuthError::ProofInvalid);
        };
        one_time_tokens::take(&mut tx, row.id).await?;
        let user = UserId(row.user_id);
        let payload = row.payload;
        Ok((tx, Proved { user, payload }))
    }

    fn is_code_of(&self, row: &GuessedRow, purpose: Purpose, code: &str) -> bool {
        let user = UserId(row.user_id);
        self.one_time
            .is_code(user, purpose, &row.token_hash, code, &row.code_hash)
    }
}
