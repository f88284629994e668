use super::stage::{Run, Stage, leave};
use crate::api::mailbox::{letter, letters, settled};
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn who_thinks_better_of_it_in_time_loses_nothing() {
    let stage = Stage::new().await;
    let maker = stage.filmmaker().await;
    let address = stage.address(&maker.person).await;
    let answer = maker
        .person
        .post("/auth/account/deletion", &json!({}))
        .await
        .expect(202);
    let (asked, due) = (
        &answer["deletion"]["requestedAt"],
        &answer["deletion"]["dueAt"],
    );
    let moment = |value: &serde_json::Value| -> chrono::DateTime<chrono::Utc> {
        value.as_str().unwrap().parse().unwrap()
    };
    assert_eq!(moment(due) - moment(asked), Duration::days(14));
    // Every session has ended; who signs in can do nothing but undo it.
    assert_eq!(
        maker.person.get("/auth/me").await.problem(401),
        "session_ended"
    );
    let back = stage.sign_in(&address).await;
    for path in ["/auth/me", "/projects/user/me", "/payments/subscription"] {
        let refused = back.get(path).await;
        assert_eq!(refused.problem(401), "account_deletion_scheduled", "{path}");
        assert_eq!(
            refused.body["dueAt"].as_str().map(|due| due.len() > 10),
            Some(true)
        );
    }
    let status = back.get("/auth/account/deletion").await.expect(200);
    assert_eq!(status["deletion"], answer["deletion"]);
    let again = back
        .post("/auth/account/deletion", &json!({}))
        .await
        .expect(202);
    assert_eq!(again["deletion"], answer["deletion"]);

    stage.clock.advance(Duration::days(13));
    stage.erase_nothing().await;
    let back = stage.sign_in(&address).await;
    back.post("/auth/account/deletion/undo", &json!({}))
        .await
        .expect(200);
    let none = back.post("/auth/account/deletion/undo", &json!({})).await;
    assert_eq!(none.problem(404), "deletion_not_found");
    back.get("/auth/me").await.expect(200);
    stage.clock.advance(Duration::days(30));
    stage.erase_nothing().await;
    let back = stage.sign_in(&address).await;
    let project = back
        .get(&format!("/projects/{}", maker.project))
        .await
        .expect(200);
    assert_eq!(project["project"]["fileCount"], 1);
    assert_eq!(stage.drift().await, 0);
}

#[tokio::test]
async fn the_mailed_link_keeps_the_account_once() {
    let stage = Stage::new().await;
    let person = stage.app.register("film@example.com").await;
    leave(&person).await;
    let mail = letter(&stage.app, "film@example.com", 1).await;
    assert_eq!(mail.template, "account_deletion_scheduled");
    let undo = json!({ "token": mail.token() });
    let anyone = stage.app.anonymous();
    let path = "/auth/account/deletion/undo-by-mail";
    // Mails are in the order of their times.
    stage.clock.advance(Duration::seconds(1));
    anyone.post(path, &undo).await.expect(200);
    let refused = async |token: &str| {
        let answer = anyone.post(path, &json!({ "token": token })).await;
        answer.problem(403).to_owned()
    };
    let known = refused(&mail.token()).await;
    assert_eq!(refused("eye_ot_x").await, known);
    let back = stage.sign_in("film@example.com").await;
    back.get("/auth/me").await.expect(200);
    let mail = letter(&stage.app, "film@example.com", 2).await;
    assert_eq!(mail.template, "account_deletion_cancelled");

    // A link of an earlier deletion does not undo a later one.
    stage.clock.advance(Duration::seconds(1));
    leave(&back).await;
    assert_eq!(refused(undo["token"].as_str().unwrap()).await, known);
    assert_eq!(stage.count("auth.account_deletions").await, 1);

    // The server's own page: looking at it changes nothing, its button does.
    let token = letter(&stage.app, "film@example.com", 3).await.token();
    let page = format!("//auth/keep-account?token={token}");
    let seen = anyone.request(Method::GET, &page).send().await.unwrap();
    assert!(seen.text().await.unwrap().contains("Keep your account"));
    assert_eq!(stage.count("auth.account_deletions").await, 1);
    let button = anyone
        .request(Method::POST, "//auth/keep-account")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"));
    let done = button.send().await.unwrap().text().await.unwrap();
    assert!(done.contains("Your account stays"), "{done}");
    assert_eq!(stage.count("auth.account_deletions").await, 0);
}

#[tokio::test]
async fn after_the_window_nothing_is_left_of_the_person() {
    let stage = Stage::new().await;
    let maker = stage.filmmaker().await;
    let other = stage.filmmaker().await;
    let (person, stranger) = (
        maker.person.user().to_owned(),
        other.person.user().to_owned(),
    );
    let address = stage.address(&maker.person).await;
    assert!(!stage.objects_with(&person).is_empty());
    leave(&maker.person).await;
    settled(&stage.app).await;
    let sums = "select account_kind || ' ' || total from (
        select split_part(account, ':', 1) || ':' || case when account like 'user:%'
            then split_part(account, ':', 3) else split_part(account, ':', 2) end as account_kind,
            sum(amount) as total from credit_entries group by 1) s order by 1";
    let (books, entries) = (stage.texts(sums).await, stage.count("credit_entries").await);
    let theirs = stage.tables_with(&stranger).await;

    stage.clock.advance(Duration::days(14));
    stage.erase_wholly().await;
    assert_eq!(stage.tables_with(&person).await, [""; 0]);
    assert_eq!(stage.tables_with(&address).await, [""; 0]);
    assert!(stage.objects_with(&person).is_empty());
    // The books are as they were, under another name.
    assert_eq!(stage.texts(sums).await, books);
    assert_eq!(stage.count("credit_entries").await, entries);
    assert_eq!(stage.drift().await, 0);
    let renamed = "credit_wallets w join auth.users u on u.id = w.user_id
        where u.email = u.id || '@deleted.invalid' and u.deleted_at is not null";
    assert_eq!(stage.count(renamed).await, 1);
    // The neighbour has not noticed.
    assert_eq!(stage.tables_with(&stranger).await, theirs);
    assert!(!stage.objects_with(&stranger).is_empty());
    // And what happened is still in the log, of nobody.
    let log = "activity_logs where action = 'file.upload_confirmed' and ip_address is null
        and user_agent is null and session_id is null and details = '{}'";
    assert_eq!(stage.count(log).await, 1);
    let mails = letters(&stage.app, &address);
    assert_eq!(mails.last().unwrap().template, "account_deleted");
    // The address is free again, and whoever takes it is somebody else.
    let newcomer = stage.app.register(&address).await;
    assert_ne!(newcomer.user(), person);
}

#[tokio::test]
async fn a_deletion_needs_a_fresh_proof() {
    let stage = Stage::new().await;
    let mut person = stage.app.person().await;
    stage.clock.advance(Duration::seconds(599));
    let refresh = json!({ "refreshToken": person.session.as_ref().unwrap().refresh_token });
    let answer = person.post("/auth/refresh", &refresh).await.expect(200);
    let token = answer["session"]["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    person.session.as_mut().unwrap().access_token = token;
    stage.clock.advance(Duration::seconds(2));
    for path in ["/auth/account/deletion", "/auth/account/export"] {
        let answer = person.post(path, &json!({})).await;
        assert_eq!(answer.problem(403), "reauthentication_needed", "{path}");
    }
    assert_eq!(stage.count("auth.account_deletions").await, 0);
}

#[tokio::test]
async fn somebody_who_gives_roles_is_left() {
    let stage = Stage::with_undo_days(0).await;
    let (one, two) = (stage.app.person().await, stage.app.person().await);
    let promote = format!(
        "update user_profiles set role = 'super_admin' where id = '{}'",
        one.user()
    );
    stage.execute(&promote).await;
    let refused = one.post("/auth/account/deletion", &json!({})).await;
    assert_eq!(refused.problem(409), "last_super_admin");
    stage
        .execute("update user_profiles set role = 'super_admin'")
        .await;
    // Who asks first, goes.
    let body = json!({});
    let answers = tokio::join!(
        one.post("/auth/account/deletion", &body),
        two.post("/auth/account/deletion", &body)
    );
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    stage.erase_wholly().await;
    assert_eq!(
        stage
            .count("user_profiles where role = 'super_admin'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_backup_does_not_bring_anybody_back() {
    let stage = Stage::with_undo_days(0).await;
    let person = stage.app.register("film@example.com").await;
    leave(&person).await;
    stage.erase_wholly().await;
    let id = person.user();
    let restored = format!(
        "insert into auth.users (id, email) values ('{id}', 'film@example.com');
         insert into user_profiles (id, full_name) values ('{id}', 'A Person')"
    );
    stage.execute(&restored).await;
    assert_eq!(stage.run("auth.honour_tombstones").await, Run::Done);
    stage.clock.advance(Duration::minutes(1));
    stage.erase_wholly().await;
    assert_eq!(stage.tables_with(id).await, [""; 0]);
    assert_eq!(stage.tables_with("film@example.com").await, [""; 0]);
}

impl Stage {
    /// The job runs, and nobody's time has come.
    async fn erase_nothing(&self) {
        assert_eq!(self.erase().await, Run::Done);
        assert_eq!(self.erase().await, Run::Done);
        assert_eq!(
            self.count("auth.users where deleted_at is not null").await,
            0
        );
    }
}
