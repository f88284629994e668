//! Password hashes as they are stored: ours, and those that other systems made.

use crate::hash_pool::Memory;
use crate::password::{LANES, MEMORY_KIB, OUTPUT_BYTES, PASSES, argon2, normalise};
use argon2::password_hash::Error;
use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Params, PasswordHash, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};

/// What a hash may cost us at each sign-in until it is replaced: beyond that, it is an attack.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 10;
const MOST_LANES: u32 = 4;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
const BCRYPT_LENGTH: usize = 60;

/// bcrypt reads no more of a password. Truncating would let in whoever knows its beginning, so a
/// longer one is wrong; the systems that made these hashes took none.
const BCRYPT_MOST_BYTES: usize = 72;

/// Why a hash from elsewhere cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// Neither bcrypt (`$2a$`, `$2b$`, `$2y$`) nor Argon2 (`$argon2id$`, `$argon2i$`).
    #[error("its algorithm is neither bcrypt nor Argon2")]
    Algorithm,
    /// It cannot be read, or needs a key that we do not have.
    #[error("it cannot be read")]
    Form,
    /// Checking a password against it would take too much.
    #[error("it is too costly to check: at most bcrypt cost 14, Argon2 m=262144, t=10, p=4")]
    Cost,
}

/// A hash that a password can be checked against.
pub(crate) enum StoredHash {
    /// Argon2id or Argon2i, as a PHC string.
    Argon2(Box<PasswordHash>),
    /// bcrypt, in its own form.
    Bcrypt(String),
}

impl StoredHash {
    /// Reads a hash and makes sure that checking it is affordable.
    pub(crate) fn parse(text: &str) -> Result<Self, UnusableHash> {
        match text.split('$').nth(1) {
            Some("argon2id" | "argon2i") => read_argon2(text),
            Some("2a" | "2b" | "2y") => read_bcrypt(text),
            _ => Err(UnusableHash::Algorithm),
        }
    }

    /// Whether we would make it the same way today.
    pub(crate) fn is_current(&self) -> bool {
        let Self::Argon2(hash) = self else {
            return false;
        };
        let costs = Params::try_from(&hash.params)
            .map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
        hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.version == Some(Version::V0x13.into())
            && costs == Ok((MEMORY_KIB, PASSES, LANES))
            && hash.hash.is_some_and(|output| output.len() == OUTPUT_BYTES)
    }

    /// Whether it is this password's. Others hashed what was typed; we hash what that normalises
    /// to.
    pub(crate) fn verify(
        &self,
        password: &SecretString,
        memory: &mut Memory,
    ) -> Result<bool, Error> {
        match self {
            Self::Argon2(hash) if self.is_current() => {
                let typed = normalise(password);
                let argon2 = argon2()?;
                let salt = hash.salt.as_deref().unwrap_or_default();
                let blocks = memory.blocks(argon2.params().block_count());
                let mut output = [0; OUTPUT_BYTES];
                let typed = typed.expose_secret().as_bytes();
                argon2.hash_password_into_with_memory(typed, salt, &mut output, blocks)?;
                // In constant time.
                Ok(hash.hash == Some(Output::new(&output)?))
            }
            Self::Argon2(hash) => {
                // The costs are the hash's own, not those of this instance.
                let typed = password.expose_secret().as_bytes();
                match argon2()?.verify_password(typed, &**hash) {
                    Ok(()) => Ok(true),
                    Err(Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(error),
                }
            }
            Self::Bcrypt(hash) => {
                let password = password.expose_secret().as_bytes();
                // The work first: what is too long must take as long.
                let right = bcrypt::verify(password, hash).map_err(|_| Error::EncodingInvalid)?;
                Ok(right && password.len() <= BCRYPT_MOST_BYTES)
            }
        }
    }
}

fn read_argon2(text: &str) -> Result<StoredHash, UnusableHash> {
    let hash = PasswordHash::new(text).map_err(|_| UnusableHash::Form)?;
    let params = Params::try_from(&hash.params).map_err(|_| UnusableHash::Form)?;
    let known = [Version::V0x10, Version::V0x13].map(|version| Some(u32::from(version)));
    let keyed = !params.keyid().is_empty() || !params.data().is_empty();
    if !known.contains(&hash.version) || hash.salt.is_none() || hash.hash.is_none() || keyed {
        return Err(UnusableHash::Form);
    }
    if params.m_cost() > MOST_MEMORY_KIB
        || params.t_cost() > MOST_PASSES
        || params.p_cost() > MOST_LANES
    {
        return Err(UnusableHash::Cost);
    }
    Ok(StoredHash::Argon2(Box::new(hash)))
}

fn read_bcrypt(text: &str) -> Result<StoredHash, UnusableHash> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| UnusableHash::Form)?;
    if text.len() != BCRYPT_LENGTH {
        return Err(UnusableHash::Form);
    }
    if !BCRYPT_COSTS.contains(&parts.get_cost()) {
        return Err(UnusableHash::Cost);
    }
    Ok(StoredHash::Bcrypt(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(hash: &str, password: &str) -> bool {
        let hash = StoredHash::parse(hash).unwrap();
        hash.verify(&password.into(), &mut Memory::default())
            .unwrap()
    }

    /// Made with libxcrypt's crypt(3) and with argon2-cffi.
    const FOREIGN: [&str; 6] = [
        "$2a$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
        "$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
        "$2y$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
        "$argon2id$v=19$m=4096,t=3,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY",
        "$argon2id$v=16$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$yUbI+qzSdvWFLiYkZZaoAW7zEzu1ez5aGEvopJqNoDg",
        "$argon2i$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1VTdsp4ZdY2IQ/bDym4XUHlBhQyuy6F0kplKu6VKZe4",
    ];

    #[test]
    fn hashes_of_other_systems_know_their_password() {
        for hash in FOREIGN {
            assert!(verify(hash, "correct horse"), "{hash}");
            assert!(!verify(hash, "Correct horse"), "{hash}");
            assert!(!StoredHash::parse(hash).unwrap().is_current(), "{hash}");
        }
    }

    #[test]
    fn what_cannot_be_afforded_is_refused() {
        let salted = "$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY";
        let argon2 = |costs: &str| format!("$argon2id$v=19${costs}{salted}");
        let bcrypt =
            |cost| format!("$2b${cost}$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC");
        let refusal = |hash: &str| StoredHash::parse(hash).map(drop);
        assert_eq!(refusal(&argon2("m=262144,t=10,p=4")), Ok(()));
        for costs in ["m=262145,t=1,p=1", "m=8192,t=11,p=1", "m=8192,t=1,p=5"] {
            assert_eq!(refusal(&argon2(costs)), Err(UnusableHash::Cost), "{costs}");
        }
        assert_eq!(refusal(&bcrypt("04")), Ok(()));
        assert_eq!(refusal(&bcrypt("14")), Ok(()));
        for cost in ["03", "15", "31"] {
            assert!(refusal(&bcrypt(cost)).is_err(), "{cost}");
        }
        for (hash, refused) in [
            ("", UnusableHash::Algorithm),
            ("plain", UnusableHash::Algorithm),
            (
                "$2x$10$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
                UnusableHash::Algorithm,
            ),
            (
                "$argon2d$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY",
                UnusableHash::Algorithm,
            ),
            ("$fbscrypt$v=1,n=14,r=8,p=1$a$b", UnusableHash::Algorithm),
            ("$2b$10$short", UnusableHash::Form),
            (
                "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg",
                UnusableHash::Form,
            ),
            (
                "$argon2id$v=20$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY",
                UnusableHash::Form,
            ),
            (
                "$argon2id$v=19$m=8192,t=1,p=1,keyid=Zm9v$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY",
                UnusableHash::Form,
            ),
        ] {
            assert_eq!(refusal(hash), Err(refused), "{hash}");
        }
    }

    #[test]
    fn bcrypt_lets_nobody_in_with_the_beginning_of_a_password() {
        let whole = "x".repeat(72);
        let hash = bcrypt::hash(&whole, 4).unwrap();
        assert!(verify(&hash, &whole));
        assert!(!verify(&hash, &format!("{whole}y")));
    }
}
