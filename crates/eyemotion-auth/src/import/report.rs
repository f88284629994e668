use crate::error::AuthError;
use crate::import::{Arrival, Found, Import, Refusal};
use eyemotion_core::{Ctx, EmailAddress, UserId, UserRole};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many are named of those who have something in common.
const NAMED: usize = 20;

/// What became of the people of another platform, so far.
#[derive(Debug, Default)]
pub struct ImportReport {
    /// How many were looked at.
    pub seen: u64,
    /// How many have an account now; in a rehearsal, how many would.
    pub imported: u64,
    /// How many had one with their id already, and were left as they are.
    pub present: u64,
    /// Who of the imported has to set a new password, by reason.
    pub without_password: BTreeMap<String, Noted>,
    /// Who of the imported was more than a user there and is a user here, by the role there.
    pub lowered: BTreeMap<UserRole, Noted>,
    /// Who of the imported is more than a user here, by role.
    pub raised: BTreeMap<UserRole, Noted>,
    /// How many identities of the imported cannot be signed in with here, by provider.
    pub left_behind: BTreeMap<String, u64>,
    /// Who could not come, by reason.
    pub refused: BTreeMap<String, Noted>,
    /// The addresses that a rehearsal would have taken, as hashes: eight bytes for each.
    rehearsed: HashSet<u64>,
}

/// People who have something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// How many.
    pub count: u64,
    /// The first 20.
    pub first: Vec<UserId>,
}

impl Noted {
    fn add(&mut self, id: UserId) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(id);
        }
    }
}

impl ImportReport {
    /// How many could not come.
    pub fn refusals(&self) -> u64 {
        self.refused.values().map(|noted| noted.count).sum()
    }

    /// Brings these people over and notes what became of them. With `keep_roles` they are here
    /// what they were there, else everybody comes as a user.
    ///
    /// # Errors
    /// As [`Import::import`].
    pub async fn bring(
        &mut self,
        accounts: &dyn Import,
        ctx: &Ctx,
        found: Vec<Found>,
        keep_roles: bool,
        rehearsal: bool,
    ) -> Result<(), AuthError> {
        let (mut newcomers, mut companions) = (Vec::new(), Vec::new());
        for Found {
            id,
            role,
            left_behind,
            person,
        } in found
        {
            match person {
                Ok(mut person) => {
                    if keep_roles {
                        person.role = role.unwrap_or(person.role);
                    }
                    newcomers.push(person);
                    companions.push((role, left_behind));
                }
                Err(refusal) => self.refuse(id, &refusal),
            }
        }
        let arrivals = accounts.import(ctx, &newcomers, rehearsal).await?;
        for ((person, arrival), (role, left_behind)) in
            newcomers.iter().zip(arrivals).zip(companions)
        {
            match arrival {
                Arrival::Present => {
                    self.seen += 1;
                    self.present += 1;
                    continue;
                }
                Arrival::Refused(refusal) => {
                    self.refuse(person.id, &refusal);
                    continue;
                }
                Arrival::Imported | Arrival::WithoutPassword(_)
                    if rehearsal && !self.rehearsed.insert(fingerprint(&person.email)) =>
                {
                    self.refuse(person.id, &Refusal::EmailTaken);
                    continue;
                }
                Arrival::WithoutPassword(reason) => {
                    self.without_password
                        .entry(reason.to_string())
                        .or_default()
                        .add(person.id);
                }
                Arrival::Imported => {}
            }
            self.seen += 1;
            self.imported += 1;
            if let Some(role) = role {
                let roles = if keep_roles {
                    &mut self.raised
                } else {
                    &mut self.lowered
                };
                roles.entry(role).or_default().add(person.id);
            }
            for provider in left_behind {
                *self.left_behind.entry(provider).or_default() += 1;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, id: UserId, refusal: &Refusal) {
        self.seen += 1;
        self.refused.entry(refusal.to_string()).or_default().add(id);
    }
}

fn fingerprint(email: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    EmailAddress::parse(email)
        .map(|email| email.as_str().hash(&mut hasher))
        .ok();
    hasher.finish()
}
