use super::unknown_id;
use eyemotion_testkit::{Contract, TestApp};
use reqwest::Method;
use std::collections::BTreeMap;
use std::fmt::Write;

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405_and_told_which_it_takes() {
    let app = TestApp::start().await;
    let caller = app.person().await;
    let contract = Contract::published();
    let mut paths: BTreeMap<&str, Vec<&Method>> = BTreeMap::new();
    for operation in &contract.operations {
        paths
            .entry(&operation.path)
            .or_default()
            .push(&operation.method);
    }
    let mut wrong = String::new();
    for operation in &contract.operations {
        let Some(taken) = paths.remove(operation.path.as_str()) else {
            continue;
        };
        let url = operation.url(|_| unknown_id());
        let whole = url.strip_prefix('/').filter(|rest| rest.starts_with('/'));
        let whole = whole.map_or_else(|| format!("/api/v1{url}"), ToOwned::to_owned);
        // `/files/upload-url` is a `/files/{id}`, too.
        let refused = METHODS
            .into_iter()
            .filter(|method| contract.find(method, &whole).is_none());
        for method in refused {
            let answer = caller.send(caller.request(method.clone(), &url)).await;
            let allow = answer.header("allow").unwrap_or_default();
            let mut told: Vec<&str> = allow.split(", ").collect();
            told.sort_unstable();
            let mut expected: Vec<&str> = taken.iter().map(|method| method.as_str()).collect();
            if expected.contains(&"GET") {
                expected.push("HEAD");
            }
            expected.push("OPTIONS");
            expected.sort_unstable();
            if answer.status != 405 || told != expected {
                writeln!(wrong, "{method} {whole}: {}, Allow: {allow}", answer.status).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
