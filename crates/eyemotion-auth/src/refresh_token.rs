//! The refresh token: which session, which counter, and a MAC over both. Nothing is stored for a
//! token; the session's row knows the counter that is good.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use eyemotion_core::SessionId;
use uuid::Uuid;

/// Lets people and secret scanners recognise one.
const PREFIX: &str = "eye_rt_";
const VERSION: u8 = 1;
/// Version, session id, counter.
const SIGNED: usize = 1 + 16 + 8;

/// What a token says, once its MAC has proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshClaim {
    pub(crate) session: SessionId,
    /// Counts the refreshes of the session; 0 in its first token.
    pub(crate) counter: i64,
}

/// Writes and reads refresh tokens.
pub(crate) struct RefreshTokens {
    key: hmac::Key,
}

impl RefreshTokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    /// The token for `claim`; always the same one.
    pub(crate) fn encode(&self, claim: RefreshClaim) -> String {
        let mut bytes = Vec::with_capacity(SIGNED + 32);
        bytes.push(VERSION);
        bytes.extend_from_slice(claim.session.0.as_bytes());
        bytes.extend_from_slice(&claim.counter.to_be_bytes());
        let mac = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(mac.as_ref());
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// What `token` says; none if it is not one of ours.
    pub(crate) fn decode(&self, token: &str) -> Option<RefreshClaim> {
        let text = token.strip_prefix(PREFIX)?;
        // 57 bytes make 76 characters; anything else needs no decoding.
        if text.len() != 76 {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (signed, mac) = bytes.split_first_chunk::<SIGNED>()?;
        hmac::verify(&self.key, signed, mac).ok()?;
        let (version, rest) = signed.split_first()?;
        let (session, counter) = rest.split_first_chunk::<16>()?;
        if *version != VERSION {
            return None;
        }
        Some(RefreshClaim {
            session: SessionId(Uuid::from_bytes(*session)),
            counter: i64::from_be_bytes(*counter.first_chunk()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (RefreshTokens, RefreshClaim, String) {
        let tokens = RefreshTokens::new([7; 32]);
        let claim = RefreshClaim {
            session: SessionId(Uuid::now_v7()),
            counter: 41,
        };
        let token = tokens.encode(claim);
        (tokens, claim, token)
    }

    #[test]
    fn a_token_says_what_went_in_and_is_always_the_same() {
        let (tokens, claim, token) = example();
        assert_eq!(tokens.decode(&token), Some(claim));
        assert_eq!(tokens.encode(claim), token);
        assert!(token.starts_with("eye_rt_"));
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let (tokens, _, token) = example();
        let bytes = BASE64URL_NOPAD
            .decode(&token.as_bytes()[PREFIX.len()..])
            .unwrap();
        for place in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[place / 8] ^= 1 << (place % 8);
            let changed = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&changed));
            assert_eq!(tokens.decode(&changed), None, "bit {place}");
        }
        for place in 0..token.len() {
            for other in [b'A', b'_', b'=', b' ', 0] {
                let mut changed = token.clone().into_bytes();
                if std::mem::replace(&mut changed[place], other) != other {
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(tokens.decode(&changed), None, "{changed:?}");
                }
            }
        }
    }

    #[test]
    fn other_lengths_other_keys_and_rubbish_are_refused() {
        let (tokens, claim, token) = example();
        assert_eq!(RefreshTokens::new([8; 32]).decode(&token), None);
        for end in 0..token.len() {
            assert_eq!(tokens.decode(&token[..end]), None);
        }
        assert_eq!(tokens.decode(&format!("{token}A")), None);
        assert_eq!(tokens.decode(&token.replace("rt", "sk")), None);
        assert_eq!(tokens.decode(&"eye_rt_".repeat(20_000)), None);
        assert_eq!(tokens.decode("eye_rt_ä"), None);
        // Only the codec itself makes another counter.
        let next = tokens.encode(RefreshClaim {
            counter: claim.counter + 1,
            ..claim
        });
        assert_ne!(next, token);
    }
}
