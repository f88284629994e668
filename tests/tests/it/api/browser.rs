//! A browser, as far as signing in through a provider needs one.

use eyemotion_testkit::{Answer, Client};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url, redirect};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Keeps cookies, follows nothing by itself.
pub struct Browser {
    client: Client,
    outside: reqwest::Client,
    pub cookies: HashMap<String, String>,
}

impl Browser {
    pub fn new(client: Client) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none());
        let http = http.build().unwrap();
        Self {
            client: client.through(http.clone()),
            outside: http,
            cookies: HashMap::new(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let held = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let held = held.collect::<Vec<_>>().join("; ");
        let answer = self.client.send(request.header(COOKIE, held)).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.client.request(Method::POST, path).json(body);
        self.send(request).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.client.request(Method::GET, path);
        self.send(request).await
    }

    /// Where a page of somebody else's leads.
    pub async fn visit(&self, url: &str) -> String {
        let response = self.outside.get(url).send().await.unwrap();
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }
}

/// What `page` hands on, of the address that the browser was led to.
pub fn returned(page: &str, url: &str) -> Value {
    assert!(url.starts_with(page), "{url}");
    let query = query(url);
    json!({ "code": query["code"], "state": query["state"] })
}

pub fn query(url: &str) -> HashMap<String, String> {
    let url: Url = url.parse().unwrap();
    url.query_pairs().into_owned().collect()
}
