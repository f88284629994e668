use super::Identity;
use super::error::FederationError;
use super::service::FederationService;
use crate::account::caller;
use crate::repository::{identities, users};
use eyemotion_core::Ctx;
use eyemotion_ports::Activity;
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
        // Locks the account: of two identities taken away at once, one stays.
        identities::candidate(&mut tx, user).await?;
        let own = identities::issuers(&mut tx, user).await?;
        if !own.iter().any(|(id, _)| *id == identity) {
            return Err(FederationError::NotFound);
        }
        let another = own
            .iter()
            .any(|(id, issuer)| *id != identity && self.knows(issuer));
        if !another && users::password_hash(&mut tx, user).await?.is_none() {
            return Err(FederationError::LastSignInMethod);
        }
        identities::delete(&mut tx, identity).await?;
        let activity = Activity::new("identity.unlinked", "identity", identity);
        self.accounts
            .activity
            .record(&mut tx, ctx, activity)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
