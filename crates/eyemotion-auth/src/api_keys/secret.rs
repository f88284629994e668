//! `eye_sk_<43 of 0-9 A-Z a-z>_<CRC-32 in hexadecimal>`: 256 random bits, and a checksum by which
//! a scanner of leaked secrets, and this server before it asks its database, tells a key from a
//! text that looks like one.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use secrecy::{ExposeSecret, SecretString};

const PREFIX: &str = "eye_sk_";
/// 62^43 is just above 2^256.
const RANDOM_CHARS: usize = 43;
/// How much of the random part is shown.
const SHOWN: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes from here on are drawn again: 248 is the largest multiple of 62 below 256.
const FAIR: u8 = 248;

/// Whether a bearer token claims to be an API key.
pub fn is_api_key(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new secret; none if the random source fails.
pub(super) fn generate() -> Option<SecretString> {
    let mut random = String::with_capacity(RANDOM_CHARS);
    while random.len() < RANDOM_CHARS {
        let mut bytes = [0_u8; 64];
        rand::fill(&mut bytes).ok()?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let chars = fair.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        random.extend(
            chars
                .take(RANDOM_CHARS - random.len())
                .map(|byte| char::from(*byte)),
        );
    }
    Some(SecretString::from(with_checksum(&format!(
        "{PREFIX}{random}"
    ))))
}

/// What may be shown of a secret.
pub(super) fn shown(secret: &SecretString) -> String {
    secret
        .expose_secret()
        .chars()
        .take(PREFIX.len() + SHOWN)
        .collect()
}

/// The form in which secrets are stored and looked up; none for what can be none.
pub(super) fn hash(token: &str) -> Option<[u8; 32]> {
    let (body, _) = token.rsplit_once('_')?;
    let random = body.strip_prefix(PREFIX)?;
    let formed =
        random.len() == RANDOM_CHARS && random.bytes().all(|byte| ALPHABET.contains(&byte));
    if !formed || with_checksum(body) != token {
        return None;
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    Some(hash)
}

fn with_checksum(body: &str) -> String {
    format!("{body}_{:08x}", crc32fast::hash(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_secret_is_random_and_of_one_form() {
        let secrets: HashSet<String> = (0..100)
            .map(|_| generate().unwrap().expose_secret().to_owned())
            .collect();
        assert_eq!(secrets.len(), 100);
        for secret in &secrets {
            assert_eq!(secret.len(), 7 + 43 + 1 + 8, "{secret}");
            assert!(hash(secret).is_some(), "{secret}");
        }
        let used: HashSet<char> = secrets
            .iter()
            .flat_map(|it| it.chars().skip(7).take(43))
            .collect();
        assert_eq!(used.len(), 62);
    }

    #[test]
    fn what_is_mistyped_is_told_without_asking_anybody() {
        let body = format!("eye_sk_{}", "a".repeat(43));
        let good = with_checksum(&body);
        assert!(hash(&good).is_some());
        assert!(is_api_key(&good));
        let bad = [
            String::new(),
            body.clone(),
            good.to_uppercase(),
            good.replacen('a', "b", 1),
            format!("{good}0"),
            format!(" {good}"),
            with_checksum(&body.replacen('a', "-", 1)),
            with_checksum(&format!("{body}a")),
            with_checksum("eye_pk_a"),
        ];
        for token in bad {
            assert!(hash(&token).is_none(), "{token}");
        }
    }
}
