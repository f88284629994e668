//! What people see and change of their own account.

use crate::account::{AccountService, caller};
use crate::error::AuthError;
use crate::fields::{self, Checks};
use crate::hot_reads::HotAccount;
use crate::model::{AccountOverview, Profile};
use crate::repository::account_overview;
use crate::repository::profiles::{self, ProfileChanges, ProfileRow};
use crate::service::ProfileUpdate;
use eyemotion_core::{Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::Activity;
use serde_json::{Value, json};
use std::sync::Arc;

impl AccountService {
    pub(crate) async fn overview(&self, ctx: &Ctx) -> Result<AccountOverview, AuthError> {
        let (user, _) = caller(ctx)?;
        let mut account = self.hot_account(ctx, user).await?;
        if account.has_changed(self.clock.now()) {
            self.hot.accounts.forget(&user);
            account = self.hot_account(ctx, user).await?;
        }
        Ok(account.overview.clone())
    }

    async fn hot_account(&self, ctx: &Ctx, user: UserId) -> Result<Arc<HotAccount>, AuthError> {
        if ctx.unproven_at.is_some() {
            // To be asked of the database, whatever is known here.
            return Box::pin(self.read_account(ctx, user)).await;
        }
        let read = async { Box::pin(self.read_account(ctx, user)).await };
        self.hot.accounts.get(&user, read).await
    }

    async fn read_account(&self, ctx: &Ctx, user: UserId) -> Result<Arc<HotAccount>, AuthError> {
        let mut tx = self.db.read(ctx).await?;
        let found = account_overview::find(&mut tx, user).await?;
        let row = found.ok_or(AuthError::SessionEnded)?;
        Ok(Arc::new(HotAccount {
            changes_at: row.credits_change_at,
            overview: row.into_overview()?,
        }))
    }

    pub(crate) async fn change_profile(
        &self,
        ctx: &Ctx,
        update: ProfileUpdate,
        if_match: Option<i64>,
    ) -> Result<Profile, AuthError> {
        let (user, _) = caller(ctx)?;
        let mut changes = check(&update)?;

        let mut tx = self.db.begin_for(ctx).await?;
        let stored = profiles::lock(&mut tx, user)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        if if_match.is_some_and(|version| version != stored.version) {
            return Err(AuthError::VersionMismatch {
                current: stored.version,
            });
        }
        if let Some(patch) = update.preferences {
            let mut preferences = stored.preferences.clone();
            fields::merge(&mut preferences, patch);
            let mut checks = Checks::default();
            checks.preferences(&preferences);
            checks.finish()?;
            changes.preferences = Some(preferences);
        }
        let names = changes.names();
        if names.is_empty() {
            return Ok(stored.into_profile()?);
        }
        let row = write(&mut tx, user, &changes).await?;
        let activity =
            Activity::new("profile.updated", "user", user).with(json!({ "fields": names }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(row.into_profile()?)
    }
}

async fn write(
    tx: &mut Tx,
    user: UserId,
    changes: &ProfileChanges,
) -> Result<ProfileRow, AuthError> {
    let written = profiles::update(tx, user, changes)
        .await
        .map_err(DbError::from);
    written.map_err(|error| match error.constraint() {
        // A number may be short in JSON and long in the database: 1e300.
        Some("user_profiles_preferences_check") => {
            let mut checks = Checks::default();
            checks.preferences_too_large();
            checks.finish().err().unwrap_or(AuthError::Db(error))
        }
        _ => error.into(),
    })
}

fn check(update: &ProfileUpdate) -> Result<ProfileChanges, AuthError> {
    let mut checks = Checks::default();
    let mut text =
        |bounds, value: &Option<String>| value.as_deref().map(|value| checks.text(bounds, value));
    let full_name = text(fields::FULL_NAME, &update.full_name);
    let industry = text(fields::INDUSTRY, &update.industry);
    let country = text(fields::COUNTRY, &update.country);
    let mut clearable = |bounds, value: &Option<Option<String>>| {
        value
            .as_ref()
            .map(|value| checks.optional_text(bounds, value.as_deref()))
    };
    let company_name = clearable(fields::COMPANY_NAME, &update.company_name);
    let phone = clearable(fields::PHONE, &update.phone);
    let avatar_url = update
        .avatar_url
        .as_ref()
        .map(|url| checks.avatar_url(url.as_deref()));
    if let Some(preferences) = &update.preferences {
        checks.preferences(&Value::Object(preferences.clone()));
    }
    checks.finish()?;
    Ok(ProfileChanges {
        full_name,
        company_name,
        industry,
        country,
        phone,
        avatar_url,
        preferences: None,
        onboarding_completed: update.onboarding_completed,
    })
}

impl ProfileChanges {
    /// The columns that are to change, for the log; their values are the person's own.
    fn names(&self) -> Vec<&'static str> {
        [
            ("full_name", self.full_name.is_some()),
            ("company_name", self.company_name.is_some()),
            ("industry", self.industry.is_some()),
            ("country", self.country.is_some()),
            ("phone", self.phone.is_some()),
            ("avatar_url", self.avatar_url.is_some()),
            ("preferences", self.preferences.is_some()),
            ("onboarding_completed", self.onboarding_completed.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, changes)| changes.then_some(name))
        .collect()
    }
}
