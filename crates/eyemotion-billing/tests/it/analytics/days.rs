use crate::analytics::story::{Story, day, moment};
use crate::world::{as_role, as_user, charge};
use eyemotion_billing::{Analytics, BillingError, ReportPeriod};
use eyemotion_core::{Ctx, Ratio, UserRole};
use eyemotion_ports::CreditLedger;

const MONTHLY: (i64, &str, i32, &str) = (29_900, "month", 1, "THB");

#[tokio::test]
async fn a_day_ends_at_midnight_in_bangkok() {
    let story = Story::at("2027-05-03T12:00:00+07:00", 100).await;
    let (early, late) = (story.world.stranger().await, story.world.stranger().await);
    story
        .begins(
            early,
            "creator",
            "active",
            MONTHLY,
            "2027-05-01T23:59:59.999999+07:00",
        )
        .await;
    // Still 1 May in London.
    story
        .begins(
            late,
            "creator",
            "active",
            MONTHLY,
            "2027-05-02T00:00:00+07:00",
        )
        .await;
    story
        .pays(
            early,
            None,
            (100, 0, "THB"),
            "completed",
            "2027-05-01T23:59:59.999999+07:00",
        )
        .await;
    story
        .pays(
            late,
            None,
            (10, 0, "THB"),
            "completed",
            "2027-05-02T00:00:00+07:00",
        )
        .await;
    let ctx = Ctx::system("test");
    let report = story
        .analytics
        .financial(&ctx, ReportPeriod::Week, None)
        .await
        .unwrap();
    let days: Vec<_> = report
        .days
        .iter()
        .skip(3)
        .map(|each| (each.day, each.subscribers, each.new, each.revenue.net()))
        .collect();
    let expected = [
        (day("2027-04-30"), 0, 0, 0),
        (day("2027-05-01"), 1, 1, 100),
        (day("2027-05-02"), 2, 1, 10),
        (day("2027-05-03"), 2, 0, 0),
    ];
    assert_eq!(days, expected);
    // One minute before the next day it is the same day, one minute later the next one.
    story.until("2027-05-03T23:59:00+07:00");
    assert_eq!(
        story.analytics.refresh(&ctx).await.unwrap().last_day,
        day("2027-05-03")
    );
    story.until("2027-05-04T00:00:00+07:00");
    assert_eq!(
        story.analytics.refresh(&ctx).await.unwrap().last_day,
        day("2027-05-04")
    );
}

#[tokio::test]
async fn what_comes_and_goes_within_a_day_moves_nothing() {
    let story = Story::at("2027-05-03T12:00:00+07:00", 100).await;
    let user = story.world.stranger().await;
    let id = story
        .begins(
            user,
            "creator",
            "active",
            MONTHLY,
            "2027-05-02T08:00:00+07:00",
        )
        .await;
    story.ends(id, "2027-05-02T20:00:00+07:00").await;
    // A new one on the day on which the last one ended: no churn, but an expansion.
    let first = story
        .begins(
            user,
            "creator",
            "active",
            MONTHLY,
            "2027-05-02T21:00:00+07:00",
        )
        .await;
    story.ends(first, "2027-05-03T08:00:00+07:00").await;
    story
        .begins(
            user,
            "pro",
            "active",
            (99_900, "month", 1, "THB"),
            "2027-05-03T09:00:00+07:00",
        )
        .await;
    let ctx = Ctx::system("test");
    let report = story
        .analytics
        .financial(&ctx, ReportPeriod::Week, None)
        .await
        .unwrap();
    let moved = &report.summary.movements;
    assert_eq!(
        (moved.new, moved.churn, moved.expansion),
        (Ratio::whole(29_900), Ratio::ZERO, Ratio::whole(70_000))
    );
    assert_eq!(moved.churned_subscribers, 0);
}

#[tokio::test]
async fn days_made_one_by_one_equal_those_made_at_once() {
    let story = Story::at("2027-03-01T09:00:00+07:00", 100).await;
    let ctx = Ctx::system("test");
    let (ann, ben) = (story.world.stranger().await, story.world.stranger().await);
    let analytics = &story.analytics;
    analytics.refresh(&ctx).await.unwrap();
    let of_ann = story
        .begins(
            ann,
            "creator",
            "active",
            MONTHLY,
            "2027-03-01T10:00:00+07:00",
        )
        .await;
    let paid = story
        .pays(
            ann,
            Some("creator"),
            (31_993, 2_093, "THB"),
            "completed",
            "2027-03-01T10:00:00+07:00",
        )
        .await;
    story.until("2027-03-01T23:50:00+07:00");
    analytics.refresh(&ctx).await.unwrap();
    story.grows_old().await;
    story.until("2027-03-09T10:00:00+07:00");
    story
        .begins(
            ben,
            "pro",
            "active",
            (999_000, "year", 1, "THB"),
            "2027-03-09T10:00:00+07:00",
        )
        .await;
    analytics.refresh(&ctx).await.unwrap();
    story.grows_old().await;
    story
        .moves_to(of_ann, "pro", 99_900, "2027-03-20T10:00:00+07:00")
        .await;
    story
        .refunds(paid, 100, "completed", "2027-03-20T11:00:00+07:00")
        .await;
    story.until("2027-03-21T10:00:00+07:00");
    analytics.refresh(&ctx).await.unwrap();
    story.grows_old().await;
    // Late news: what the bank did eleven days ago.
    story.until("2027-05-01T10:00:00+07:00");
    story
        .disputes(paid, 31_893, "lost", "2027-03-10T11:00:00+07:00")
        .await;
    story.ends(of_ann, "2027-04-30T23:59:59+07:00").await;
    let day_by_day = {
        analytics.refresh(&ctx).await.unwrap();
        story.days().await
    };
    assert!(day_by_day.len() > 60, "{day_by_day:#?}");
    let rebuilt = analytics
        .rebuild(&ctx, day("2027-02-20"), day("2027-05-01"))
        .await
        .unwrap();
    assert_eq!(rebuilt, 71);
    assert_eq!(story.days().await, day_by_day);
    // A part of it, over days that somebody has tampered with.
    let spoil = "update mrr_daily set mrr_num = 1 where day between '2027-03-15' and '2027-03-31'";
    story.world.superuser.execute(spoil, &[]).await.unwrap();
    let spoilt = analytics
        .roll_forward(&ctx, day("2027-03-01"), day("2027-05-01"))
        .await
        .unwrap();
    assert!(spoilt.iter().any(|day| !day.holds()));
    analytics
        .rebuild(&ctx, day("2027-03-15"), day("2027-03-31"))
        .await
        .unwrap();
    assert_eq!(story.days().await, day_by_day);
    for (from, to) in [
        ("2027-03-02", "2027-03-01"),
        ("2027-03-02", "2027-05-02"),
        ("1900-01-01", "2027-05-01"),
    ] {
        let refused = analytics.rebuild(&ctx, day(from), day(to)).await;
        assert!(
            matches!(refused, Err(BillingError::Invalid(_))),
            "{from} {to}"
        );
    }
}

#[tokio::test]
async fn the_history_tells_each_state_and_no_repetition() {
    let story = Story::at("2027-03-01T09:00:00+07:00", 100).await;
    let user = story.world.stranger().await;
    let id = story
        .begins(
            user,
            "creator",
            "active",
            MONTHLY,
            "2027-03-01T10:00:00+07:00",
        )
        .await;
    let run = async |sql: &str| {
        let sql = sql.replace("{id}", &id.to_string());
        story.world.superuser.batch_execute(&sql).await
    };
    // A renewal and a repetition are no other state.
    run("update subscriptions set current_period_end = current_period_end + interval '1 month' where id = '{id}'").await.unwrap();
    run("update subscriptions set status = 'active', recurring_amount = 29900 where id = '{id}'")
        .await
        .unwrap();
    // Whoever does not say when: it is told by what has been set.
    run("update subscriptions set status = 'past_due', past_due_since = '2027-04-01Z' where id = '{id}'").await.unwrap();
    run(
        "update subscriptions set status = 'cancelled', ended_at = '2027-04-08Z' where id = '{id}'",
    )
    .await
    .unwrap();
    // Never before the last one.
    run(
        "update subscriptions set status = 'active', state_since = '2027-01-01Z' where id = '{id}'",
    )
    .await
    .unwrap();
    let rows = story
        .world
        .superuser
        .query(
            "select seq, status, valid_from from subscription_history order by seq",
            &[],
        )
        .await
        .unwrap();
    let states: Vec<(i32, String, chrono::DateTime<chrono::Utc>)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        (1, "active", "2027-03-01T03:00:00Z"),
        (2, "past_due", "2027-04-01T00:00:00Z"),
        (3, "cancelled", "2027-04-08T00:00:00Z"),
        (4, "active", "2027-04-08T00:00:00Z"),
    ];
    assert_eq!(
        states,
        expected.map(|(seq, status, at)| (seq, status.to_owned(), moment(at)))
    );
    for sql in [
        "update subscription_history set status = 'active'",
        "delete from subscription_history",
    ] {
        let error = run(sql).await.unwrap_err();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::RESTRICT_VIOLATION)
        );
    }
}

#[tokio::test]
async fn only_operators_see_the_figures() {
    let story = Story::at("2027-03-01T09:00:00+07:00", 100).await;
    let user = story.world.stranger().await;
    story
        .begins(
            user,
            "creator",
            "active",
            MONTHLY,
            "2027-02-01T10:00:00+07:00",
        )
        .await;
    let person = as_user(user);
    let nobody = Ctx {
        actor: eyemotion_core::Actor::Anonymous,
        ..Ctx::system("")
    };
    let analytics = &story.analytics;
    assert!(matches!(
        analytics.business(&person).await,
        Err(BillingError::Forbidden)
    ));
    assert!(matches!(
        analytics.financial(&person, ReportPeriod::Week, None).await,
        Err(BillingError::Forbidden)
    ));
    assert!(matches!(
        analytics.cohorts(&person, None).await,
        Err(BillingError::Forbidden)
    ));
    assert!(matches!(
        analytics.refresh(&person).await,
        Err(BillingError::Forbidden)
    ));
    assert!(matches!(
        analytics
            .rebuild(&person, day("2027-02-01"), day("2027-02-02"))
            .await,
        Err(BillingError::Forbidden)
    ));
    assert!(matches!(
        analytics.business(&nobody).await,
        Err(BillingError::Unauthenticated)
    ));
    // An admin sees everybody's, through the policies.
    let admin = as_role(story.world.stranger().await, UserRole::Admin);
    let figures = analytics.business(&admin).await.unwrap();
    assert_eq!(
        (figures.mrr, figures.total(), figures.paid()),
        (Ratio::whole(29_900), 1, 1)
    );
    assert_eq!(
        story
            .analytics
            .mrr(&admin, day("2027-02-28"), "THB")
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn credits_are_told_as_the_ledger_has_them() {
    let story = Story::at("2027-03-01T09:00:00+07:00", 100).await;
    let buyer = story.world.buyer(500).await;
    story.world.spend(charge(buyer, 120, "a")).await.unwrap();
    let person = story.world.registered().await;
    story.world.spend(charge(person, 30, "b")).await.unwrap();
    // The free plan's month is over: 70 of its 100 credits go by, 100 new ones come.
    story.until("2027-04-02T09:00:00+07:00");
    let ctx = Ctx::system("test");
    story.world.subscriptions.renew_due(&ctx).await.unwrap();
    let mut tx = story.world.db.begin(&ctx).await.unwrap();
    story.world.ledger.balance(&mut tx, person).await.unwrap();
    drop(tx);
    let report = story
        .analytics
        .financial(&ctx, ReportPeriod::Quarter, None)
        .await
        .unwrap();
    let credits = report.credits;
    assert_eq!((credits.issued.0, credits.consumed.0), (700, 150));
    let expired = story.world.count("select coalesce(sum(amount), 0)::bigint from credit_entries where account = 'system:expired'").await;
    assert_eq!(credits.expired.0, expired);
    let outstanding = story
        .world
        .count("select sum(posted - debt)::bigint from credit_wallets")
        .await;
    assert_eq!(credits.outstanding.0, outstanding);
    assert_eq!(outstanding, 700 - 150 - expired);
    // Within a week of the second of April only the renewal happened.
    let week = story
        .analytics
        .financial(&ctx, ReportPeriod::Week, None)
        .await
        .unwrap();
    assert_eq!((week.credits.issued.0, week.credits.consumed.0), (100, 0));
    assert_eq!(week.credits.outstanding.0, outstanding);
}
