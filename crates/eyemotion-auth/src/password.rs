//! Argon2id, and other systems' hashes, on a bounded pool.

use crate::error::AuthError;
use crate::hash_pool::{Full, HashPool, Memory};
use crate::stored_hash::StoredHash;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, Version};
use secrecy::{ExposeSecret, SecretString};
use std::thread;
use std::time::Duration;
use unicode_normalization::UnicodeNormalization;

/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
pub(crate) const MEMORY_KIB: u32 = 19 * 1024;
pub(crate) const PASSES: u32 = 2;
pub(crate) const LANES: u32 = 1;
pub(crate) const OUTPUT_BYTES: usize = 32;

/// The hash of 32 random bytes that were thrown away. Whoever has no password is checked against
/// it, so that an unknown address costs what a wrong password costs.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$IKbYi7kgm258HMhWFhqgIg$DTtICSlT4mfrowxVB1dv0KjXVlX4zG1YkmoACnH3Glw";

/// The one place where passwords are normalised (NFC, RFC 8265 section 4.2.2), so that a keyboard
/// that writes letter and accent apart types the same password. Nothing is trimmed or folded.
pub(crate) fn normalise(password: &SecretString) -> SecretString {
    password.expose_secret().nfc().collect::<String>().into()
}

/// Hashes and checks passwords: as many at once as there are permits, a few waiting, and no more.
pub(crate) struct Passwords(HashPool);

impl Passwords {
    /// `permits` at once (0: one a core) and `queue` waiting.
    pub(crate) fn new(permits: usize, queue: usize) -> Self {
        let permits = match permits {
            0 => thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        Self(HashPool::new(permits, queue))
    }

    /// The password's hash with a salt of its own, as a PHC string.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, AuthError> {
        let password = normalise(&password);
        self.run(move |_| {
            let hash: PasswordHash =
                argon2()?.hash_password(password.expose_secret().as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether `stored` is the hash of `password`. Without one, false, after the same work.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, AuthError> {
        self.run(move |memory| {
            let known = stored.is_some();
            let hash = StoredHash::parse(stored.as_deref().unwrap_or(NOBODY))
                .map_err(|_| argon2::password_hash::Error::EncodingInvalid)?;
            Ok(hash.verify(&password, memory)? && known)
        })
        .await
    }

    /// The password's hash as we make it today, if `stored`, which it fits, is another system's.
    /// None, too, if there is no room for that work now: there will be other sign-ins.
    pub(crate) async fn renew(&self, password: SecretString, stored: &str) -> Option<String> {
        if StoredHash::parse(stored).is_ok_and(|hash| hash.is_current()) {
            return None;
        }
        self.hash(password).await.ok()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, argon2::password_hash::Error> + Send + 'static,
    ) -> Result<T, AuthError> {
        let answer = self.0.submit(work).map_err(|Full| AuthError::Overloaded {
            retry_after: Duration::from_secs(1),
        })?;
        answer
            .await
            .map_err(|_| AuthError::Crypto("hashing a password panicked".to_owned()))?
            .map_err(|error| AuthError::Crypto(error.to_string()))
    }
}

pub(crate) fn argon2() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use tokio::sync::oneshot;

    fn secret(text: &str) -> SecretString {
        text.into()
    }

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let passwords = Passwords::new(2, 64);
        let hash = passwords.hash(secret("password")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(
            hash,
            passwords.hash(secret("password")).await.unwrap(),
            "salted"
        );
        assert!(
            passwords
                .verify(secret("password"), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(secret("Password"), Some(hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify(secret("password"), None).await.unwrap());
    }

    #[tokio::test]
    async fn letters_and_their_accents_may_be_typed_apart() {
        let passwords = Passwords::new(2, 64);
        let composed = passwords.hash(secret("na\u{ef}vet\u{e9}")).await.unwrap();
        let apart = secret("nai\u{308}vete\u{301}");
        assert!(passwords.verify(apart, Some(composed)).await.unwrap());
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(
            Params::try_from(&hash).unwrap(),
            *argon2().unwrap().params()
        );
        assert_eq!(hash.algorithm.as_str(), "argon2id");
        assert_eq!(hash.version, Some(Version::V0x13.into()));
        assert_eq!(hash.hash.unwrap().len(), OUTPUT_BYTES);
    }

    #[tokio::test]
    async fn past_the_queue_is_overloaded_at_once() {
        let passwords = Passwords::new(1, 2);
        let (release, held) = mpsc::channel::<()>();
        let (at_work, begun) = oneshot::channel();
        let _first = passwords.0.submit(move |_| {
            at_work.send(()).unwrap();
            held.recv()
        });
        begun.await.unwrap();
        let mut waiting: Vec<_> = (0..2)
            .map(|_| Box::pin(passwords.verify(secret("password"), None)))
            .collect();
        for future in &mut waiting {
            assert!(futures_util::poll!(future).is_pending());
        }
        let refused = passwords
            .verify(secret("password"), None)
            .await
            .unwrap_err();
        assert!(
            matches!(refused, AuthError::Overloaded { .. }),
            "{refused:?}"
        );

        // Who leaves the queue makes room; who waits is served.
        drop(waiting.pop());
        let mut next = Box::pin(passwords.verify(secret("password"), None));
        assert!(futures_util::poll!(&mut next).is_pending());
        drop(release);
        waiting.push(next);
        for future in waiting {
            assert!(!future.await.unwrap());
        }
    }
}
