//! Makes tokens that nobody should make.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use eyemotion_testkit::{Client, TestApp};
use serde_json::{Value, json};

/// What an attacker has who got hold of everything: the server's own signing key, a good token's
/// parts, and the published keys.
pub(super) struct Forge {
    key: EcdsaKeyPair,
    pub(super) header: Value,
    pub(super) claims: Value,
    /// The good token.
    pub(super) token: String,
    /// `/.well-known/jwks.json` as it is served.
    pub(super) jwks: Vec<u8>,
}

impl Forge {
    /// For tokens in the name of `client`.
    pub(super) async fn new(app: &TestApp, client: &Client) -> Self {
        let pem = std::fs::read_to_string(app.data_dir().join("keys/signing-key.pem")).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(der.as_bytes()).unwrap();
        let token = client.session.clone().unwrap().access_token;
        let jwks = client.get("//.well-known/jwks.json").await;
        Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap(),
            header: part(&token, 0),
            claims: part(&token, 1),
            token,
            jwks: jwks.bytes.to_vec(),
        }
    }

    /// The parts, signed with the server's own key, whatever they say.
    pub(super) fn signed(&self, header: &Value, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
        let signature = BASE64URL_NOPAD.encode(signature.unwrap().as_ref());
        format!("{message}.{signature}")
    }

    /// The header with one member changed; null takes it away.
    pub(super) fn with_header(&self, name: &str, value: Value) -> String {
        self.signed(
            &changed(&self.header, name, value),
            &self.claims.to_string(),
        )
    }

    /// The claims with one member changed; null takes it away.
    pub(super) fn with_claim(&self, name: &str, value: Value) -> String {
        self.signed(
            &self.header,
            &changed(&self.claims, name, value).to_string(),
        )
    }

    /// The same token for `alg`, with another signature.
    pub(super) fn with_signature(&self, alg: &str, signature: &[u8]) -> String {
        let header = changed(&self.header, "alg", json!(alg));
        let message = message(&header, &self.claims.to_string());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature))
    }

    /// HS256 with a secret that is none.
    pub(super) fn with_hmac(&self, secret: &[u8]) -> String {
        let header = changed(&self.header, "alg", json!("HS256"));
        let message = message(&header, &self.claims.to_string());
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            message.as_bytes(),
        );
        format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    }

    /// The public key as a PEM block (RFC 7468), the way a confused library would read it.
    pub(super) fn public_pem(&self) -> String {
        // SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480 section 2).
        const PREFIX: &[u8] = &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ];
        let keys: Value = serde_json::from_slice(&self.jwks).unwrap();
        let coordinate = |name: &str| {
            let text = keys["keys"][0][name].as_str().unwrap();
            BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
        };
        let der = [PREFIX, &coordinate("x"), &coordinate("y")].concat();
        let text = BASE64.encode(&der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let lines = lines.join("\n");
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }
}

fn message(header: &Value, claims: &str) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}", part(&header.to_string()), part(claims))
}

fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap()
}

fn changed(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    object
}
