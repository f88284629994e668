//! The acts: one transaction each, as the platform, in the name of whoever acts.

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::fields::{self, Checks};
use crate::people::{
    FOR_GOOD, NewBan, Part, People, PeopleFilter, PeopleList, Person, PersonDetail,
};
use crate::repository::admin_users::{self, StandingRow};
use crate::repository::{profiles, sessions};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Ctx, EmailAddress, FieldError, UserId, UserRole};
use eyemotion_db::Tx;
use eyemotion_ports::{Activity, Mail};
use serde_json::{Map, json};

/// An act under way: nobody else's runs at the same time.
struct Act {
    tx: Tx,
    target: StandingRow,
    role: UserRole,
}

#[async_trait]
impl People for AccountService {
    async fn list(
        &self,
        ctx: &Ctx,
        filter: PeopleFilter,
        part: Part,
    ) -> Result<PeopleList, AuthError> {
        self.list_people(ctx, &filter, part).await
    }

    async fn person(&self, ctx: &Ctx, user: UserId) -> Result<PersonDetail, AuthError> {
        self.detail(ctx, user).await
    }

    async fn change_role(
        &self,
        ctx: &Ctx,
        user: UserId,
        role: UserRole,
    ) -> Result<Person, AuthError> {
        let Act {
            mut tx,
            target,
            role: before,
        } = self.act(ctx, user, UserRole::SuperAdmin).await?;
        self.require_recent(&mut tx, ctx).await?;
        if before != role {
            profiles::set_role(&mut tx, user, role).await?;
            let activity = Activity::new("account.role_changed", "user", user)
                .of(user)
                .with(json!({ "role": role, "before": before }));
            self.activity.record(&mut tx, ctx, activity).await?;
            self.tell_of_role(&mut tx, ctx, user, &target.email, role)
                .await?;
            tx.commit().await?;
        }
        self.find_person(ctx, user).await
    }

    async fn ban(&self, ctx: &Ctx, user: UserId, ban: NewBan) -> Result<Person, AuthError> {
        let now = self.clock.now();
        let (until, reason) = checked(&ban, now)?;
        let mut tx = self.act(ctx, user, UserRole::Admin).await?.tx;
        admin_users::set_ban(&mut tx, user, Some(until), reason.as_deref()).await?;
        let ended = sessions::revoke_all(&mut tx, user, None, "banned", now)
            .await?
            .len();
        let activity = Activity::new("account.banned", "user", user)
            .of(user)
            .with(json!({ "until": until, "reason": reason, "sessions": ended }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        self.find_person(ctx, user).await
    }

    async fn unban(&self, ctx: &Ctx, user: UserId) -> Result<Person, AuthError> {
        let Act { mut tx, target, .. } = self.act(ctx, user, UserRole::Admin).await?;
        if target.banned_until.is_some() {
            admin_users::set_ban(&mut tx, user, None, None).await?;
            let activity = Activity::new("account.unbanned", "user", user).of(user);
            self.activity.record(&mut tx, ctx, activity).await?;
            tx.commit().await?;
        }
        self.find_person(ctx, user).await
    }

    async fn end_sessions(&self, ctx: &Ctx, user: UserId) -> Result<usize, AuthError> {
        let mut tx = self.act(ctx, user, UserRole::Admin).await?.tx;
        let ended = sessions::revoke_all(&mut tx, user, None, "operator", self.clock.now())
            .await?
            .len();
        let activity = Activity::new("account.sessions_revoked", "user", user)
            .of(user)
            .with(json!({ "sessions": ended }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(ended)
    }
}

impl AccountService {
    /// Begins an act of the caller, who must have `least` now, whatever the context says of
    /// them, on somebody below.
    async fn act(&self, ctx: &Ctx, user: UserId, least: UserRole) -> Result<Act, AuthError> {
        let (operator, _) = caller(ctx)?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        admin_users::one_at_a_time(&mut tx).await?;
        let own = admin_users::standing(&mut tx, operator).await?;
        let present = own
            .filter(|own| own.is_good(self.clock.now()))
            .map(|own| profiles::parse_role(&own.role))
            .transpose()?;
        let rank = present
            .filter(|rank| *rank >= least)
            .ok_or(AuthError::Forbidden)?;
        if user == operator {
            let is_only_one = !admin_users::is_there_another_super_admin(&mut tx, user).await?;
            return Err(if is_only_one && rank == UserRole::SuperAdmin {
                AuthError::LastSuperAdmin
            } else {
                AuthError::OwnAccount
            });
        }
        let target = admin_users::standing(&mut tx, user).await?;
        let target = target.ok_or(AuthError::NoSuchUser)?;
        let role = profiles::parse_role(&target.role)?;
        if role.is_admin() && rank != UserRole::SuperAdmin {
            return Err(AuthError::OutOfReach);
        }
        Ok(Act { tx, target, role })
    }

    async fn tell_of_role(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        email: &str,
        role: UserRole,
    ) -> Result<(), AuthError> {
        // An address that no mail can be sent to was imported; the change stands all the same.
        let Ok(to) = EmailAddress::parse(email) else {
            return Ok(());
        };
        let mail = Mail {
            to,
            user: Some(user),
            template: "role_changed",
            data: Map::from_iter([("role".to_owned(), json!(role))]),
        };
        Ok(self.outbox.post(tx, &as_platform(ctx), mail).await?)
    }
}

/// Until when and why.
fn checked(ban: &NewBan, now: DateTime<Utc>) -> Result<(DateTime<Utc>, Option<String>), AuthError> {
    let mut checks = Checks::default();
    let reason = checks.optional_text(fields::BAN_REASON, ban.reason.as_deref());
    checks.finish()?;
    let until = ban.until.map_or(FOR_GOOD, |until| until.min(FOR_GOOD));
    if until <= now {
        let fault = FieldError::new("/until", "invalid", "must lie in the future");
        return Err(AuthError::Invalid(vec![fault]));
    }
    Ok((until, reason))
}
