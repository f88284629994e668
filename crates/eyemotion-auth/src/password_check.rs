//! Whose address and password these are, and what becomes of those who guess.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::fields;
use crate::repository::sign_in::{self, Asking, HeldRow};
use crate::repository::throttles;
use crate::repository::users::CredentialRow;
use crate::throttle::{Held, Rule, keys, network, refuse_held};
use eyemotion_core::{Actor, Ctx, EmailAddress, SessionId, UserId};
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
            Ok(email) => self.find_candidate(ctx, &email).await?,
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

    /// Whose the address is and what counts the failures, unless that holds the sign-in back.
    async fn find_candidate(
        &self,
        ctx: &Ctx,
        email: &EmailAddress,
    ) -> Result<(Option<CredentialRow>, Counters), AuthError> {
        let now = self.clock.now();
        let device = match ctx.actor {
            Actor::User { session, .. } => Some(session),
            Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => None,
        };
        let of_all = self.shared_counters(ctx, email);
        let of_device = device.map(|session| self.device_counter(ctx, email, session));
        let all = [of_all.as_slice(), of_device.as_deref().unwrap_or_default()].concat();
        let asking = Asking {
            email: email.as_str(),
            device: device.map(|session| session.0),
            keys: &keys(&all),
            now,
        };
        let mut tx = self.db.read(&as_platform(ctx)).await?;
        let found = sign_in::candidate(&mut tx, &asking).await?;
        drop(tx);

        let owner = found.known.as_ref().map(|known| UserId(known.id));
        let is_own_device =
            owner.is_some() && owner == ctx.user_id() && owner == found.device_of.map(UserId);
        let counters = of_device.filter(|_| is_own_device).unwrap_or(of_all);
        let counts = |row: &HeldRow| counters.iter().any(|(_, key)| key[..] == row.key[..]);
        let held = found.held.into_iter().filter(counts);
        refuse_held(held.map(|row| (row.rule, row.free_at)), now)?;
        Ok((found.known, counters))
    }

    /// One counter for the address, whoever guesses, and one for the network that guesses.
    fn shared_counters(&self, ctx: &Ctx, email: &EmailAddress) -> Counters {
        if !self.config.throttling.limits(ctx.ip) {
            return Vec::new();
        }
        let (total, pace) = (Rule::SIGN_IN_ACCOUNT, Rule::SIGN_IN_NETWORK);
        let email = email.as_str();
        vec![
            (total, self.throttles.key(total, email)),
            (pace, self.throttles.key(pace, &here(email, ctx))),
        ]
    }

    /// A device that is signed in to the very account has a counter of its own instead, so that
    /// nobody else can hold it back (ASVS 6.1.1).
    fn device_counter(&self, ctx: &Ctx, email: &EmailAddress, session: SessionId) -> Counters {
        if !self.config.throttling.limits(ctx.ip) {
            return Vec::new();
        }
        let pace = Rule::SIGN_IN_NETWORK;
        let subject = format!("{email} {session}");
        vec![(pace, self.throttles.key(pace, &subject))]
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
        self.count(&mut tx, counters, Held::Counts).await?;
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
