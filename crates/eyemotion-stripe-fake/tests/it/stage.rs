//! A fake with a client, whose answers go to a file for the check against Stripe's document.

use eyemotion_stripe_fake::{Card, StripeFake};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A moment without a leap day or a month's end nearby: 2026-03-10T00:00:00Z.
pub const MARCH_10: i64 = 1_773_100_800;
pub const DAY: u64 = 86_400;

pub struct Stage {
    pub fake: StripeFake,
    pub http: reqwest::Client,
}

/// A status, its headers and a body.
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Told {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Stage {
    pub fn new() -> Self {
        let fake = StripeFake::start_at(MARCH_10);
        fake.record_answers();
        Self {
            fake,
            http: reqwest::Client::new(),
        }
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}v1/{path}", self.fake.url());
        let encoded = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = if method == "POST" {
            let kind = "application/x-www-form-urlencoded";
            self.http
                .post(url)
                .header("content-type", kind)
                .body(encoded)
        } else {
            let method = method.parse().unwrap();
            self.http.request(method, format!("{url}?{encoded}"))
        };
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.bearer_auth(self.fake.secret_key())
    }

    pub async fn tell(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> Told {
        let response = self.request(method, path, form, key).send().await.unwrap();
        Told {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap(),
        }
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let told = self.tell("POST", path, form, None).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        told.body
    }

    pub async fn get(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let told = self.tell("GET", path, form, None).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        told.body
    }

    /// The error of a request that must fail.
    pub async fn refused(&self, path: &str, form: &[(&str, &str)]) -> Told {
        let told = self.tell("POST", path, form, None).await;
        assert!(told.status >= 400, "{path} was taken: {}", told.body);
        told
    }

    pub async fn price(&self, amount: i64, interval: &str) -> String {
        let amount = amount.to_string();
        let price = [
            ("currency", "thb"),
            ("unit_amount", &amount),
            ("recurring[interval]", interval),
            ("product_data[name]", "A plan"),
        ];
        id(&self.post("prices", &price).await)
    }

    pub async fn customer(&self) -> String {
        id(&self.post("customers", &[("email", "c@example.com")]).await)
    }

    /// A customer with a subscription that Checkout made and a good card paid. Answers both ids.
    pub async fn subscriber(&self, price: &str) -> (String, String) {
        let customer = self.customer().await;
        let form = [
            ("mode", "subscription"),
            ("success_url", "https://eyemotion.test/done"),
            ("customer", &customer),
            ("line_items[0][price]", price),
            ("line_items[0][quantity]", "1"),
        ];
        let session = id(&self.post("checkout/sessions", &form).await);
        let session = self.fake.complete_checkout(&session, Card::Visa).unwrap();
        (
            customer,
            session["subscription"].as_str().unwrap().to_owned(),
        )
    }

    /// A paid session for credits of that amount. Answers the session.
    pub async fn credits(&self, amount: i64) -> Value {
        let session = self.credits_session(amount).await;
        self.fake.complete_checkout(&session, Card::Visa).unwrap()
    }

    pub async fn credits_session(&self, amount: i64) -> String {
        let amount = amount.to_string();
        let form = [
            ("mode", "payment"),
            ("success_url", "https://eyemotion.test/done"),
            ("payment_method_types[0]", "card"),
            ("payment_method_types[1]", "promptpay"),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "thb"),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", "Credits"),
        ];
        id(&self.post("checkout/sessions", &form).await)
    }

    pub fn object(&self, id: &str) -> Value {
        self.fake.object(id).unwrap()
    }

    /// The types of the events since this was last asked.
    pub fn news(&self) -> Vec<String> {
        let events = self.fake.events_since();
        let kinds = events
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned());
        kinds.collect()
    }

    /// The invoices of a subscription, newest first.
    pub async fn invoices(&self, subscription: &str) -> Vec<Value> {
        let told = self
            .get("invoices", &[("subscription", subscription)])
            .await;
        told["data"].as_array().unwrap().clone()
    }
}

pub fn id(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let Some(folder) = std::env::var_os("EYEMOTION_STRIPE_ANSWERS") else {
            return;
        };
        let answers: Vec<Value> = self
            .fake
            .answers()
            .into_iter()
            .map(|(method, path, status, body)| {
                json!({ "method": method, "path": path, "status": status, "body": body })
            })
            .collect();
        let name = std::thread::current()
            .name()
            .unwrap_or("a-test")
            .replace("::", "-");
        let file = PathBuf::from(folder).join(format!("answers-{name}.json"));
        std::fs::write(file, Value::Array(answers).to_string()).unwrap();
    }
}
