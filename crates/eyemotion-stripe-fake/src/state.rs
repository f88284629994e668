//! What the fake knows: documents by id, in the order in which they were made.

use crate::card::Card;
use crate::document::Document;
use crate::error::StripeError;
use crate::resources::Plan;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The version of the API that is spoken.
pub const API_VERSION: &str = "2026-09-30.endive";

const DAY: i64 = 86_400;

/// What an account's dashboard settings decide.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seconds between a renewal's draft invoice and its payment; Stripe waits about an hour.
    pub finalize_after: i64,
    /// Seconds from each failed payment of an invoice to the next try.
    pub retries: Vec<i64>,
    /// What a subscription becomes when the last try has failed.
    pub after_retries: AfterRetries,
}

/// What a subscription becomes when the last try has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRetries {
    /// `canceled`, with `customer.subscription.deleted`.
    Cancel,
    /// `unpaid`.
    Unpaid,
    /// It stays `past_due`.
    PastDue,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            finalize_after: 3_600,
            retries: vec![3 * DAY, 5 * DAY, 7 * DAY],
            after_retries: AfterRetries::Cancel,
        }
    }
}

/// The request that changes what is changed, as events tell it.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    pub id: Option<String>,
    pub key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct State {
    /// Unix seconds.
    pub now: i64,
    pub settings: Settings,
    pub cause: Cause,
    /// What each customer's charges are made with.
    pub cards: HashMap<String, Card>,
    /// Changes of subscriptions that wait until their invoice is paid, by the invoice.
    pub proposals: HashMap<String, Value>,
    /// Subscriptions whose trial was told to end soon.
    pub warned: HashSet<String>,
    /// What completes each Checkout session.
    pub plans: HashMap<String, Plan>,
    /// Proration lines that wait for a subscription's next invoice.
    pub waiting: HashMap<String, Vec<Value>>,
    objects: HashMap<String, Value>,
    kinds: HashMap<String, Vec<String>>,
    tag: String,
    made: u64,
}

impl State {
    pub fn new(now: i64, tag: String) -> Self {
        Self {
            now,
            settings: Settings::default(),
            cause: Cause::default(),
            cards: HashMap::new(),
            proposals: HashMap::new(),
            plans: HashMap::new(),
            warned: HashSet::new(),
            waiting: HashMap::new(),
            objects: HashMap::new(),
            kinds: HashMap::new(),
            tag,
            made: 0,
        }
    }

    pub fn new_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{}{:08}", self.tag, self.made)
    }

    /// Keeps a new document, which has `id` and `object`.
    pub fn insert(&mut self, document: Value) -> String {
        let (id, kind) = (document.id().to_owned(), document.text("object").to_owned());
        self.kinds.entry(kind).or_default().push(id.clone());
        self.objects.insert(id.clone(), document);
        id
    }

    pub fn remove(&mut self, kind: &str, id: &str) {
        self.objects.remove(id);
        if let Some(ids) = self.kinds.get_mut(kind) {
            ids.retain(|known| known != id);
        }
    }

    /// A document; `Null` where there is none.
    pub fn get(&self, id: &str) -> Value {
        self.objects.get(id).cloned().unwrap_or_default()
    }

    pub fn find(&self, id: &str) -> Option<&Value> {
        self.objects.get(id)
    }

    /// A document of that kind, or Stripe's 404.
    pub fn need(&self, kind: &str, id: &str, param: &str) -> Result<Value, StripeError> {
        match self.objects.get(id) {
            Some(found) if found.text("object") == kind => Ok(found.clone()),
            _ => Err(StripeError::not_found(noun(kind), id, param)),
        }
    }

    /// Documents of a kind, oldest first.
    pub fn all<'a>(&'a self, kind: &str) -> impl DoubleEndedIterator<Item = &'a Value> + use<'a> {
        let ids = self.kinds.get(kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.objects.get(id))
    }

    /// How many documents of each kind there are.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let count = |(kind, ids): (&String, &Vec<String>)| (kind.clone(), ids.len());
        self.kinds.iter().map(count).collect()
    }

    /// Sets the fields of `patch`, and tells what those that changed were before.
    pub fn change(&mut self, id: &str, patch: &Value) -> Map<String, Value> {
        let mut before = Map::new();
        let Some(document) = self.objects.get_mut(id).and_then(Value::as_object_mut) else {
            return before;
        };
        for (key, value) in patch.as_object().into_iter().flatten() {
            let old = document
                .insert(key.clone(), value.clone())
                .unwrap_or_default();
            if old != *value {
                before.insert(key.clone(), old);
            }
        }
        before
    }

    /// [`State::change`] with the event that tells it, where anything changed.
    pub fn update(&mut self, id: &str, patch: &Value, event: &str) {
        let before = self.change(id, patch);
        if !before.is_empty() {
            self.emit_changed(event, id, before);
        }
    }

    /// Tells an event about a document as it is now.
    pub fn emit(&mut self, kind: &str, id: &str) {
        let object = self.get(id);
        self.tell(kind, &json!({ "object": object }));
    }

    /// An `updated` event, with what was before.
    pub fn emit_changed(&mut self, kind: &str, id: &str, before: Map<String, Value>) {
        let object = self.get(id);
        let mut data = json!({ "object": object });
        data["previous_attributes"] = Value::Object(before);
        self.tell(kind, &data);
    }

    fn tell(&mut self, kind: &str, data: &Value) {
        let id = self.new_id("evt");
        let event = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": self.cause.id, "idempotency_key": self.cause.key },
            "type": kind,
        });
        self.insert(event);
    }
}

/// What Stripe calls a kind in its sentences.
fn noun(kind: &str) -> &str {
    match kind {
        "subscription_schedule" => "subscription schedule",
        "radar.early_fraud_warning" => "issuer fraud record",
        "promotion_code" => "promotion code",
        kind => kind,
    }
}
