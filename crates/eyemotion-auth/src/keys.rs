//! The secrets that everything else is signed with.

use crate::key_file;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{hmac, rand};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The key that signs access tokens, PKCS#8 in PEM.
const SIGNING_KEY_FILE: &str = "signing-key.pem";
/// 32 random bytes in base64url, from which the other keys are derived.
const SECRET_FILE: &str = "secret";
/// What a given secret must have at least.
const SECRET_CHARS: usize = 32;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The folder or a file in it.
    #[error("the keys in {path} cannot be read or made")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Not a key that can sign ES256.
    #[error(
        "the signing key must be a P-256 key in PKCS#8 PEM: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    )]
    SigningKey,
    /// Too easy to guess.
    #[error("the secret must have at least {SECRET_CHARS} characters: openssl rand -base64 32")]
    Secret,
    /// The cryptographic library refused.
    #[error("a key could not be made: {0}")]
    Crypto(&'static str),
}

/// The signing key of access tokens and the master secret. `Debug` shows neither.
///
/// Replicas must share both: a token that one issues is checked by another.
pub struct Keys {
    signing: SigningKey,
    master: hmac::Key,
}

/// A key pair that signs access tokens (ES256, RFC 7518 section 3.4).
pub(crate) struct SigningKey {
    /// The JWK thumbprint (RFC 7638), so that the same key has the same id everywhere.
    pub(crate) id: String,
    pub(crate) private: EncodingKey,
    pub(crate) public: DecodingKey,
    jwk: Jwk,
}

impl Keys {
    /// Takes the keys that are given; a missing one is read from `dir`, and made there (mode 0600)
    /// when it is not there either. Several processes may do so at once: all get the same keys.
    ///
    /// # Errors
    /// [`KeysError`], also for a file that is there and holds something else.
    pub fn load_or_create(
        dir: &Path,
        signing_key_pem: Option<SecretString>,
        secret: Option<SecretString>,
    ) -> Result<Self, KeysError> {
        let pem = match signing_key_pem {
            Some(pem) => pem,
            None => key_file::read_or_create(&dir.join(SIGNING_KEY_FILE), new_signing_key)?,
        };
        let secret = match secret {
            Some(secret) => secret,
            None => key_file::read_or_create(&dir.join(SECRET_FILE), new_secret)?,
        };
        Self::new(&pem, &secret)
    }

    /// Fresh keys that are kept nowhere.
    pub fn ephemeral() -> Result<Self, KeysError> {
        Self::new(&new_signing_key()?, &new_secret()?)
    }

    fn new(pem: &SecretString, secret: &SecretString) -> Result<Self, KeysError> {
        let secret = secret.expose_secret().trim();
        if secret.len() < SECRET_CHARS {
            return Err(KeysError::Secret);
        }
        Ok(Self {
            signing: SigningKey::from_pem(pem.expose_secret())?,
            master: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        })
    }

    /// A key of its own for `purpose`: an HMAC-SHA-256 of the name under the master secret.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.master, purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        key
    }

    /// The key that signs new tokens.
    pub(crate) const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The public key with this id.
    pub(crate) fn public(&self, id: &str) -> Option<&DecodingKey> {
        (self.signing.id == id).then_some(&self.signing.public)
    }

    /// The public halves.
    pub(crate) fn jwks(&self) -> Vec<&Jwk> {
        vec![&self.signing.jwk]
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("signing", &self.signing.id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    fn from_pem(pem: &str) -> Result<Self, KeysError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .ok()
            .ok_or(KeysError::SigningKey)?;
        let der = der.secret_pkcs8_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .ok()
            .ok_or(KeysError::SigningKey)?;
        let private = EncodingKey::from_ec_der(der);
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::ES256)
            .ok()
            .ok_or(KeysError::SigningKey)?;
        let id = jwk
            .thumbprint(ThumbprintHash::SHA256)
            .ok()
            .ok_or(KeysError::Crypto("no thumbprint"))?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
        Ok(Self {
            id,
            private,
            public,
            jwk,
        })
    }
}

fn new_signing_key() -> Result<SecretString, KeysError> {
    let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .and_then(|pair| pair.to_pkcs8v1())
        .ok()
        .ok_or(KeysError::Crypto("no signing key"))?;
    Ok(key_file::pem("PRIVATE KEY", made.as_ref()).into())
}

fn new_secret() -> Result<SecretString, KeysError> {
    let mut secret = [0_u8; 32];
    rand::fill(&mut secret)
        .ok()
        .ok_or(KeysError::Crypto("no random bytes"))?;
    Ok(BASE64URL_NOPAD.encode(&secret).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_made_once_and_kept_private() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("keys");
        let first = Keys::load_or_create(&dir, None, None).unwrap();
        let again = Keys::load_or_create(&dir, None, None).unwrap();
        assert_eq!(first.signing.id, again.signing.id);
        assert_eq!(first.derive("x"), again.derive("x"));
        assert_ne!(first.derive("x"), first.derive("y"));

        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join(SIGNING_KEY_FILE)), 0o600);
        assert_eq!(mode(&dir.join(SECRET_FILE)), 0o600);
        assert_eq!(
            std::fs::read_dir(&dir).unwrap().count(),
            2,
            "no temporary file is left"
        );

        let other = Keys::ephemeral().unwrap();
        assert_ne!(first.signing.id, other.signing.id);
        assert_ne!(first.derive("x"), other.derive("x"));
    }

    #[test]
    fn many_starts_at_once_agree() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("keys");
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Keys::load_or_create(&dir, None, None).unwrap()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .map(|keys| (keys.signing.id.clone(), keys.derive("x")))
                .collect()
        });
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn given_keys_are_taken_and_nothing_is_written() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("keys");
        let pem = new_signing_key().unwrap();
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");
        let load = |pem, secret| Keys::load_or_create(&dir, Some(pem), Some(secret));
        let keys = load(pem.clone(), secret.clone()).unwrap();
        assert_eq!(
            keys.derive("x"),
            load(pem.clone(), secret.clone()).unwrap().derive("x")
        );
        assert!(!dir.exists());

        assert!(matches!(
            load(pem, "too short".into()),
            Err(KeysError::Secret)
        ));
        for bad in [
            "",
            "no pem",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(matches!(
                load(bad.into(), secret.clone()),
                Err(KeysError::SigningKey)
            ));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(home.path(), None, None).unwrap();
        let shown = format!("{keys:?}");
        let secret = std::fs::read_to_string(home.path().join(SECRET_FILE)).unwrap();
        assert!(!shown.contains(secret.trim()));
        assert_eq!(
            shown,
            format!("Keys {{ signing: {:?}, .. }}", keys.signing.id)
        );
    }
}
