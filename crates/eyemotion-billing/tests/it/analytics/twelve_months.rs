//! A year of ten people, every figure reckoned by hand. Amounts in satang, times in Bangkok.

use crate::analytics::story::day;
use crate::analytics::ten_people::year;
use eyemotion_billing::{Analytics, Cohort, ReportPeriod, Revenue};
use eyemotion_core::{Ctx, Ratio};

/// Thirds: every figure of this year has a whole number of them.
fn thirds(number: i64) -> Ratio {
    Ratio::new(number, 3).unwrap()
}

/// The last day of each month: MRR in thirds of a satang, and who pays.
const MONTHS: [(&str, i64, i64); 12] = [
    // Ann 29900 + Ben 83250 + Eve 20833 1/3 = 133983 1/3
    ("2027-01-31", 401_950, 3),
    // + Cat 23920 + Fay 43333 1/3 = 201236 2/3
    ("2027-02-28", 603_710, 5),
    // + 70000, Ann's upgrade, + Dan 99900 = 371136 2/3
    ("2027-03-31", 1_113_410, 6),
    // + Kim 250000 = 621136 2/3; Hal's trial and free plan bring nothing, Cat stays to the end
    ("2027-04-30", 1_863_410, 7),
    // - Cat 23920 = 597216 2/3
    ("2027-05-31", 1_791_650, 6),
    // - 70000, Ann's downgrade, + Gus 35900 = 563116 2/3; Joy pays dollars
    ("2027-06-30", 1_689_350, 7),
    // - Dan 99900 = 463216 2/3
    ("2027-07-31", 1_389_650, 6),
    // + Cat 29900 = 493116 2/3
    ("2027-08-31", 1_479_350, 7),
    // - Fay 43333 1/3 = 449783 1/3
    ("2027-09-30", 1_349_350, 6),
    // + 249916 2/3 - 83250 = 166666 2/3, Ben's upgrade: 616450
    ("2027-10-31", 1_849_350, 6),
    // - Kim 250000 = 366450
    ("2027-11-30", 1_099_350, 5),
    // - Ann 29900 = 336550
    ("2027-12-31", 1_009_650, 4),
];

#[tokio::test]
async fn recurring_revenue_of_each_month_is_exact() {
    let story = year().await;
    let ctx = Ctx::system("test");
    for (last, mrr, people) in MONTHS {
        let plans = story.analytics.mrr(&ctx, day(last), "THB").await.unwrap();
        let sum = plans.iter().fold(Ratio::ZERO, |sum, plan| sum + plan.mrr);
        let paying: i64 = plans.iter().map(|plan| plan.subscribers).sum();
        assert_eq!((sum, paying), (thirds(mrr), people), "{last}");
    }
    // Dan owes, and still counts, until the grace is over.
    let owed = story
        .analytics
        .mrr(&ctx, day("2027-07-21"), "THB")
        .await
        .unwrap();
    let pro = owed.iter().find(|plan| plan.plan == "pro").unwrap();
    // Dan 99900 + Ben 83250
    assert_eq!((pro.mrr, pro.subscribers), (Ratio::whole(183_150), 2));
    let dollars = story
        .analytics
        .mrr(&ctx, day("2027-12-31"), "USD")
        .await
        .unwrap();
    assert_eq!(dollars.len(), 1);
    assert_eq!(dollars[0].mrr, Ratio::whole(1_000));

    let days = story
        .analytics
        .roll_forward(&ctx, day("2027-01-01"), day("2027-12-31"))
        .await
        .unwrap();
    // Baht from 5 January, dollars from 1 June: 361 + 214 days.
    assert_eq!(days.len(), 575);
    for day in days {
        assert!(day.holds(), "{day:?}");
    }
}

#[tokio::test]
async fn the_year_is_exact() {
    let story = year().await;
    let report = story
        .analytics
        .financial(&Ctx::system("test"), ReportPeriod::Year, None)
        .await
        .unwrap();
    assert_eq!(
        (report.first_day, report.until.last_day),
        (day("2027-01-01"), day("2027-12-31"))
    );
    assert_eq!(report.currencies, ["THB", "USD"]);
    let summary = &report.summary;
    let moved = &summary.movements;
    // Ann 29900, Ben 83250, Eve 20833 1/3, Cat 23920, Fay 43333 1/3, Dan 99900, Kim 250000, Gus 35900
    assert_eq!((moved.new, moved.new_subscribers), (thirds(1_761_110), 8));
    // Cat 29900
    assert_eq!(
        (moved.reactivation, moved.reactivated_subscribers),
        (Ratio::whole(29_900), 1)
    );
    // Ann 70000, Ben 166666 2/3
    assert_eq!(moved.expansion, thirds(710_000));
    // Ann 70000
    assert_eq!(moved.contraction, Ratio::whole(70_000));
    // Cat 23920, Dan 99900, Fay 43333 1/3, Kim 250000, Ann 29900
    assert_eq!(
        (moved.churn, moved.churned_subscribers),
        (thirds(1_341_160), 5)
    );
    assert_eq!(
        (summary.mrr_at_start, summary.mrr),
        (Ratio::ZERO, Ratio::whole(336_550))
    );
    // 12 x 336550
    assert_eq!(summary.arr(), Ratio::whole(4_038_600));
    // 336550 / 4 = 84137.5
    assert_eq!(summary.arpu().unwrap().round(), 84_138);
    // Nobody paid before: no rate.
    assert_eq!(
        (summary.churn_rate(), summary.gross_mrr_churn()),
        (None, None)
    );
    // 31993 - 2093 + 999000 + 20000, and the last 90 days' 2217900
    assert_eq!(summary.revenue.net(), 3_266_800);
    assert_eq!(report.days.len(), 365);
    let business = story
        .analytics
        .business(&Ctx::system("test"))
        .await
        .unwrap();
    // December: the second refund, 16750 with tax of 1750 - 654 = 1096.
    assert_eq!(
        (business.total_revenue, business.monthly_revenue),
        (3_266_800, -15_654)
    );
    // Baht only; but Joy's dollars are a paid subscription: Ben, Cat, Eve, Gus, Joy, and Hal's free one.
    assert_eq!(
        (business.mrr, business.arpu.unwrap().round()),
        (Ratio::whole(336_550), 84_138)
    );
    assert_eq!((business.total(), business.paid()), (6, 5));
    assert_eq!(business.conversion_rate(), Ratio::new(5, 6));
}

#[tokio::test]
async fn the_last_ninety_days_are_exact() {
    let story = year().await;
    let report = story
        .analytics
        .financial(&Ctx::system("test"), ReportPeriod::Quarter, None)
        .await
        .unwrap();
    // 31 December - 89 days
    assert_eq!(report.first_day, day("2027-10-03"));
    let summary = &report.summary;
    // On 2 October: Ann 29900, Ben 83250, Cat 29900, Eve 20833 1/3, Gus 35900, Kim 250000
    assert_eq!(
        (summary.mrr_at_start, summary.subscribers_at_start),
        (thirds(1_349_350), 6)
    );
    // Of the six, Kim and Ann left.
    assert_eq!(summary.churn_rate(), Ratio::new(2, 6));
    assert_eq!(summary.churn_rate().unwrap().millionths(), 333_333);
    // (250000 + 29900) / 449783 1/3
    assert_eq!(summary.gross_mrr_churn(), Ratio::new(839_700, 1_349_350));
    // (279900 - 166666 2/3) / 449783 1/3
    assert_eq!(summary.net_mrr_churn(), Ratio::new(339_700, 1_349_350));
    // On 1 December five paid, and Ann left: 1/5. 84137.5 x 80 % x 5
    assert_eq!(summary.monthly_churn, Ratio::new(1, 5));
    assert_eq!(summary.ltv(), Some(Ratio::whole(336_550)));
    let revenue = Revenue {
        payments: 5,
        // 50000 + 2138000 + 26750 + 35900 + 29900
        gross: 2_280_550,
        tax: 1_750,
        refunds: 2,
        // 10000 + 16750, with all of the tax
        refunded: 26_750,
        refunded_tax: 1_750,
        disputes: 1,
        disputed: 35_900,
        disputed_tax: 0,
    };
    assert_eq!(summary.revenue, revenue);
    // (2280550 - 1750) - (26750 - 1750) - 35900
    assert_eq!(revenue.net(), 2_217_900);
    // 2217900 / 90 = 24643 1/3
    assert_eq!(summary.average_daily_revenue().round(), 24_643);

    let of = |text: &str| {
        report
            .days
            .iter()
            .find(|each| each.day == day(text))
            .unwrap()
    };
    assert_eq!(of("2027-10-03").revenue.net(), 50_000);
    // 10000 less its share of the tax: floor(1750 x 10000 / 26750) = 654
    assert_eq!(of("2027-11-20").revenue.net(), -9_346);
    assert_eq!(of("2027-11-25").revenue.net(), -35_900);
    assert_eq!(of("2027-11-26").revenue.net(), 0);
    assert_eq!(
        (of("2027-11-15").churned, of("2027-11-15").subscribers),
        (1, 5)
    );
    assert_eq!(of("2027-12-31").churned, 1);

    let plans: Vec<_> = report
        .plans
        .iter()
        .map(|plan| {
            (
                plan.plan.as_deref(),
                plan.revenue.net(),
                plan.mrr,
                plan.subscribers,
            )
        })
        .collect();
    let expected = [
        // 25000 - 25000 + 35900 - 35900 + 29900; Eve 20833 1/3, Cat 29900, Gus 35900
        (Some("creator"), 29_900, thirds(259_900), 3),
        (Some("studio"), 2_138_000, thirds(749_750), 1),
        (None, 50_000, Ratio::ZERO, 0),
    ];
    assert_eq!(plans, expected);
    // Failed ones too; the refunds as well; dollars not.
    assert_eq!(report.transactions.len(), 9);
}

#[tokio::test]
async fn dollars_are_never_added_to_baht() {
    let story = year().await;
    let dollars = Some("USD".to_owned());
    let report = story
        .analytics
        .financial(&Ctx::system("test"), ReportPeriod::Year, dollars)
        .await
        .unwrap();
    assert_eq!(
        (report.summary.mrr, report.summary.revenue.net()),
        (Ratio::whole(1_000), 1_000)
    );
    assert_eq!(report.summary.subscribers, 1);
    assert_eq!(report.summary.ltv(), None, "nobody has left");
    let unknown = story
        .analytics
        .financial(
            &Ctx::system("test"),
            ReportPeriod::Week,
            Some("baht".to_owned()),
        )
        .await;
    assert!(matches!(
        unknown,
        Err(eyemotion_billing::BillingError::Invalid(_))
    ));
}

#[tokio::test]
async fn cohorts_are_those_who_first_paid_in_a_month() {
    let story = year().await;
    let cohorts = story
        .analytics
        .cohorts(&Ctx::system("test"), None)
        .await
        .unwrap();
    let months: Vec<_> = cohorts
        .iter()
        .map(|cohort| (cohort.month, cohort.size))
        .collect();
    let expected = [
        // Ann, Ben, Eve
        (day("2027-01-01"), 3),
        // Cat, Fay
        (day("2027-02-01"), 2),
        // Dan
        (day("2027-03-01"), 1),
        // Kim
        (day("2027-04-01"), 1),
        // Gus
        (day("2027-06-01"), 1),
    ];
    assert_eq!(months, expected);
    let paying = |cohort: &Cohort| {
        cohort
            .months
            .iter()
            .map(|month| month.paying)
            .collect::<Vec<_>>()
    };
    // Ann leaves in December.
    assert_eq!(paying(&cohorts[0]), [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2]);
    // Cat leaves in May and comes back in August; Fay leaves in September.
    assert_eq!(paying(&cohorts[1]), [2, 2, 2, 1, 1, 1, 2, 1, 1, 1, 1]);
    // Ann 31993, Ben 999000 + 2138000, Eve 26750, who got it all back
    assert_eq!((cohorts[0].gross, cohorts[0].refunded), (3_195_743, 26_750));
}
