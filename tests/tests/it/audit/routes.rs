use super::calls::{Call, Log, Stage};
use eyemotion_testkit::{Answer, Contract, Operation};
use reqwest::Method;
use serde_json::Value;
use std::fmt::Write;

/// Operations with an unsafe method that leave no line, and why.
const SILENT: &[(&str, &str)] = &[
    (
        "addIdentity",
        "begins a flow; what changes the account is its end, and that is noted",
    ),
    (
        "beginOauth",
        "begins a flow of somebody unknown; what comes of it is noted at its end",
    ),
    (
        "finishOauth",
        "needs a provider: the tests of the federation look at its line",
    ),
    (
        "forgotPassword",
        "changes nothing and must not tell, by a line either, who has an account",
    ),
    ("getEntries", "reads; it is a POST because of its many keys"),
    (
        "openPortal",
        "opens a page of Stripe's; what is done there comes back as events",
    ),
    (
        "receiveStripeEvent",
        "the event itself is kept; what it changes is noted by the job that works on it",
    ),
    ("resendConfirmation", "as forgotPassword"),
    ("sendMagicLink", "as forgotPassword"),
    (
        "sendReauthenticationCode",
        "mails a code; what the code is used for is noted",
    ),
    (
        "syncCheckout",
        "asks for what Stripe has; what that changes is noted as the platform's, as after an event",
    ),
    (
        "uploadFile",
        "carries bytes for a grant that is noted, up to a confirmation that is noted",
    ),
];

fn changing() -> impl Iterator<Item = &'static Operation> {
    let operations = Contract::published().operations.iter();
    operations.filter(|operation| operation.method != Method::GET)
}

/// What the log says of a request.
#[derive(Debug)]
struct Line {
    user: Option<String>,
    actor: Option<String>,
    action: String,
    session: bool,
}

async fn lines(stage: &Stage, answer: &Answer) -> Vec<Line> {
    let sql = "SELECT user_id::text, details ->> 'actor', action, session_id IS NOT NULL
        FROM activity_logs WHERE request_id = $1 ORDER BY created_at, id";
    let id = answer.header("x-request-id").unwrap();
    let admin = stage.app.database.admin().await;
    let rows = admin.query(sql, &[&id]).await.unwrap();
    rows.iter()
        .map(|row| Line {
            user: row.get(0),
            actor: row.get(1),
            action: row.get(2),
            session: row.get(3),
        })
        .collect()
}

/// What is wrong with the lines that a successful call has left.
fn fault(operation: &Operation, call: &Call, answer: &Answer, lines: &[Line]) -> Option<String> {
    if !(200..300).contains(&answer.status) {
        return Some(format!("{} {}", answer.status, answer.body));
    }
    let [line] = lines else {
        return Some(format!("{} lines: {lines:?}", lines.len()));
    };
    let caller = call.client.user();
    let owner = match &call.log {
        Log::Callers => caller,
        Log::Of(user) => user,
        Log::New => answer.body["user"]["id"].as_str().unwrap_or("nobody's"),
    };
    let named = line.actor.as_deref();
    let actor_is_right = if !operation.is_secured() {
        // Nobody has signed in yet: it was the platform, or whoever has just proved who they are.
        named.is_some_and(|name| name.starts_with("system:")) || named.is_none() && line.session
    } else if owner == caller {
        named.is_none() && line.session
    } else {
        named == Some(&format!("user:{caller}"))
    };
    let good = line.user.as_deref() == Some(owner) && actor_is_right && !line.action.is_empty();
    (!good).then(|| format!("{line:?}, in the log of {owner}, by {caller}"))
}

#[tokio::test]
async fn every_operation_that_changes_something_leaves_one_line() {
    let stage = Stage::new().await;
    let mut wrong = String::new();
    let mut called = 0;
    for operation in changing() {
        if SILENT.iter().any(|(id, _)| *id == operation.id) {
            continue;
        }
        let Some(call) = stage.prepare(&operation.id).await else {
            writeln!(
                wrong,
                "{}: say in audit/calls.rs how to call it",
                operation.id
            )
            .unwrap();
            continue;
        };
        called += 1;
        let request = call.request.try_clone().unwrap();
        let answer = call.client.send(request).await;
        let lines = lines(&stage, &answer).await;
        if let Some(fault) = fault(operation, &call, &answer, &lines) {
            writeln!(wrong, "{}: {fault}", operation.id).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(called > 30, "{called} operations were called");
}

#[test]
fn what_leaves_no_line_is_there_and_says_why() {
    for (id, reason) in SILENT {
        assert!(
            changing().any(|operation| operation.id == *id),
            "{id} is no more"
        );
        assert!(reason.len() > 10, "{id}");
    }
}

/// What an admin reads of it, and what the person does.
#[tokio::test]
async fn admins_read_the_whole_log_and_people_their_own() {
    let stage = Stage::new().await;
    let person = stage.app.register("watched@example.com").await;
    let ban = serde_json::json!({ "reason": "spam" });
    let path = format!("/admin/users/{}/ban", person.user());
    stage.root.post(&path, &ban).await.expect(200);
    stage.root.delete(&path).await.expect(200);

    let whole = format!("/admin/audit?userId={}&limit=100", person.user());
    let whole = stage.root.get(&whole).await.expect(200);
    let actions = |body: &Value, name: &str| -> Vec<String> {
        let entries = body[name].as_array().unwrap().iter();
        entries
            .map(|entry| entry["action"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected = ["account.unbanned", "account.banned", "account.registered"];
    assert_eq!(actions(&whole, "entries"), expected);
    let root = format!("user:{}", stage.root.user());
    assert_eq!(whole["entries"][1]["actor"], root.as_str());
    assert_eq!(whole["entries"][1]["details"]["reason"], "spam");
    assert_eq!(whole["entries"][1]["ipAddress"], "127.0.0.1");
    assert_eq!(whole["entries"][2]["actor"], "system:auth");

    let acts = format!(
        "/admin/audit?actorId={}&action=account.banned",
        stage.root.user()
    );
    let acts = stage.root.get(&acts).await.expect(200);
    assert_eq!(acts["entries"][0], whole["entries"][1]);
    let first = whole["entries"][1]["createdAt"].as_str().unwrap();
    for (bound, found) in [("from", 2), ("to", 1)] {
        let path = format!("/admin/audit?userId={}&{bound}={first}", person.user());
        let some = stage.root.get(&path).await.expect(200);
        // Moments are shown in milliseconds and kept in microseconds.
        let count = actions(&some, "entries").len();
        assert!((found..=found + 1).contains(&count), "{bound}: {count}");
    }
    let page = format!("/admin/audit?userId={}&limit=2", person.user());
    let page = stage.root.get(&page).await.expect(200);
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = format!(
        "/admin/audit?userId={}&limit=2&cursor={cursor}",
        person.user()
    );
    let rest = stage.root.get(&rest).await.expect(200);
    assert_eq!(actions(&rest, "entries"), ["account.registered"]);
    assert!(rest.get("nextCursor").is_none());

    let sign_in =
        serde_json::json!({ "email": "watched@example.com", "password": "correct horse" });
    let mut person = person.signed_out();
    person.take_session(&person.post("/auth/signin", &sign_in).await.expect(200));
    let own = person.get("/auth/activity").await.expect(200);
    assert_eq!(actions(&own, "activity")[1..], expected);
    assert_eq!(own["activity"][0]["by"], "you");
    assert_eq!(own["activity"][0]["ipAddress"], "127.0.0.1");
    assert_eq!(own["activity"][2]["by"], "operator");
    assert!(
        own["activity"][2]["ipAddress"].is_null(),
        "from where operators act is theirs"
    );
    assert!(!own["activity"].to_string().contains(stage.root.user()));
    assert_eq!(own["activity"][3]["by"], "platform");
    let refused = person.get("/admin/audit").await;
    assert_eq!(refused.problem(403), "forbidden");
}
