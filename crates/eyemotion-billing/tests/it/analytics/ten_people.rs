//! A year of ten people. Amounts in satang, times in Bangkok.

use crate::analytics::story::Story;
use eyemotion_core::UserId;

#[expect(clippy::too_many_lines, reason = "a year of ten people")]
pub async fn year() -> Story {
    // The year's last second in Bangkok.
    let story = Story::at("2027-12-31T23:59:59+07:00", 80).await;
    let mut people = Vec::new();
    for _ in 0..10 {
        people.push(story.world.stranger().await);
    }
    let &[ann, ben, cat, dan, eve, fay, gus, hal, joy, kim] = people.as_slice() else {
        panic!("ten people");
    };
    let monthly = |amount| (amount, "month", 1, "THB");

    // Ann: creator, up to pro, down again at a period's end, gone in the year's last second.
    let of_ann = story
        .begins(
            ann,
            "creator",
            "active",
            monthly(29_900),
            "2027-01-05T10:00:00+07:00",
        )
        .await;
    story
        .moves_to(of_ann, "pro", 99_900, "2027-03-10T10:00:00+07:00")
        .await;
    story
        .moves_to(of_ann, "creator", 29_900, "2027-06-05T10:00:00+07:00")
        .await;
    story.ends(of_ann, "2027-12-31T23:59:59+07:00").await;
    // Ben: pro by the year at 999000, 83250 a month; studio by the year at 2999000, 249916 2/3.
    let of_ben = story
        .begins(
            ben,
            "pro",
            "active",
            (999_000, "year", 1, "THB"),
            "2027-01-20T10:00:00+07:00",
        )
        .await;
    story
        .moves_to(of_ben, "studio", 2_999_000, "2027-10-10T10:00:00+07:00")
        .await;
    // Cat: creator with a coupon of 20 % for ever; cancels to the period's end; comes back in August.
    let of_cat = story
        .begins(
            cat,
            "creator",
            "active",
            monthly(23_920),
            "2027-02-01T10:00:00+07:00",
        )
        .await;
    story
        .changes(
            of_cat,
            "cancel_at_period_end = true",
            "2027-04-10T10:00:00+07:00",
        )
        .await;
    story.ends(of_cat, "2027-05-01T10:00:00+07:00").await;
    story
        .begins(
            cat,
            "creator",
            "active",
            monthly(29_900),
            "2027-08-15T10:00:00+07:00",
        )
        .await;
    // Dan: tries pro, pays, owes, and is out of grace after seven days.
    let of_dan = story
        .begins(
            dan,
            "pro",
            "trialing",
            monthly(99_900),
            "2027-03-01T10:00:00+07:00",
        )
        .await;
    story
        .changes(of_dan, "status = 'active'", "2027-03-15T10:00:00+07:00")
        .await;
    story
        .changes(of_dan, "status = 'past_due'", "2027-07-15T10:00:00+07:00")
        .await;
    story.ends(of_dan, "2027-07-22T10:00:00+07:00").await;
    // Eve: creator by the year at an old price, 250000, 20833 1/3 a month; in January's last second.
    story
        .begins(
            eve,
            "creator",
            "active",
            (250_000, "year", 1, "THB"),
            "2027-01-31T23:59:59+07:00",
        )
        .await;
    // Fay: 10000 a week, 43333 1/3 a month; from February's first moment to September's last second.
    let of_fay = story
        .begins(
            fay,
            "creator",
            "active",
            (10_000, "week", 1, "THB"),
            "2027-02-01T00:00:00+07:00",
        )
        .await;
    story.ends(of_fay, "2027-09-30T23:59:59+07:00").await;
    // Gus: creator at the new price, while Ann keeps the old one.
    story
        .begins(
            gus,
            "creator",
            "active",
            monthly(35_900),
            "2027-06-10T10:00:00+07:00",
        )
        .await;
    // Hal: tries and goes; never paid, and on the free plan afterwards.
    let of_hal = story
        .begins(
            hal,
            "studio",
            "trialing",
            monthly(299_900),
            "2027-04-01T10:00:00+07:00",
        )
        .await;
    story.ends(of_hal, "2027-04-15T10:00:00+07:00").await;
    story
        .begins(
            hal,
            "freemium",
            "active",
            monthly(0),
            "2027-04-15T10:00:00+07:00",
        )
        .await;
    // Joy: pays in dollars, 10.00.
    story
        .begins(
            joy,
            "creator",
            "active",
            (1_000, "month", 1, "USD"),
            "2027-06-01T10:00:00+07:00",
        )
        .await;
    // Kim: studio, 500000 each two months, 250000 a month.
    let of_kim = story
        .begins(
            kim,
            "studio",
            "active",
            (500_000, "month", 2, "THB"),
            "2027-04-01T10:00:00+07:00",
        )
        .await;
    story.ends(of_kim, "2027-11-15T10:00:00+07:00").await;
    payments(&story, &people).await;
    story
}

/// Who paid what, and what of it went back.
#[expect(clippy::too_many_lines, reason = "a year of ten people")]
async fn payments(story: &Story, people: &[UserId]) {
    let &[ann, ben, cat, dan, eve, _, gus, _, joy, _] = people else {
        panic!("ten people");
    };
    // 29900 and 7 % tax.
    story
        .pays(
            ann,
            Some("creator"),
            (31_993, 2_093, "THB"),
            "completed",
            "2027-01-05T10:00:00+07:00",
        )
        .await;
    story
        .pays(
            ben,
            Some("pro"),
            (999_000, 0, "THB"),
            "completed",
            "2027-01-20T10:00:00+07:00",
        )
        .await;
    // A pack in the last second before the last 90 days, one in their first moment.
    story
        .pays(
            cat,
            None,
            (20_000, 0, "THB"),
            "completed",
            "2027-10-02T23:59:59+07:00",
        )
        .await;
    story
        .pays(
            cat,
            None,
            (50_000, 0, "THB"),
            "completed",
            "2027-10-03T00:00:00+07:00",
        )
        .await;
    story
        .pays(
            ben,
            Some("studio"),
            (2_138_000, 0, "THB"),
            "completed",
            "2027-10-10T10:00:00+07:00",
        )
        .await;
    // 25000 and 7 % tax; it all goes back, in two parts; a third part failed.
    let refunded = story
        .pays(
            eve,
            Some("creator"),
            (26_750, 1_750, "THB"),
            "refunded",
            "2027-11-10T10:00:00+07:00",
        )
        .await;
    story
        .refunds(refunded, 10_000, "completed", "2027-11-20T10:00:00+07:00")
        .await;
    story
        .refunds(refunded, 5_000, "failed", "2027-11-21T10:00:00+07:00")
        .await;
    story
        .refunds(refunded, 16_750, "completed", "2027-12-01T10:00:00+07:00")
        .await;
    let lost = story
        .pays(
            gus,
            Some("creator"),
            (35_900, 0, "THB"),
            "completed",
            "2027-11-12T10:00:00+07:00",
        )
        .await;
    story
        .disputes(lost, 35_900, "lost", "2027-11-25T10:00:00+07:00")
        .await;
    let won = story
        .pays(
            cat,
            Some("creator"),
            (29_900, 0, "THB"),
            "completed",
            "2027-11-15T10:00:00+07:00",
        )
        .await;
    story
        .disputes(won, 29_900, "won", "2027-11-26T10:00:00+07:00")
        .await;
    story
        .pays(
            dan,
            Some("pro"),
            (99_900, 0, "THB"),
            "failed",
            "2027-11-17T10:00:00+07:00",
        )
        .await;
    story
        .pays(
            joy,
            Some("creator"),
            (1_000, 0, "USD"),
            "completed",
            "2027-11-01T10:00:00+07:00",
        )
        .await;
}
