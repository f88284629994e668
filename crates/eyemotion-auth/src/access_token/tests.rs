use super::*;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use eyemotion_core::ManualClock;
use serde_json::{Value, json};

struct Fixture {
    clock: Arc<ManualClock>,
    keys: Arc<Keys>,
    tokens: AccessTokens,
    subject: Subject,
}

fn fixture() -> Fixture {
    let clock = Arc::new(ManualClock::at(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ));
    let keys = Arc::new(Keys::ephemeral().unwrap());
    let tokens = AccessTokens::new(Arc::clone(&keys), clock.clone(), &AuthConfig::default());
    let subject = Subject {
        user: UserId(Uuid::now_v7()),
        email: "a@example.com".to_owned(),
        role: UserRole::Admin,
        session: SessionId(Uuid::now_v7()),
    };
    Fixture {
        clock,
        keys,
        tokens,
        subject,
    }
}

impl Fixture {
    fn token(&self) -> String {
        self.tokens.issue(&self.subject).unwrap().0
    }

    fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.keys.signing().id })
    }

    fn claims(&self) -> Value {
        part(&self.token(), 1)
    }

    /// `header` and `claims`, signed by the real key, whatever they say.
    fn signed(&self, header: &Value, claims: &str) -> String {
        let message = message(header, claims);
        let key = &self.keys.signing().private;
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }

    fn refused(&self, token: &str) {
        assert_eq!(
            self.tokens.verify(token),
            Err(TokenError::Invalid),
            "{token:.200}"
        );
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

#[test]
fn a_token_speaks_for_its_subject() {
    let f = fixture();
    let (token, expires_at) = f.tokens.issue(&f.subject).unwrap();
    let actor = Actor::User {
        id: f.subject.user,
        session: f.subject.session,
        role: UserRole::Admin,
    };
    assert_eq!(f.tokens.verify(&token), Ok(actor));
    assert_eq!(part(&token, 0), f.header());
    let mut claims = part(&token, 1);
    claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(
        claims,
        json!({
            "sub": f.subject.user, "sid": f.subject.session, "iss": "eyemotion",
            "aud": "authenticated", "exp": 1_800_000_600, "iat": 1_800_000_000,
            "role": "authenticated", "user_role": "admin", "email": "a@example.com",
        })
    );
    assert_eq!(expires_at.timestamp(), 1_800_000_600);
    assert_eq!(
        f.tokens
            .verify(&f.signed(&f.header(), &f.claims().to_string())),
        Ok(actor)
    );
}

#[test]
fn a_token_expires_with_five_seconds_of_leeway() {
    let f = fixture();
    let token = f.token();
    f.clock.advance(TimeDelta::seconds(604));
    assert!(f.tokens.verify(&token).is_ok());
    f.clock.advance(TimeDelta::seconds(1));
    assert_eq!(f.tokens.verify(&token), Err(TokenError::Expired));
}

#[test]
fn only_our_algorithm_counts() {
    let f = fixture();
    let claims = f.claims().to_string();
    for alg in ["none", "None", "nOnE", "HS256", "RS256", "ES384", "EdDSA"] {
        let mut header = f.header();
        header["alg"] = json!(alg);
        f.refused(&f.signed(&header, &claims));
        f.refused(&format!("{}.", message(&header, &claims)));
    }
    // The public key, in any of its forms, is not an HMAC secret.
    let key = f.keys.signing();
    let point = key.public.try_get_as_bytes().unwrap();
    let jwks = serde_json::to_vec(&f.keys.jwks()).unwrap();
    for secret in [point, jwks.as_slice(), key.id.as_bytes(), b""] {
        let mut header = f.header();
        header["alg"] = json!("HS256");
        let message = message(&header, &claims);
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            message.as_bytes(),
        );
        f.refused(&format!(
            "{message}.{}",
            BASE64URL_NOPAD.encode(tag.as_ref())
        ));
    }
}

#[test]
fn only_our_header_counts() {
    let f = fixture();
    let claims = f.claims().to_string();
    let public = serde_json::to_value(f.keys.jwks()[0]).unwrap();
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", Value::Null),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' or 1=1 --")),
        ("kid", json!("https://evil.example/jwks.json")),
        ("kid", Value::Null),
        ("kid", json!(7)),
        ("crit", json!(["exp"])),
    ] {
        let mut header = f.header();
        header[name] = value;
        f.refused(&f.signed(&header, &claims));
    }
    // Another key of the right sort, which offers itself.
    let stranger = fixture();
    for mut header in [f.header(), stranger.header()] {
        header["jwk"] = public.clone();
        header["jku"] = json!("https://evil.example/jwks.json");
        f.refused(&stranger.signed(&header, &claims));
    }
    f.refused(&stranger.token());
}

#[test]
fn only_our_claims_count() {
    let f = fixture();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(["eyemotion", "evil"])),
        ("aud", json!("anon")),
        ("aud", json!(["authenticated", "x"])),
        ("role", json!("service_role")),
        ("user_role", json!("root")),
        ("sub", json!("nobody")),
        ("exp", json!("1900000000")),
        ("exp", json!(1e308)),
        ("exp", json!(i64::MAX)),
        ("nbf", json!(1_800_000_006)),
        ("nbf", json!(true)),
    ] {
        let mut claims = f.claims();
        claims[name] = value;
        f.refused(&f.signed(&f.header(), &claims.to_string()));
    }
    for name in [
        "sub",
        "sid",
        "iss",
        "aud",
        "exp",
        "iat",
        "jti",
        "role",
        "user_role",
        "email",
    ] {
        let mut claims = f.claims();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        f.refused(&f.signed(&f.header(), &claims.to_string()));
    }
    let twice = f
        .claims()
        .to_string()
        .replacen('{', r#"{"user_role":"super_admin","#, 1);
    f.refused(&f.signed(&f.header(), &twice));
    f.refused(&f.signed(&f.header(), "[]"));
}

#[test]
fn damaged_tokens_are_refused() {
    let f = fixture();
    let token = f.token();
    for end in 0..token.len() {
        f.refused(&token[..end]);
    }
    let (message, signature) = token.rsplit_once('.').unwrap();
    for bad in [
        format!("{message}."),
        format!("{message}.{}", BASE64URL_NOPAD.encode(&[0; 64])),
        format!("{message}.{signature}A"),
        format!("{message}.{signature}.{signature}"),
        format!("{token} "),
        format!("Bearer {token}"),
        "x".repeat(100_000),
        format!("{message}.{}", "A".repeat(100_000)),
        "..".to_owned(),
        "eye_rt_AAAA".to_owned(),
        "\u{0}".to_owned(),
    ] {
        f.refused(&bad);
    }
    let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    for place in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[place / 8] ^= 1 << (place % 8);
        f.refused(&format!("{message}.{}", BASE64URL_NOPAD.encode(&changed)));
    }
}

#[test]
fn the_published_key_checks_our_tokens() {
    let f = fixture();
    let jwk = serde_json::to_value(f.keys.jwks()[0]).unwrap();
    let names: Vec<_> = jwk
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        ["alg", "crv", "kid", "kty", "use", "x", "y"],
        "and no private part"
    );
    let key = jsonwebtoken::DecodingKey::from_jwk(f.keys.jwks()[0]).unwrap();
    let token = f.token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let good = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::ES256);
    assert!(good.unwrap());
}
