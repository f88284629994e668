//! Mails that carry a one-time token.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::fields::Checks;
use crate::recovery::purpose::{CODE_TTL, Purpose};
use crate::repository::one_time_tokens::{self, NewTokenRow};
use crate::repository::{profiles, users};
use crate::throttle::Rule;
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Actor, Ctx, EmailAddress, UserId};
use eyemotion_db::Tx;
use eyemotion_jobs::{Attempt, Enqueue, Handler, Job, JobError, enqueue};
use eyemotion_ports::Mail;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::sync::Arc;

/// Until then, asking again changes nothing.
const COOL_DOWN: TimeDelta = TimeDelta::minutes(1);

/// Somebody asked for a mail to an address. Whether anybody has it is found out by the job.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendTokenMail {
    purpose: Purpose,
    email: String,
    request_id: String,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl Job for SendTokenMail {
    const KIND: &'static str = "auth.send_token_mail";
}

/// Does [`SendTokenMail`].
pub struct TokenMailer(Arc<AccountService>);

impl TokenMailer {
    /// With the service that knows the accounts.
    pub const fn new(accounts: Arc<AccountService>) -> Self {
        Self(accounts)
    }
}

#[async_trait]
impl Handler<SendTokenMail> for TokenMailer {
    async fn run(&self, job: SendTokenMail, attempt: &Attempt) -> Result<(), JobError> {
        let accounts = &self.0;
        let ctx = Ctx {
            actor: Actor::System("auth"),
            request_id: job.request_id,
            ip: job.ip,
            user_agent: job.user_agent,
            idempotency: None,
            unproven_at: None,
        };
        let email = EmailAddress::parse(&job.email).map_err(JobError::fatal)?;
        let mut tx = accounts.db.begin(&ctx).await?;
        accounts
            .answer_request(&mut tx, &ctx, job.purpose, &email)
            .await?;
        attempt.complete(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A mail with a token in it, before the token is made.
pub(crate) struct TokenMail<'a> {
    pub user: UserId,
    pub to: &'a EmailAddress,
    pub purpose: Purpose,
    /// What the token is to remember.
    pub payload: Value,
}

impl AccountService {
    /// Takes somebody's wish for a mail to `email`, whoever that is.
    pub(crate) async fn request_mail(
        &self,
        ctx: &Ctx,
        email: &str,
        purpose: Purpose,
    ) -> Result<(), AuthError> {
        let mut checks = Checks::default();
        let email = checks.email(email);
        checks.finish()?;
        let email = email.ok_or_else(|| AuthError::Invalid(Vec::new()))?;
        self.throttle(ctx, Rule::MAIL, email.as_str()).await?;
        let job = SendTokenMail {
            purpose,
            email: email.as_str().to_owned(),
            request_id: ctx.request_id.clone(),
            ip: ctx.ip,
            user_agent: ctx.user_agent.clone(),
        };
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        enqueue(&mut tx, &*self.clock, &job, Enqueue::new()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Mails what was asked for, if somebody has the address and may have it.
    async fn answer_request(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        purpose: Purpose,
        email: &EmailAddress,
    ) -> Result<(), AuthError> {
        let Some(person) = users::credential(tx, email.as_str()).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        if person.banned_until.is_some_and(|until| now < until) {
            return Ok(());
        }
        let user = UserId(person.id);
        let purpose = match purpose {
            Purpose::EmailConfirmation if profiles::is_verified(tx, user).await? => return Ok(()),
            // The password of an account that nobody has confirmed may be a stranger's: only its
            // confirmation lets somebody in.
            Purpose::MagicLink if person.email_confirmed_at.is_none() => Purpose::EmailConfirmation,
            purpose => purpose,
        };
        let mail = TokenMail {
            user,
            to: email,
            purpose,
            payload: json!({}),
        };
        self.mail_token(tx, ctx, mail).await?;
        Ok(())
    }

    /// Makes a token and posts the mail that carries it; false if the one before is too young.
    pub(crate) async fn mail_token(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        mail: TokenMail<'_>,
    ) -> Result<bool, AuthError> {
        let TokenMail {
            user,
            to,
            purpose,
            payload,
        } = mail;
        let now = self.clock.now();
        let secrets = self.one_time.issue(user, purpose)?;
        let row = NewTokenRow {
            id: self.clock.new_id(),
            user_id: user.0,
            purpose: purpose.as_str(),
            token_hash: &secrets.token_hash,
            code_hash: &secrets.code_hash,
            attempts: 0,
            expires_at: now + purpose.link_ttl(),
            code_expires_at: now + CODE_TTL,
            created_at: now,
            payload: &payload,
        };
        if !one_time_tokens::replace(tx, &row, COOL_DOWN).await? {
            return Ok(false);
        }
        let mut data = origin(ctx);
        data.insert("code".to_owned(), json!(secrets.code));
        data.insert("email".to_owned(), json!(to));
        data.insert("minutes".to_owned(), json!(CODE_TTL.num_minutes()));
        if let Some(page) = purpose.page() {
            let link = self.config.links.to(page, &secrets.token);
            data.insert("link".to_owned(), json!(link));
        }
        let mail = Mail {
            to: to.clone(),
            user: Some(user),
            template: purpose.template(),
            data,
        };
        self.outbox.post(tx, ctx, mail).await?;
        Ok(true)
    }

    /// Posts a mail that tells of something that has happened to the account.
    pub(crate) async fn notify(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        to: &EmailAddress,
        template: &'static str,
        more: Map<String, Value>,
    ) -> Result<(), AuthError> {
        let mut data = origin(ctx);
        data.insert("at".to_owned(), json!(self.clock.now()));
        data.extend(more);
        let mail = Mail {
            to: to.clone(),
            user: Some(user),
            template,
            data,
        };
        Ok(self.outbox.post(tx, ctx, mail).await?)
    }
}

/// From where it was asked for, as far as that is known.
fn origin(ctx: &Ctx) -> Map<String, Value> {
    let known = [
        ("ip", ctx.ip.map(|ip| ip.to_string())),
        ("device", ctx.user_agent.clone()),
    ];
    known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect()
}
