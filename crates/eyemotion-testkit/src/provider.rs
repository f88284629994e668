//! A provider of identities in the test's process: it speaks as GitHub does and as an OpenID
//! provider does, checks what a real one checks, and misbehaves on demand.

mod http;
mod tokens;

use self::http::{Asked, Told};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokens::Signer;
use url::Url;

/// The client that is registered with it.
pub const CLIENT_ID: &str = "a-client";
/// That client's secret.
pub const CLIENT_SECRET: &str = "the client's secret, with +/=&: in it";

/// Whoever sits at the provider's keyboard.
#[derive(Clone, Debug)]
pub struct ProviderUser {
    /// `sub`, or GitHub's numeric id.
    pub id: u64,
    /// The primary address.
    pub email: String,
    /// Whether the provider has verified it.
    pub verified: bool,
}

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answers every question with 10 MB.
    Huge,
    /// Answers every question with a web page.
    Html,
    /// Answers every question with status 500.
    Failing,
    /// Sends whoever asks to another address.
    Redirect,
    /// Signs another nonce than it was given.
    Nonce,
    /// Signs as somebody else.
    Issuer,
    /// Signs for another client.
    Audience,
    /// Signs a token that has expired.
    Expired,
    /// Signs with a key that it does not publish.
    Key,
    /// Signs nothing: `alg` none.
    Unsigned,
}

/// See the module.
#[derive(Clone)]
pub struct FakeProvider {
    url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    user: ProviderUser,
    fault: Fault,
    codes: HashMap<String, Grant>,
    tokens: HashMap<String, ProviderUser>,
    signer: Signer,
    made: u64,
    asked: u64,
}

/// What a code was given for.
struct Grant {
    user: ProviderUser,
    challenge: String,
    redirect_uri: String,
    nonce: Option<String>,
}

impl FakeProvider {
    /// Starts it; it ends with the test.
    pub async fn start() -> Self {
        let listener = http::listen().await;
        let url = http::url(&listener);
        let user = ProviderUser {
            id: 1,
            email: "ada@example.com".to_owned(),
            verified: true,
        };
        let state = Arc::new(Mutex::new(State {
            user,
            fault: Fault::None,
            codes: HashMap::new(),
            tokens: HashMap::new(),
            signer: Signer::new(),
            made: 0,
            asked: 0,
        }));
        let provider = Self { url, state };
        let answering = provider.clone();
        http::serve(listener, move |asked| answering.answer(&asked));
        provider
    }

    /// Its base, its issuer and its API: `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on this person signs in there.
    pub fn becomes(&self, id: u64, email: &str, verified: bool) {
        self.with(|state| {
            state.user = ProviderUser {
                id,
                email: email.to_owned(),
                verified,
            };
        });
    }

    /// From now on it does this wrong.
    pub fn misbehaves(&self, fault: Fault) {
        self.with(|state| state.fault = fault);
    }

    /// It takes another signing key, and publishes that one only.
    pub fn rotates_its_key(&self) {
        self.with(|state| state.signer = Signer::new());
    }

    /// How often it was asked something.
    pub fn asked(&self) -> u64 {
        self.with(|state| state.asked)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, asked: &Asked) -> Told {
        self.with(|state| {
            state.asked += 1;
            match (state.fault, asked.path.as_str()) {
                (_, "/authorize" | "/login/oauth/authorize") => state.authorize(asked),
                (Fault::Huge, _) => Told::json(200, &json!({ "x": "x".repeat(10_000_000) })),
                (Fault::Html, _) => Told::html("<title>Sign in to the proxy</title>"),
                (Fault::Failing, _) => Told::json(500, &json!({ "message": "no" })),
                (Fault::Redirect, _) => Told::redirect(&format!("{}/user", self.url)),
                (_, "/.well-known/openid-configuration") => Told::json(200, &discovery(&self.url)),
                (_, "/jwks") => Told::json(200, &state.signer.jwks()),
                (_, "/token") => state.openid_token(asked, &self.url),
                (_, "/login/oauth/access_token") => state.github_token(asked),
                (_, "/user" | "/user/emails") => state.user(asked),
                _ => Told::json(404, &json!({ "message": "Not Found" })),
            }
        })
    }
}

fn discovery(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

impl State {
    fn unique(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    /// Signs the person in without a question, and sends the browser back with a code.
    fn authorize(&mut self, asked: &Asked) -> Told {
        let given = |name: &str| asked.query.get(name).cloned().unwrap_or_default();
        if given("client_id") != CLIENT_ID
            || given("response_type") != "code"
            || given("code_challenge_method") != "S256"
            || given("state").is_empty()
        {
            return Told::html("<title>invalid_request</title>");
        }
        let Ok(mut back) = Url::parse(&given("redirect_uri")) else {
            return Told::html("<title>invalid redirect_uri</title>");
        };
        let code = self.unique("code");
        let grant = Grant {
            user: self.user.clone(),
            challenge: given("code_challenge"),
            redirect_uri: given("redirect_uri"),
            nonce: asked.query.get("nonce").cloned(),
        };
        self.codes.insert(code.clone(), grant);
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &given("state"))
            .append_pair("scope", "email profile");
        Told::redirect(back.as_str())
    }

    /// The person that the code stands for, if everything about it is right; a code works once.
    fn redeem(&mut self, asked: &Asked) -> Option<Grant> {
        let given = |name: &str| asked.form.get(name).map(String::as_str);
        let grant = self.codes.remove(given("code")?)?;
        let verifier = given("code_verifier")?;
        let made = BASE64URL_NOPAD.encode(&tokens::sha256(verifier.as_bytes()));
        let right = given("grant_type")? == "authorization_code"
            && given("redirect_uri")? == grant.redirect_uri
            && made == grant.challenge;
        right.then_some(grant)
    }

    fn github_token(&mut self, asked: &Asked) -> Told {
        let given = |name: &str| asked.form.get(name).map(String::as_str);
        let client = (given("client_id"), given("client_secret"));
        if client != (Some(CLIENT_ID), Some(CLIENT_SECRET)) {
            return Told::json(200, &json!({ "error": "incorrect_client_credentials" }));
        }
        let Some(grant) = self.redeem(asked) else {
            return Told::json(200, &json!({ "error": "bad_verification_code" }));
        };
        let token = self.unique("token");
        self.tokens.insert(token.clone(), grant.user);
        let body = json!({ "access_token": token, "token_type": "bearer", "scope": "user:email" });
        Told::json(200, &body)
    }

    fn user(&self, asked: &Asked) -> Told {
        let bearer = asked
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(user) = bearer.and_then(|token| self.tokens.get(token)) else {
            return Told::json(401, &json!({ "message": "Bad credentials" }));
        };
        if asked.path == "/user" {
            // The public address is whatever the person likes to show.
            let body = json!({
                "id": user.id, "login": "ada", "name": "Ada Lovelace", "email": "shown@example.com",
                "avatar_url": "https://avatars.example.com/1",
            });
            return Told::json(200, &body);
        }
        Told::json(
            200,
            &json!([
                { "email": "old@example.com", "primary": false, "verified": true },
                { "email": user.email, "primary": true, "verified": user.verified },
            ]),
        )
    }

    fn openid_token(&mut self, asked: &Asked, issuer: &str) -> Told {
        let escaped = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let pair = format!("{}:{}", escaped(CLIENT_ID), escaped(CLIENT_SECRET));
        let basic = format!("Basic {}", BASE64.encode(pair.as_bytes()));
        if asked.header("authorization") != Some(&basic) {
            return Told::json(401, &json!({ "error": "invalid_client" }));
        }
        let Some(grant) = self.redeem(asked) else {
            return Told::json(400, &json!({ "error": "invalid_grant" }));
        };
        let id_token = self
            .signer
            .sign(&grant.user, grant.nonce.as_deref(), issuer, self.fault);
        let token = self.unique("token");
        let body = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token,
        });
        Told::json(200, &body)
    }
}
