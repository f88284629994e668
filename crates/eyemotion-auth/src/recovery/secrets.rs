//! What a mail proves its reader with: a token in a link, and a code that can be typed.

use crate::error::AuthError;
use crate::recovery::purpose::Purpose;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hmac, rand};
use data_encoding::BASE64URL_NOPAD;
use eyemotion_core::UserId;

/// Lets people and secret scanners recognise one.
const PREFIX: &str = "eye_ot_";
const CODES: u32 = 1_000_000;

/// A new token and code with what is stored of them.
pub(crate) struct OneTimeSecrets {
    /// `eye_ot_` and 32 random bytes in base64url.
    pub token: String,
    /// SHA-256 of those bytes, which need no slower hash.
    pub token_hash: Vec<u8>,
    /// Six digits.
    pub code: String,
    /// An HMAC: a million codes are soon tried by whoever reads the table and has no key.
    pub code_hash: Vec<u8>,
}

/// Makes and checks them.
pub(crate) struct OneTimeCodec {
    key: hmac::Key,
}

impl OneTimeCodec {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    pub(crate) fn issue(
        &self,
        user: UserId,
        purpose: Purpose,
    ) -> Result<OneTimeSecrets, AuthError> {
        let bytes: [u8; 32] = random()?;
        let token_hash = digest(&SHA256, &bytes).as_ref().to_vec();
        let code = format!("{:06}", uniform()?);
        let message = message(user, purpose, &token_hash, &code);
        Ok(OneTimeSecrets {
            token: format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)),
            code_hash: hmac::sign(&self.key, &message).as_ref().to_vec(),
            token_hash,
            code,
        })
    }

    /// Whether `code` was made together with the token of this hash, for this person and purpose.
    /// Takes the same time whatever is wrong with it.
    pub(crate) fn is_code(
        &self,
        user: UserId,
        purpose: Purpose,
        token_hash: &[u8],
        code: &str,
        code_hash: &[u8],
    ) -> bool {
        let message = message(user, purpose, token_hash, code.trim());
        hmac::verify(&self.key, &message, code_hash).is_ok()
    }
}

/// A token for a link without a code, and what is stored of it.
pub(crate) fn link_token() -> Result<(String, Vec<u8>), AuthError> {
    let bytes: [u8; 32] = random()?;
    let hash = digest(&SHA256, &bytes).as_ref().to_vec();
    Ok((format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)), hash))
}

/// What is stored of a token; none if it is not one of ours.
pub(crate) fn token_hash(token: &str) -> Option<Vec<u8>> {
    let text = token.trim().strip_prefix(PREFIX)?;
    // 32 bytes make 43 characters; anything else needs no decoding.
    if text.len() != 43 {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Some(digest(&SHA256, &bytes).as_ref().to_vec())
}

/// Every part but the last has one length (the purpose ends with a NUL), so no two mean the same.
fn message(user: UserId, purpose: Purpose, token_hash: &[u8], code: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(96);
    message.extend_from_slice(user.0.as_bytes());
    message.extend_from_slice(token_hash);
    message.extend_from_slice(purpose.as_str().as_bytes());
    message.push(0);
    message.extend_from_slice(code.as_bytes());
    message
}

/// A number below [`CODES`], each as likely as every other.
fn uniform() -> Result<u32, AuthError> {
    const FAIR: u32 = u32::MAX - u32::MAX % CODES;
    loop {
        let number = u32::from_be_bytes(random()?);
        if number < FAIR {
            return Ok(number % CODES);
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], AuthError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| AuthError::Crypto("the random source failed".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const PURPOSE: Purpose = Purpose::PasswordReset;

    #[test]
    fn a_code_is_bound_to_person_purpose_and_token() {
        let codec = OneTimeCodec::new([7; 32]);
        let (user, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let made = codec.issue(user, PURPOSE).unwrap();
        let is_code = |codec: &OneTimeCodec, user, purpose, token: &[u8], code: &str| {
            codec.is_code(user, purpose, token, code, &made.code_hash)
        };
        let (token, code) = (made.token_hash.as_slice(), made.code.as_str());
        assert!(is_code(&codec, user, PURPOSE, token, code));
        assert!(is_code(&codec, user, PURPOSE, token, &format!(" {code} ")));
        assert!(!is_code(&codec, other, PURPOSE, token, code));
        assert!(!is_code(&codec, user, Purpose::MagicLink, token, code));
        assert!(!is_code(&codec, user, PURPOSE, &[0; 32], code));
        assert!(!is_code(&codec, user, PURPOSE, token, ""));
        assert!(!is_code(
            &OneTimeCodec::new([8; 32]),
            user,
            PURPOSE,
            token,
            code
        ));
        let guessed = (0..CODES)
            .filter(|guess| is_code(&codec, user, PURPOSE, token, &format!("{guess:06}")));
        assert_eq!(guessed.count(), 1);
    }

    #[test]
    fn a_token_is_found_by_its_hash_alone() {
        let codec = OneTimeCodec::new([7; 32]);
        let made = codec.issue(UserId(Uuid::from_u128(1)), PURPOSE).unwrap();
        let again = codec.issue(UserId(Uuid::from_u128(1)), PURPOSE).unwrap();
        assert_ne!(made.token, again.token);
        assert_eq!(token_hash(&made.token), Some(made.token_hash));
        assert_eq!(made.code.len(), 6);
        for rubbish in [
            "",
            "eye_ot_",
            "eye_ot_x",
            &"x".repeat(50),
            &made.token[..49],
        ] {
            assert_eq!(token_hash(rubbish), None, "{rubbish}");
        }
    }
}
