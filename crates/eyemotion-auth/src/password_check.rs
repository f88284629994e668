//! Whose address and password these are, and what becomes of those who guess.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::fields;
use crate::repository::users::CredentialRow;
use crate::repository::{sessions, throttles, users};
use crate::throttle::{Rule, network};
use eyemotion_core::{Actor, Ctx, EmailAddress, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// What counts the failures of one attempt.
pub(crate) type Counters = Vec<(Rule, [u8; 32])>;

impl AccountService {
    /// Whose address and password these are, with the counters that a sign-in then clears. Every
    /// refusal costs one hash, whatever its reason; somebody who is held back costs none, whether
    /// the address is known or not.
    pub(crate) async fn check_password(
        &self,
        ctx: &Ctx,
        email: &str,
        password: SecretString,
    ) -> Result<(CredentialRow, Counters), AuthError> {
        let platform = as_platform(ctx);
        // What is no address belongs to nobody: there is nothing to look up or to protect.
        let (known, counters) = match EmailAddress::parse(email) {
            Ok(email) => {
                let mut tx = self.db.read(&platform).await?;
                let known = users::credential(&mut tx, email.as_str()).await?;
                let counters = self
                    .sign_in_counters(&mut tx, ctx, &email, known.as_ref())
                    .await?;
                self.hold_back(&mut tx, &counters).await?;
                (known, counters)
            }
            Err(_) => (None, Vec::new()),
        };
        let too_long = fields::is_too_long(password.expose_secret());
        let stored = known
            .as_ref()
            .and_then(|person| person.password_hash.clone());
        let right = if too_long {
            self.passwords.verify(SecretString::default(), None).await?
        } else {
            self.passwords.verify(password, stored).await?
        };
        let person = known.as_ref().map(|person| UserId(person.id));
        if let Some(known) = known.filter(|_| right) {
            return Ok((known, counters));
        }
        self.note_failure(&platform, person, &counters).await?;
        Err(AuthError::InvalidCredentials)
    }

    /// One counter for the address, whoever guesses, and one for the network that guesses. A
    /// device that is signed in to the very account has a counter of its own instead, so that
    /// nobody else can hold it back (ASVS 6.1.1).
    async fn sign_in_counters(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        email: &EmailAddress,
        known: Option<&CredentialRow>,
    ) -> Result<Counters, AuthError> {
        if !self.config.throttling.limits(ctx.ip) {
            return Ok(Vec::new());
        }
        let pace = Rule::SIGN_IN_NETWORK;
        if let (Actor::User { id, session, .. }, Some(known)) = (ctx.actor, known)
            && id.0 == known.id
            && sessions::is_live(tx, session, self.clock.now()).await?
        {
            let subject = format!("{email} {session}");
            return Ok(vec![(pace, self.throttles.key(pace, &subject))]);
        }
        let total = Rule::SIGN_IN_ACCOUNT;
        let email = email.as_str();
        Ok(vec![
            (total, self.throttles.key(total, email)),
            (pace, self.throttles.key(pace, &here(email, ctx))),
        ])
    }

    /// Forgets the failures of everybody and of this network: the address's owner has set another
    /// password by mail. `tx` is the platform's.
    pub(crate) async fn forgive_failures(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        email: &str,
    ) -> Result<(), AuthError> {
        let pace = Rule::SIGN_IN_NETWORK;
        let keys = [
            self.throttles.key(Rule::SIGN_IN_ACCOUNT, email),
            self.throttles.key(pace, &here(email, ctx)),
        ];
        throttles::clear(tx, &keys).await?;
        Ok(())
    }

    /// Counts the failure and tells it to the audit log: the person's own, or nobody's. What was
    /// typed is not kept: people type passwords into the wrong box.
    async fn note_failure(
        &self,
        platform: &Ctx,
        person: Option<UserId>,
        counters: &Counters,
    ) -> Result<(), AuthError> {
        let mut tx = self.db.begin(platform).await?;
        self.count_failure(&mut tx, counters).await?;
        let activity = Activity {
            action: "session.refused",
            resource_type: "user",
            resource_id: person.map(|person| person.to_string()),
            user: person,
            details: Value::Object(Map::new()),
        };
        self.activity.record(&mut tx, platform, activity).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The address as it is tried from this network.
fn here(email: &str, ctx: &Ctx) -> String {
    format!("{email} {}", network(ctx.ip))
}
