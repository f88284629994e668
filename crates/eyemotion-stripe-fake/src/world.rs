//! The state with what surrounds it: keys, faults, the log of requests.

use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::expand::expand;
use crate::fault::{Fault, FaultKind};
use crate::params::Params;
use crate::resources;
use crate::state::{Cause, State};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Names and values from the query, then from the body.
    pub form: Vec<(String, String)>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `Stripe-Version`.
    pub api_version: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// What was answered; none where no answer was given.
    pub status: Option<u16>,
    /// The fake's clock, in Unix seconds.
    pub at: i64,
}

impl Request {
    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut named = self.form.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// A status and a body, and whether an idempotency key answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
    pub request: String,
}

/// An answer that belongs to an idempotency key.
#[derive(Clone, Debug)]
struct Kept {
    request: (String, Vec<(String, String)>),
    reply: Reply,
}

pub struct World {
    pub state: State,
    pub secret_key: String,
    pub webhook_secret: String,
    pub faults: Vec<Fault>,
    pub down: bool,
    pub requests: Vec<Request>,
    /// How many events an emitter has taken.
    pub taken: usize,
    /// Every answer that was given, where recording was asked for.
    pub answers: Option<Vec<(String, String, u16, Value)>>,
    keys: HashMap<String, Kept>,
    in_use: HashSet<String>,
}

impl World {
    pub fn new(now: i64, tag: &str) -> Self {
        Self {
            state: State::new(now, tag.to_owned()),
            secret_key: format!("sk_test_{tag}fake"),
            webhook_secret: format!("whsec_{tag}fake"),
            faults: Vec::new(),
            down: false,
            requests: Vec::new(),
            taken: 0,
            answers: None,
            keys: HashMap::new(),
            in_use: HashSet::new(),
        }
    }

    /// The fault that meets a request, used up by one.
    pub fn fault(&mut self, request: &Request) -> Option<FaultKind> {
        let meets = |fault: &&mut Fault| fault.meets(&request.method, &request.path);
        let fault = self.faults.iter_mut().find(meets)?;
        fault.times -= 1;
        let kind = fault.kind.clone();
        self.faults.retain(|fault| fault.times > 0);
        Some(kind)
    }

    /// Whether a request's key is being used by another one; marks it as used.
    pub fn lock(&mut self, request: &Request) -> bool {
        match &request.idempotency_key {
            Some(key) if request.method == "POST" => !self.in_use.insert(key.clone()),
            _ => false,
        }
    }

    pub fn unlock(&mut self, request: &Request) {
        if let Some(key) = &request.idempotency_key {
            self.in_use.remove(key);
        }
    }

    pub fn refuse(&mut self, error: &StripeError) -> Reply {
        let request = self.state.new_id("req");
        Reply {
            status: error.status,
            body: error.body(&request),
            replayed: false,
            request,
        }
    }

    /// Carries a request out. With `instead`, that status is the answer to whatever was done.
    pub fn serve(&mut self, request: &Request, instead: Option<u16>) -> Reply {
        let id = self.state.new_id("req");
        let key = request
            .idempotency_key
            .clone()
            .filter(|_| request.method == "POST");
        let what = (request.path.clone(), request.form.clone());
        if let Some(kept) = key.as_ref().and_then(|key| self.keys.get(key)) {
            if kept.request != what {
                return self.refuse(&StripeError::idempotency(false));
            }
            return Reply {
                replayed: true,
                ..kept.reply.clone()
            };
        }
        self.state.cause = Cause {
            id: Some(id.clone()),
            key: key.clone(),
        };
        let answer = self.answer(request);
        self.state.cause = Cause::default();
        let keep = answer
            .as_ref()
            .map_or_else(|error| error.committed, |_| true);
        let (status, body) = match (answer, instead) {
            (Ok(_), Some(status)) => (status, StripeError::status(status).body(&id)),
            (Ok(body), None) => (200, body),
            (Err(error), _) => (error.status, error.body(&id)),
        };
        let reply = Reply {
            status,
            body,
            replayed: false,
            request: id,
        };
        if let Some(key) = key.filter(|_| keep) {
            let kept = Kept {
                request: what,
                reply: reply.clone(),
            };
            self.keys.insert(key, kept);
        }
        reply
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let secret = request.authorization.as_deref().unwrap_or_default();
        if secret != format!("Bearer {}", self.secret_key) {
            return Err(StripeError::unauthorized());
        }
        let parts: Vec<&str> = request
            .path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let Some(("v1", path)) = parts.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(StripeError::no_route(&request.method, &request.path));
        };
        let params = Params::parse(&request.form);
        let mut answer = resources::answer(&mut self.state, &request.method, path, &params)?;
        for path in params.texts("expand") {
            expand(&self.state, &mut answer, &path)?;
        }
        Ok(answer)
    }

    pub fn log(&mut self, request: Request, reply: Option<&Reply>) {
        if let (Some(answers), Some(reply)) = (&mut self.answers, reply) {
            let (method, path) = (request.method.clone(), request.path.clone());
            answers.push((method, path, reply.status, reply.body.clone()));
        }
        let status = reply.map(|reply| reply.status);
        self.requests.push(Request { status, ..request });
    }

    /// How many documents of each kind there are.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.state.counts()
    }

    /// Events that no emitter has taken yet, oldest first.
    pub fn take_events(&mut self) -> Vec<Value> {
        let events: Vec<Value> = self.state.all("event").skip(self.taken).cloned().collect();
        self.taken += events.len();
        events
    }

    /// Whether an id's document is there.
    pub fn object(&self, id: &str) -> Option<Value> {
        self.state
            .find(id)
            .filter(|it| !it.id().is_empty())
            .cloned()
    }
}
