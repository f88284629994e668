//! Whose account an identity leads to. One pure function, so that every case can be read and tried.

use chrono::{DateTime, Utc};
use eyemotion_core::UserId;

/// An account, as far as it decides who may sign in to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub user: UserId,
    pub standing: Standing,
    /// Whether its holder has proved to own the address. An account whose address nobody has
    /// proved may have been made by anybody.
    pub email_proved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Banned(DateTime<Utc>),
    Deleted,
}

/// What is to be done with somebody whom a provider vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The identity is this account's.
    SignIn(UserId),
    /// The account's holder and the provider have both verified the address: the identity is added.
    Join(UserId),
    /// The provider has verified the address, the account's maker never has: whoever that was
    /// loses password, sessions and identities, and the address's owner gets the account.
    Claim(UserId),
    /// Nobody has been here yet.
    Create,
    Refuse(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Banned(DateTime<Utc>),
    Deleted,
    /// Said whether or not there is such an account, so that nobody learns of one.
    EmailUnverified,
}

/// `known` is the account that has the identity (issuer, subject); `namesake` the one with the
/// address that the provider gave; `email_verified` whether the provider gave an address that it
/// has verified.
pub(super) fn decide(
    known: Option<Candidate>,
    namesake: Option<Candidate>,
    email_verified: bool,
) -> Decision {
    if let Some(known) = known {
        return match known.standing {
            Standing::Good => Decision::SignIn(known.user),
            standing => refuse(standing),
        };
    }
    if !email_verified {
        return Decision::Refuse(Refusal::EmailUnverified);
    }
    match namesake {
        None => Decision::Create,
        Some(account) => match account.standing {
            Standing::Good if account.email_proved => Decision::Join(account.user),
            Standing::Good => Decision::Claim(account.user),
            standing => refuse(standing),
        },
    }
}

const fn refuse(standing: Standing) -> Decision {
    Decision::Refuse(match standing {
        Standing::Banned(until) => Refusal::Banned(until),
        Standing::Good | Standing::Deleted => Refusal::Deleted,
    })
}

/// What is to be done with an identity that somebody adds while signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addition {
    Add,
    AlreadyThere,
    Taken,
}

/// `holder` is whose the identity is, `adder` who adds it. The address plays no part: being signed
/// in on both sides proves both.
pub(super) fn add(holder: Option<UserId>, adder: UserId) -> Addition {
    match holder {
        None => Addition::Add,
        Some(holder) if holder == adder => Addition::AlreadyThere,
        Some(_) => Addition::Taken,
    }
}

#[cfg(test)]
mod tests;
