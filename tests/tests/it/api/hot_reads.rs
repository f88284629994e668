//! What is kept in memory is right all the same: on two processes of one installation.

use chrono::{DateTime, Utc};
use eyemotion_billing::CreditGrant;
use eyemotion_core::{Credits, Ctx};
use eyemotion_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How old what is answered may be after a change elsewhere.
const BOUND: Duration = Duration::from_secs(1);

/// What of an account is kept in memory.
const HOT: [&str; 4] = [
    "/auth/me",
    "/auth/profile",
    "/payments/credits",
    "/payments/subscription",
];

async fn execute(app: &TestApp, sql: &str) {
    app.database.admin().await.batch_execute(sql).await.unwrap();
}

/// Asks until it is so; who asks later than the bound after the change must be told so.
async fn until(client: &Client, path: &str, so: impl Fn(&Answer) -> bool) -> Answer {
    let changed = Instant::now();
    loop {
        let asked = changed.elapsed();
        let answer = client.get(path).await;
        if so(&answer) {
            return answer;
        }
        assert!(asked < BOUND, "{asked:?} after the change: {answer:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_refused(client: &Client) {
    let refused = until(client, "/auth/me", |answer| answer.status != 200).await;
    assert_eq!(refused.problem(401), "session_ended");
    assert_eq!(
        client.get("/projects").await.problem(401),
        "session_ended",
        "every route asks"
    );
}

async fn sign_in(app: &TestApp, email: &str) -> Client {
    let mut client = app.anonymous();
    let body = json!({ "email": email, "password": "correct horse" });
    let answer = client.post("/auth/signin", &body).await.expect(200);
    client.take_session(&answer);
    client
}

/// Somebody new whom the command line has given a role.
async fn operator(app: &TestApp, role: &str) -> Client {
    let client = app.register(&format!("{role}@example.com")).await;
    let sql = format!(
        "update public.user_profiles set role = '{role}' where id = '{}'",
        client.user()
    );
    execute(app, &sql).await;
    let path = "/auth/me";
    until(&client, path, |me| {
        me.body["user"]["profile"]["role"] == role
    })
    .await;
    client
}

#[tokio::test]
async fn whoever_is_out_on_one_replica_is_out_on_the_other_within_a_second() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let admin = operator(&app, "super_admin").await;

    let ways: [&str; 7] = [
        "signed out",
        "revoked",
        "all ended by an admin",
        "banned",
        "deleted by hand",
        "expired by hand",
        "removed by hand",
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let email = format!("person{number}@example.com");
        let person = app.register(&email).await;
        let second = sign_in(&app, &email).await;
        let there = replica.client(&person);
        for client in [&person, &there] {
            client.get("/auth/me").await.expect(200);
            client.get("/auth/me").await.expect(200);
        }
        let user = person.user().to_owned();
        let on_user = |what: &str| format!("{what} where id = '{user}'");
        match way {
            "signed out" => drop(person.post("/auth/signout", &json!({})).await.expect(200)),
            "revoked" => {
                let list = person.get("/auth/sessions").await.expect(200);
                let sessions = list["sessions"].as_array().unwrap();
                let mine = sessions.iter().find(|session| session["current"] == true);
                let path = format!("/auth/sessions/{}", mine.unwrap()["id"].as_str().unwrap());
                assert!(second.delete(&path).await.status < 300);
            }
            "all ended by an admin" => {
                let path = format!("/admin/users/{user}/sessions");
                assert!(admin.delete(&path).await.status < 300);
            }
            "banned" => {
                let path = format!("/admin/users/{user}/ban");
                let ban = json!({ "reason": "a test" });
                admin.post(&path, &ban).await.expect(200);
            }
            "deleted by hand" => {
                execute(&app, &on_user("update auth.users set deleted_at = now()")).await;
            }
            "expired by hand" => {
                let sql =
                    format!("update auth.sessions set expires_at = now() where user_id = '{user}'");
                execute(&app, &sql).await;
            }
            _ => {
                let sql = format!("delete from auth.sessions where user_id = '{user}'");
                execute(&app, &sql).await;
            }
        }
        if !way.ends_with("by hand") {
            let here = person.get("/auth/me").await;
            assert_eq!(here.problem(401), "session_ended", "{way}: at once");
        }
        until_refused(&there).await;
        until_refused(&person).await;
    }
    replica.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn the_present_role_counts_and_not_the_tokens() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let first = operator(&app, "super_admin").await;
    let second = operator(&app, "admin").await;
    let there = replica.client(&second);
    there.get("/admin/users").await.expect(200);
    let path = format!("/admin/users/{}/role", second.user());
    for (role, status) in [("user", 403), ("admin", 200), ("user", 403)] {
        first.put(&path, &json!({ "role": role })).await.expect(200);
        // At once where it was changed.
        assert_eq!(second.get("/admin/users").await.status, status, "{role}");
        until(&there, "/admin/users", |answer| answer.status == status).await;
        // Whoever is no admin any more is still somebody.
        let me = there.get("/auth/me").await.expect(200);
        assert_eq!(me["user"]["profile"]["role"], role);
    }
    replica.stop().await;
    app.stop().await;
}

/// Of every kind of change, by the process that is asked next.
#[tokio::test]
async fn an_own_change_is_in_the_next_answer() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let services = app.services();
    let mut credits = 100;
    for round in 1..=30_i64 {
        for path in HOT {
            person.get(path).await.expect(200);
        }
        let name = format!("Name {round}");
        let written = person
            .put("/auth/profile", &json!({ "fullName": name }))
            .await;
        let tag = written.header("etag").unwrap().to_owned();
        written.expect(200);
        let profile = person.get("/auth/profile").await;
        assert_eq!(profile.header("etag"), Some(tag.as_str()));
        assert_eq!(profile.body["profile"]["fullName"], name);
        let me = person.get("/auth/me").await.expect(200);
        assert_eq!(me["user"]["profile"]["fullName"], name);

        let grant = CreditGrant {
            user: person.user().parse().unwrap(),
            credits: Credits(round),
            reason: "a test".to_owned(),
        };
        services
            .billing
            .grant(&Ctx::system("test"), grant)
            .await
            .unwrap();
        credits += round;
        let me = person.get("/auth/me").await.expect(200);
        assert_eq!(me["user"]["subscription"]["creditsRemaining"], credits);
        let balance = person.get("/payments/credits").await.expect(200);
        assert_eq!(balance["credits"]["balance"], credits);
        let subscription = person.get("/payments/subscription").await.expect(200);
        assert_eq!(subscription["subscription"]["creditsRemaining"], credits);
        assert_eq!(subscription["subscription"], me["user"]["subscription"]);
    }
    // An If-Match that was right before the last change is not any more.
    let stale = person
        .request(reqwest::Method::PUT, "/auth/profile")
        .header("if-match", "\"1\"")
        .json(&json!({ "fullName": "Late" }));
    assert_eq!(person.send(stale).await.problem(412), "version_mismatch");
    app.stop().await;
}

/// What a client is told, and its version.
async fn told(client: &Client) -> Vec<(u16, Option<String>, Value)> {
    let mut told = Vec::new();
    for path in HOT {
        let mut answer = client.get(path).await;
        if let Some(problem) = answer.body.as_object_mut() {
            problem.remove("requestId");
        }
        let tag = answer.header("etag").map(ToOwned::to_owned);
        told.push((answer.status, tag, answer.body));
    }
    told
}

/// One of the changes that reach an account, by one of the ways in which it can come.
async fn change(app: &TestApp, by: &Client, email: &str, dice: u64) {
    let user = by.user();
    let number = dice >> 8;
    match dice % 10 {
        0 => {
            let name = json!({ "fullName": format!("Name {number}") });
            by.put("/auth/profile", &name).await.expect(200);
        }
        1 => {
            let preferences = json!({ "preferences": { "n": number, "gone": null } });
            by.put("/auth/profile", &preferences).await.expect(200);
        }
        2 => drop(sign_in(app, email).await),
        3 => {
            let refresh = &by.session.as_ref().unwrap().refresh_token;
            let body = json!({ "refreshToken": refresh });
            by.signed_out().post("/auth/refresh", &body).await;
        }
        4 => {
            let sql = format!(
                "insert into credit_lots (user_id, kind, granted, remaining, source_type, source_id)
                 values ('{user}', 'bonus', {n}, {n}, 'test', gen_random_uuid()::text)",
                n = number % 100 + 1
            );
            execute(app, &sql).await;
        }
        5 => {
            let sql = format!(
                "update credit_lots set remaining = remaining / 2 where user_id = '{user}'"
            );
            execute(app, &sql).await;
        }
        6 => {
            let sql = format!(
                "insert into storage_quotas (user_id, limit_bytes, used_bytes) values ('{user}', 1000000, {n})
                 on conflict (user_id) do update set used_bytes = excluded.used_bytes",
                n = number % 1000
            );
            execute(app, &sql).await;
        }
        7 => {
            let sql = format!(
                "update subscription_plans set display_name = 'Plan {number}' where name = 'freemium'"
            );
            execute(app, &sql).await;
        }
        8 => {
            let sql = format!(
                "update subscriptions set cancel_at_period_end = not cancel_at_period_end
                 where user_id = '{user}'"
            );
            execute(app, &sql).await;
        }
        _ => {
            let sql = format!(
                "update subscriptions set status = case status when 'active' then 'cancelled' else 'active' end
                 where user_id = '{user}'"
            );
            execute(app, &sql).await;
        }
    }
}

/// Changes at random, by either process and by hand; each time all tell what the process without
/// any memory tells.
#[tokio::test]
async fn with_and_without_memory_the_same_is_told() {
    let app = TestApp::start().await;
    let other = app.replica();
    let without = app.replica_with(|settings| settings.cache.enabled = false);
    let email = "person@example.com";
    let person = app.register(email).await;
    let (there, plain) = (other.client(&person), without.client(&person));
    let seed = u64::try_from(Utc::now().timestamp_micros()).unwrap();
    let mut random = seed;
    for step in 0..60 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let dice = random >> 24;
        let by = if random >> 63 == 0 { &person } else { &there };
        change(&app, by, email, dice).await;
        let own = dice % 10 < 2;
        let changed = Instant::now();
        let truth = told(&plain).await;
        if own {
            assert_eq!(told(by).await, truth, "seed {seed}, step {step}: at once");
        }
        for client in [&person, &there] {
            loop {
                let asked = changed.elapsed();
                let answer = told(client).await;
                if answer == truth {
                    break;
                }
                assert!(
                    asked < BOUND,
                    "seed {seed}, step {step}, dice {dice}: {answer:?} {truth:?}"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    without.stop().await;
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn credits_that_expire_are_gone_when_their_time_is_over() {
    let app = TestApp::start().await;
    let person = app.person().await;
    person.get("/auth/me").await.expect(200);
    let ends_at: DateTime<Utc> = Utc::now() + chrono::TimeDelta::milliseconds(1500);
    let sql = format!(
        "insert into credit_lots (user_id, kind, granted, remaining, source_type, source_id, expires_at)
         values ('{}', 'bonus', 50, 50, 'test', 'short', '{ends_at}')",
        person.user()
    );
    execute(&app, &sql).await;
    let credits = |answer: &Answer| answer.body["user"]["subscription"]["creditsRemaining"].clone();
    until(&person, "/auth/me", |answer| credits(answer) == 150).await;
    loop {
        let asked = Utc::now();
        let me = person.get("/auth/me").await;
        if credits(&me) == 100 {
            break;
        }
        assert!(asked < ends_at, "{asked} {ends_at} {me:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(Utc::now() >= ends_at);
    let balance = person.get("/payments/credits").await.expect(200);
    assert_eq!(balance["credits"]["balance"], 100);
    app.stop().await;
}

/// Nobody tells of a session that was used again before it ran out: it is asked for.
#[tokio::test]
async fn a_session_that_was_refreshed_in_time_goes_on() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let person = app.person().await;
    let ends_at = Utc::now() + chrono::TimeDelta::milliseconds(1500);
    let sql = format!("update auth.sessions set idle_expires_at = '{ends_at}'");
    execute(&app, &sql).await;
    let there = replica.client(&person);
    there.get("/auth/me").await.expect(200);
    let body = json!({ "refreshToken": person.session.as_ref().unwrap().refresh_token });
    person.post("/auth/refresh", &body).await.expect(200);
    while Utc::now() <= ends_at {
        there.get("/auth/me").await.expect(200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    there.get("/auth/me").await.expect(200);
    replica.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn nothing_old_is_served_while_nobody_listens() {
    let app = TestApp::start().await;
    let kill = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
                where query like 'LISTEN \"changes\"%' and datname = current_database()";
    for round in 0..3 {
        let person = app.person().await;
        for _ in 0..3 {
            person.get("/auth/me").await.expect(200);
        }
        execute(&app, kill).await;
        let sql = format!(
            "update auth.users set banned_until = '9999-12-31' where id = '{}'",
            person.user()
        );
        execute(&app, &sql).await;
        until_refused(&person).await;
        // Back again, it hears of the next change.
        let lift = format!(
            "update auth.users set banned_until = null where id = '{}'",
            person.user()
        );
        execute(&app, &lift).await;
        let name = format!("Name {round}");
        until(&person, "/auth/me", |answer| answer.status == 200).await;
        let rename = format!(
            "update user_profiles set full_name = '{name}' where id = '{}'",
            person.user()
        );
        execute(&app, &rename).await;
        until(&person, "/auth/me", |me| {
            me.body["user"]["profile"]["fullName"] == name.as_str()
        })
        .await;
    }
    app.stop().await;
}

/// With nothing kept, the session is looked at in one flight with what is read.
#[tokio::test]
async fn whoever_is_out_reads_nothing_where_nothing_is_kept() {
    let app = TestApp::start_with(|settings| settings.cache.enabled = false).await;
    let person = app.register("person@example.com").await;
    let project = json!({ "name": "A film" });
    let created = person.post("/projects", &project).await.expect(201);
    let id = created["project"]["id"].as_str().unwrap().to_owned();
    let reads = ["/auth/me".to_owned(), format!("/projects/{id}/files")];
    let answers = async |status: u16| {
        for path in &reads {
            let answer = person.get(path).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
        }
    };
    let set = async |table: &str, change: &str, key: &str| {
        let user = person.user();
        let sql = format!("update {table} set {change} where {key} = '{user}'");
        execute(&app, &sql).await;
    };
    answers(200).await;
    // No longer what the token says, which is no reason to turn anybody away.
    set("public.user_profiles", "role = 'admin'", "id").await;
    answers(200).await;
    set("public.user_profiles", "role = 'user'", "id").await;
    for (change, back) in [
        (
            "banned_until = now() + interval '1 day'",
            "banned_until = null",
        ),
        ("deleted_at = now()", "deleted_at = null"),
    ] {
        set("auth.users", change, "id").await;
        answers(401).await;
        set("auth.users", back, "id").await;
        answers(200).await;
    }
    // Nobody's project is nobody's: the look at an empty list takes the long way.
    let strange = format!("/projects/{}/files", person.user());
    assert_eq!(person.get(&strange).await.problem(404), "project_not_found");
    set("auth.sessions", "revoked_at = now()", "user_id").await;
    answers(401).await;
    for path in &reads {
        assert_eq!(person.get(path).await.problem(401), "session_ended");
    }
}
