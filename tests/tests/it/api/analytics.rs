//! The figures of the business over HTTP.

use super::kv::admin;
use eyemotion_testkit::{Client, TestApp};
use serde_json::{Value, json};

/// Somebody on creator, who has just paid for it with tax and bought credits.
async fn subscriber(app: &TestApp) -> Client {
    let person = app.person().await;
    let sql = format!(
        "update subscriptions set plan_id = (select id from subscription_plans where name = 'creator'),
             recurring_amount = 29900, state_since = now() where user_id = '{id}';
         insert into payment_transactions (user_id, amount, tax_amount, status, transaction_type, plan_id, processed_at)
         select '{id}', 31993, 2093, 'completed', 'subscription', id, now()
         from subscription_plans where name = 'creator';
         insert into payment_transactions (user_id, amount, status, transaction_type, processed_at)
         values ('{id}', 5000, 'completed', 'credit_purchase', now())",
        id = person.user()
    );
    let superuser = app.database.admin().await;
    superuser.batch_execute(&sql).await.unwrap();
    person
}

/// The sum of a member over all days.
fn sum(days: &Value, member: &str) -> i64 {
    let days = days.as_array().unwrap();
    days.iter().map(|day| day[member].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn operators_see_the_money() {
    let app = TestApp::start().await;
    let operator = admin(&app).await;
    let person = subscriber(&app).await;
    let answer = operator.get("/admin/analytics/financial?period=7d").await;
    let analytics = answer.expect(200)["analytics"].clone();
    let summary = &analytics["summary"];
    for (member, value) in [
        ("period", json!("7d")),
        ("currency", json!("THB")),
        ("timeZone", json!("Asia/Bangkok")),
        // 31993 - 2093 + 5000
        ("totalRevenue", json!(34_900)),
        // 34900 / 7 = 4985.7
        ("avgDailyRevenue", json!(4_986)),
        ("mrr", json!(29_900)),
        ("arr", json!(358_800)),
        ("arpu", json!(29_900)),
        ("ltv", Value::Null),
        ("churnRate", Value::Null),
        ("payingSubscribers", json!(1)),
    ] {
        assert_eq!(summary[member], value, "{member}: {summary:#}");
    }
    let (revenue, growth) = (&analytics["dailyRevenue"], &analytics["subscriptionGrowth"]);
    assert_eq!(revenue.as_array().unwrap().len(), 7);
    assert_eq!(
        (sum(revenue, "revenue"), sum(revenue, "tax")),
        (34_900, 2_093)
    );
    assert_eq!((sum(growth, "new"), sum(growth, "churned")), (1, 0));
    let plans = json!([
        { "plan": "creator", "revenue": 29_900, "mrr": 29_900, "subscribers": 1 },
        { "plan": null, "revenue": 5_000, "mrr": 0, "subscribers": 0 },
    ]);
    assert_eq!(analytics["revenueByPlan"], plans);
    assert_eq!(analytics["transactions"].as_array().unwrap().len(), 2);
    assert_eq!(analytics["transactions"][0]["userId"], person.user());

    let cohorts = operator.get("/admin/analytics/cohorts").await.expect(200);
    assert_eq!(cohorts["cohorts"][0]["size"], 1);
    assert_eq!(cohorts["cohorts"][0]["retention"][0]["share"], 1.0);
}

#[tokio::test]
async fn the_dashboard_tells_of_people_money_and_projects() {
    let app = TestApp::start().await;
    let operator = admin(&app).await;
    let person = subscriber(&app).await;
    for name in ["One", "Two", "Three"] {
        let body = json!({ "name": name });
        person.post("/projects", &body).await.expect(201);
    }
    let dashboard = operator.get("/admin/dashboard").await.expect(200)["dashboard"].clone();
    assert_eq!(dashboard["users"]["total"], 2);
    assert_eq!(dashboard["users"]["growthRate"], Value::Null);
    let subscriptions = json!({ "total": 2, "paid": 1, "free": 1, "conversionRate": 0.5 });
    assert_eq!(dashboard["subscriptions"], subscriptions);
    let revenue = &dashboard["revenue"];
    assert_eq!(
        (&revenue["total"], &revenue["mrr"]),
        (&json!(34_900), &json!(29_900))
    );
    assert_eq!(revenue["arpu"], 29_900);
    let projects = json!({ "total": 3, "active": 3, "completed": 0, "avgPerUser": 1.5 });
    assert_eq!(dashboard["projects"], projects);
    let distributions = json!({
        "plans": [{ "plan": "freemium", "count": 1 }, { "plan": "creator", "count": 1 }],
        "countries": [{ "country": "Thailand", "count": 2 }],
    });
    assert_eq!(dashboard["distributions"], distributions);
}

#[tokio::test]
async fn only_operators_see_figures_and_only_known_ones() {
    let app = TestApp::start().await;
    let (operator, person) = (admin(&app).await, app.person().await);
    let financial = "/admin/analytics/financial";
    for path in ["/admin/dashboard", financial, "/admin/analytics/cohorts"] {
        assert_eq!(person.get(path).await.problem(403), "forbidden");
        assert_eq!(app.anonymous().get(path).await.status, 401);
    }
    for (query, pointer) in [
        ("period=2d", "period"),
        ("period=", "period"),
        ("currency=baht", "currency"),
        ("currency=%E0%B8%BF", "currency"),
    ] {
        let answer = operator.get(&format!("{financial}?{query}")).await;
        assert_eq!(answer.problem(422), "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{query}");
    }
    let unknown = operator.get(&format!("{financial}?days=7")).await;
    assert_eq!(unknown.problem(400), "unknown_query_parameter");
    for period in ["7d", "30d", "90d", "1y"] {
        let answer = operator.get(&format!("{financial}?period={period}")).await;
        assert_eq!(
            answer.expect(200)["analytics"]["summary"]["totalRevenue"],
            0
        );
    }
}
