//! Which passwords are refused although they are long enough: those that everybody tries first.

use crate::error::AuthError;
use crate::password;
use crate::repository::users::PersonRow;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

/// The first four bytes of SHA-256 of each common password, sorted. The crate's README says where
/// it comes from; `data/common-passwords.py` makes it.
const COMMON: &[u8] = include_bytes!("../data/common-passwords.bin");

/// Whose password it is to be: what everybody knows of somebody is no secret.
#[derive(Default)]
pub(crate) struct About<'a> {
    pub email: &'a str,
    pub full_name: &'a str,
    pub company_name: Option<&'a str>,
}

impl<'a> About<'a> {
    pub(crate) fn of(person: &'a PersonRow) -> Self {
        Self {
            email: &person.email,
            full_name: &person.full_name,
            company_name: person.company_name.as_deref(),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let local = self.email.split('@').next();
        let company = self.company_name;
        [Some(self.email), local, Some(self.full_name), company]
            .into_iter()
            .flatten()
    }
}

/// NIST SP 800-63B section 3.1.1.2: compare with common passwords and with what is known of the
/// person, demand no kinds of characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PasswordPolicy {
    pub refuse_common: bool,
}

impl PasswordPolicy {
    /// Refuses a password that is too easily guessed; `pointer` is where it stands in the body.
    pub(crate) fn check(
        self,
        pointer: &'static str,
        password: &SecretString,
        about: &About<'_>,
    ) -> Result<(), AuthError> {
        if !self.refuse_common {
            return Ok(());
        }
        let password = password::normalise(password);
        let folded = password.expose_secret().trim().to_lowercase();
        if is_common(&folded) || about.words().any(|word| squeeze(word) == squeeze(&folded)) {
            return Err(AuthError::PasswordTooCommon { pointer });
        }
        Ok(())
    }
}

/// Whether the list has the lower-cased password; five in a million others count as common too.
fn is_common(folded: &str) -> bool {
    let hash = digest(&SHA256, folded.as_bytes());
    let Some(wanted) = hash.as_ref().first_chunk::<4>() else {
        return false;
    };
    let (fingerprints, _) = COMMON.as_chunks::<4>();
    fingerprints.binary_search(wanted).is_ok()
}

/// "Test User" is not better as "testuser".
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        let about = About {
            email: "somchai.jaidee@example.com",
            full_name: "Somchai Jaidee",
            company_name: Some("Bangkok Films"),
        };
        let policy = PasswordPolicy {
            refuse_common: true,
        };
        policy.check("/password", &password.into(), &about).is_err()
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for bad in [
            "password",
            "Password",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "PASSWORD1",
            " sunshine ",
            "somchai.jaidee@example.com",
            "Somchai.Jaidee",
            "somchai jaidee",
            "SomchaiJaidee",
            "bangkokfilms",
        ] {
            assert!(refused(bad), "{bad}");
        }
        for good in [
            "correct horse",
            "a long enough password",
            "ฟ้าหลังฝนสวยงาม",
            "Xk7#pqLm2z",
        ] {
            assert!(!refused(good), "{good}");
        }
        let off = PasswordPolicy {
            refuse_common: false,
        };
        assert!(
            off.check("/password", &"password".into(), &About::default())
                .is_ok()
        );
    }

    #[test]
    fn the_list_is_whole_and_sorted() {
        let (fingerprints, rest) = COMMON.as_chunks::<4>();
        assert!(rest.is_empty());
        assert!(fingerprints.len() > 20_000, "{}", fingerprints.len());
        assert!(fingerprints.is_sorted());
        // Random words are hardly ever taken for common ones.
        let mistaken = (0..100_000).filter(|n| is_common(&format!("no such password {n}")));
        assert!(mistaken.count() < 10);
    }
}
