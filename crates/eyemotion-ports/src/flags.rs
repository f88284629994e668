use async_trait::async_trait;
use eyemotion_core::UserId;
use std::sync::Arc;

/// What can be switched off as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// Registering, signing in and everything else about accounts.
    Auth,
    /// Plans, purchases and subscriptions.
    Payments,
    /// Files and their bytes.
    Storage,
    /// The operators' figures.
    Analytics,
    /// Backups.
    Backup,
}

impl Flag {
    /// Every flag there is.
    pub const ALL: [Self; 5] = [
        Self::Auth,
        Self::Payments,
        Self::Storage,
        Self::Analytics,
        Self::Backup,
    ];

    /// The name where flags are stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "authEnabled",
            Self::Payments => "paymentsEnabled",
            Self::Storage => "storageEnabled",
            Self::Analytics => "analyticsEnabled",
            Self::Backup => "backupEnabled",
        }
    }

    /// The flag of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.as_str() == name)
    }
}

/// Whom a flag is on for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagRule {
    /// Off: off for everybody, whatever the rest says.
    pub enabled: bool,
    /// Only people on one of these plans, by name.
    pub plans: Option<Vec<String>>,
    /// Only so many in a hundred people, always the same ones.
    pub percentage: Option<u8>,
    /// These people in any case.
    pub users: Vec<UserId>,
}

impl Default for FlagRule {
    /// On for everybody.
    fn default() -> Self {
        Self {
            enabled: true,
            plans: None,
            percentage: None,
            users: Vec::new(),
        }
    }
}

impl FlagRule {
    /// Whether it is the same for everybody.
    pub fn is_general(&self) -> bool {
        !self.enabled
            || (self.plans.is_none() && self.percentage.is_none() && self.users.is_empty())
    }
}

/// Somebody whom a flag may be on or off for.
#[derive(Clone, Copy, Debug)]
pub struct FlagSubject<'a> {
    /// The person.
    pub user: UserId,
    /// The name of the person's plan; none: without a subscription.
    pub plan: Option<&'a str>,
}

/// Feature flags, from memory: never older than a second.
#[async_trait]
pub trait Flags: Send + Sync {
    /// The flag's rule as it is now. When nothing can be learnt of it, what was known last; on for
    /// everybody if nothing was.
    async fn rule(&self, flag: Flag) -> Arc<FlagRule>;

    /// Every flag's rule, in the same sense.
    async fn rules(&self) -> Vec<(Flag, Arc<FlagRule>)>;

    /// Whether a rule is on for somebody, or, without a subject, at all.
    fn applies(&self, flag: Flag, rule: &FlagRule, subject: Option<FlagSubject<'_>>) -> bool;
}
