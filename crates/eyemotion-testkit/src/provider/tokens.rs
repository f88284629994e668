use super::{CLIENT_ID, Fault, ProviderUser};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Signs ID tokens.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
    id: String,
}

impl Signer {
    pub(super) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let id = BASE64URL_NOPAD.encode(&sha256(pair.public_key().as_ref()));
        Self { pair, id }
    }

    pub(super) fn jwks(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.split_at(1).1.split_at(32);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y),
        }] })
    }

    pub(super) fn sign(
        &self,
        user: &ProviderUser,
        nonce: Option<&str>,
        issuer: &str,
        fault: Fault,
    ) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mut claims = json!({
            "iss": issuer, "aud": CLIENT_ID, "sub": user.id.to_string(),
            "iat": now, "exp": now + 3600, "nonce": nonce,
            "email": user.email, "email_verified": user.verified,
            "name": "Ada Lovelace", "picture": "https://avatars.example.com/1",
        });
        match fault {
            Fault::Nonce => claims["nonce"] = json!("another"),
            Fault::Issuer => claims["iss"] = json!("https://evil.example.com"),
            Fault::Audience => claims["aud"] = json!(["another-client"]),
            Fault::Expired => claims["exp"] = json!(now - 3600),
            _ => {}
        }
        let alg = if fault == Fault::Unsigned {
            "none"
        } else {
            "ES256"
        };
        let header = json!({ "alg": alg, "kid": self.id, "typ": "JWT" });
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let stranger = Self::new();
        let pair = if fault == Fault::Key {
            &stranger.pair
        } else {
            &self.pair
        };
        let signature = pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("a signature");
        let signature = if fault == Fault::Unsigned {
            String::new()
        } else {
            BASE64URL_NOPAD.encode(signature.as_ref())
        };
        format!("{signed}.{signature}")
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
