use super::unknown_id;
use eyemotion_testkit::{Contract, TestApp};
use std::fmt::Write;

/// The same claims, signed by nobody: header `{"alg":"none","typ":"JWT"}`.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
}

/// The same token with another signature of the right form.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    format!("{signed}.{turned}")
}

#[tokio::test]
async fn whoever_has_no_valid_token_is_refused_everywhere() {
    let app = TestApp::start().await;
    let mut caller = app.person().await;
    let token = caller.session.clone().unwrap().access_token;
    let mut wrong = String::new();
    let secured = Contract::published()
        .operations
        .iter()
        .filter(|it| it.is_secured());
    let mut swept = 0;
    for operation in secured {
        swept += 1;
        let url = operation.url(|_| unknown_id());
        // Nothing else that is wrong with the request is told before.
        let request = |client: &eyemotion_testkit::Client| {
            client
                .request(operation.method.clone(), &url)
                .header("if-match", "?")
                .body("{")
        };
        let answer = caller.send(request(&app.anonymous())).await;
        if answer.status != 401 || answer.problem(401) != "unauthenticated" {
            writeln!(wrong, "{}: no token: {}", operation.id, answer.status).unwrap();
        }
        for rubbish in ["x", "a.b.c", &unsigned(&token), &forged(&token)] {
            caller.session.as_mut().unwrap().access_token = rubbish.to_owned();
            let answer = caller.send(request(&caller)).await;
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let told = challenge.contains("error=\"invalid_token\"");
            if answer.status != 401 || answer.problem(401) != "token_invalid" || !told {
                writeln!(
                    wrong,
                    "{}: {rubbish}: {} {challenge}",
                    operation.id, answer.status
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 20, "{swept} operations were swept");
}
