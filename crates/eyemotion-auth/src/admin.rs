//! What an operator does from the command line.

use crate::account::AccountService;
use crate::error::AuthError;
use crate::fields::Checks;
use crate::repository::{profiles, users};
use crate::service::{NewUser, Registered};
use eyemotion_core::{Actor, Ctx, UserId, UserRole};
use eyemotion_ports::Activity;
use serde_json::json;

impl AccountService {
    /// Makes an account with `role`, for the platform itself: an operator's first admin.
    ///
    /// # Errors
    /// As [`Accounts::register`](crate::Accounts::register); [`AuthError::Forbidden`] for anybody
    /// but the platform.
    pub async fn create_user(
        &self,
        ctx: &Ctx,
        new: NewUser,
        role: UserRole,
    ) -> Result<Registered, AuthError> {
        require_platform(ctx)?;
        self.create_account(ctx, new, role, false).await
    }

    /// Gives the person with this address `role`. Access tokens say so from their next refresh.
    ///
    /// # Errors
    /// [`AuthError::NotFound`]; [`AuthError::Forbidden`] for anybody but the platform.
    pub async fn promote(
        &self,
        ctx: &Ctx,
        email: &str,
        role: UserRole,
    ) -> Result<UserId, AuthError> {
        require_platform(ctx)?;
        let mut checks = Checks::default();
        let email = checks.email(email);
        checks.finish()?;
        let email = email.ok_or(AuthError::NotFound)?;
        let mut tx = self.db.begin(ctx).await?;
        let person = users::credential(&mut tx, email.as_str()).await?;
        let user = UserId(person.ok_or(AuthError::NotFound)?.id);
        profiles::set_role(&mut tx, user, role).await?;
        let activity = Activity::new("account.role_changed", "user", user)
            .of(user)
            .with(json!({ "role": role }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(user)
    }
}

const fn require_platform(ctx: &Ctx) -> Result<(), AuthError> {
    match ctx.actor {
        Actor::System(_) => Ok(()),
        Actor::Anonymous | Actor::ApiKey { .. } | Actor::User { .. } => Err(AuthError::Forbidden),
    }
}
