//! The identities of somebody who is signed in.

use super::accounts::{Entry, candidate, entry, lost_race};
use super::error::FederationError;
use super::linking::{Addition, Standing, add};
use super::provider::Claim;
use super::service::FederationService;
use super::{Federated, Identity, Provider};
use crate::account::{as_platform, caller};
use crate::error::AuthError;
use crate::repository::identities::{self, NewIdentityRow};
use crate::repository::{sessions, users};
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, EmailAddress, SessionId, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::{Activity, Mail};
use serde_json::json;
use uuid::Uuid;

impl FederationService {
    pub(super) async fn own_identities(&self, ctx: &Ctx) -> Result<Vec<Identity>, FederationError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.accounts.db.read(ctx).await?;
        let rows = identities::list(&mut tx, user).await?;
        let view = |row: identities::IdentityRow| Identity {
            id: row.id,
            provider: row.provider,
            email: row.email,
            email_verified: row.email_verified,
            created_at: row.created_at,
            last_sign_in_at: row.last_sign_in_at,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    pub(super) async fn remove_identity(
        &self,
        ctx: &Ctx,
        identity: Uuid,
    ) -> Result<(), FederationError> {
        let (user, _) = caller(ctx)?;
        let mut tx = self.accounts.db.begin_for(ctx).await?;
        self.accounts.require_recent(&mut tx, ctx).await?;
        // Locks the account: of two identities taken away at once, one stays.
        let account = identities::candidate(&mut tx, user).await?;
        let own = identities::owned(&mut tx, user).await?;
        let (removed, others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|own| own.id == identity);
        let (Some(account), [removed]) = (account, removed.as_slice()) else {
            return Err(FederationError::NotFound);
        };
        let another = others.iter().any(|other| self.knows(&other.issuer));
        if !another && users::password_hash(&mut tx, user).await?.is_none() {
            return Err(FederationError::LastSignInMethod);
        }
        identities::delete(&mut tx, identity).await?;
        let activity = Activity::new("identity.unlinked", "identity", identity);
        self.accounts
            .activity
            .record(&mut tx, ctx, activity)
            .await?;
        let email = removed.email.as_deref();
        let notice = ("identity_unlinked", removed.provider.parse().ok(), email);
        self.tell_holder(&mut tx, ctx, user, &account.email, notice)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Adds an identity to the account of somebody who is signed in.
    pub(super) async fn add_identity(
        &self,
        ctx: &Ctx,
        provider: Provider,
        claim: &Claim,
        session: SessionId,
    ) -> Result<Federated, FederationError> {
        let now = self.accounts.clock.now();
        let mut tx = self.accounts.db.begin(&as_platform(ctx)).await?;
        let row = sessions::find(&mut tx, session).await?;
        let row = row.filter(|row| row.is_live(now));
        let user = UserId(row.ok_or(AuthError::SessionEnded)?.user_id);
        let account = identities::candidate(&mut tx, user).await?;
        let account = account.ok_or(AuthError::SessionEnded)?;
        match candidate(&account, now).standing {
            Standing::Good => {}
            Standing::Banned(until) => return Err(AuthError::Banned(until).into()),
            Standing::Deleted => return Err(FederationError::AccountClosed),
        }
        let entry = entry(account, "identity.linked")?;
        let own = ctx.with_actor(Actor::User {
            id: user,
            session,
            role: entry.role,
        });
        let holder = identities::holder(&mut tx, &claim.issuer, &claim.subject).await?;
        match add(holder, user) {
            Addition::AlreadyThere => {}
            Addition::Taken => return Err(FederationError::IdentityTaken),
            Addition::Add => {
                self.link(&mut tx, ctx, provider, claim, &entry, now)
                    .await
                    .map_err(|error| {
                        if lost_race(&error) {
                            FederationError::IdentityTaken
                        } else {
                            error
                        }
                    })?;
                let activity = Activity::new(entry.action, "user", user)
                    .with(json!({ "method": provider.as_str() }));
                self.accounts
                    .activity
                    .record(&mut tx, &own, activity)
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(Federated {
            account: Box::pin(self.accounts.overview(&own)).await?,
            tokens: None,
        })
    }

    /// Adds the identity, and tells the account's holder.
    pub(super) async fn link(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        provider: Provider,
        claim: &Claim,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<(), FederationError> {
        self.insert_identity(tx, provider, claim, entry.user, now)
            .await?;
        let notice = ("identity_linked", Some(provider), claim.email.as_deref());
        self.tell_holder(tx, ctx, entry.user, &entry.email, notice)
            .await
    }

    /// Mails what became of an identity: the template, the provider, the address there.
    async fn tell_holder(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        address: &str,
        (template, provider, email): (&'static str, Option<Provider>, Option<&str>),
    ) -> Result<(), FederationError> {
        // Addresses in the table have passed the same check.
        let (Ok(to), Some(provider)) = (EmailAddress::parse(address), provider) else {
            return Ok(());
        };
        let details = json!({
            "provider": provider.display_name(),
            "email": email,
            "at": self.accounts.clock.now(),
            "ip": ctx.ip,
            "device": ctx.user_agent,
        });
        let mail = Mail {
            to,
            user: Some(user),
            template,
            data: details.as_object().cloned().unwrap_or_default(),
        };
        self.accounts
            .outbox
            .post(tx, &as_platform(ctx), mail)
            .await?;
        Ok(())
    }

    pub(super) async fn insert_identity(
        &self,
        tx: &mut Tx,
        provider: Provider,
        claim: &Claim,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), FederationError> {
        // What the table would not take is not worth a refusal: the key is (issuer, subject).
        let email = claim.email.as_deref();
        let row = NewIdentityRow {
            id: self.accounts.clock.new_id(),
            user_id: user.0,
            provider: provider.as_str(),
            issuer: &claim.issuer,
            subject: &claim.subject,
            email: email.filter(|email| email.chars().count() <= 254),
            email_verified: claim.email_verified,
            created_at: now,
            last_sign_in_at: Some(now),
        };
        identities::insert(tx, &row).await?;
        Ok(())
    }
}
