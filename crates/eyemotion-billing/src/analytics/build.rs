use crate::analytics::{
    Analytics, AnalyticsConfig, BuiltUntil, BusinessFigures, Cohort, Financial, MrrOfPlan,
    ReportPeriod, RollForward, reading,
};
use crate::billing::check_operator;
use crate::error::BillingError;
use crate::repository::{analytics, analytics_days};
use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use eyemotion_core::{Clock, Ctx, FieldError};
use eyemotion_db::{Db, DbError};
use std::sync::Arc;

/// How old figures may be.
const MAX_AGE: TimeDelta = TimeDelta::seconds(60);

/// How many days are made in one transaction.
const CHUNK: u64 = 31;

/// A century: more is a slip of the finger.
const MAX_DAYS: i64 = 36_600;

/// [`Analytics`] on PostgreSQL.
pub struct AnalyticsService {
    pub(super) db: Db,
    clock: Arc<dyn Clock>,
    pub(super) config: AnalyticsConfig,
}

/// Which days are made.
struct Range {
    from: NaiveDate,
    to: NaiveDate,
}

impl Range {
    fn days(&self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    fn chunks(&self) -> impl Iterator<Item = Self> {
        let (mut next, last) = (self.from, self.to);
        std::iter::from_fn(move || {
            if next > last {
                return None;
            }
            let from = next;
            let to = (from + Days::new(CHUNK - 1)).min(last);
            next = to + Days::new(1);
            Some(Self { from, to })
        })
    }
}

impl AnalyticsService {
    /// Reads and keeps the figures in `db`, by the time of `clock`.
    pub fn new(db: Db, clock: Arc<dyn Clock>, config: AnalyticsConfig) -> Self {
        Self { db, clock, config }
    }

    /// The system's rights: the days are nobody's to write.
    fn system(ctx: &Ctx) -> Ctx {
        ctx.with_actor(eyemotion_core::Actor::System("billing"))
    }

    /// Figures that are not too old.
    pub(super) async fn fresh(&self, ctx: &Ctx) -> Result<BuiltUntil, BillingError> {
        check_operator(ctx)?;
        let mut tx = self.db.read(ctx).await?;
        let built = analytics::built(&mut tx, &self.config.time_zone).await?;
        drop(tx);
        match built {
            Some(built) if self.is_fresh(built.as_of) => Ok(built),
            _ => self.refresh(ctx).await,
        }
    }

    /// A clock that was set back has made them of the future, which is no better than old.
    fn is_fresh(&self, as_of: DateTime<Utc>) -> bool {
        let age = self.clock.now() - as_of;
        TimeDelta::zero() <= age && age < MAX_AGE
    }

    async fn build(&self, ctx: &Ctx, range: &Range) -> Result<(), BillingError> {
        for chunk in range.chunks() {
            let mut tx = self.db.begin(ctx).await?;
            analytics_days::lock(&mut tx, true).await?;
            analytics_days::build(&mut tx, chunk.from, chunk.to, &self.config.time_zone).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// ISO 4217, or the platform's own.
    pub(super) fn currency(&self, named: Option<String>) -> Result<String, BillingError> {
        let currency = named.unwrap_or_else(|| self.config.currency.clone());
        if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(currency);
        }
        let detail = "must be the three capital letters of a currency, such as THB";
        Err(invalid("currency", "invalid", detail))
    }
}

fn invalid(field: &str, code: &'static str, detail: &str) -> BillingError {
    BillingError::Invalid(vec![FieldError::new(field, code, detail)])
}

#[async_trait]
impl Analytics for AnalyticsService {
    async fn financial(
        &self,
        ctx: &Ctx,
        period: ReportPeriod,
        currency: Option<String>,
    ) -> Result<Financial, BillingError> {
        reading::financial(self, ctx, period, currency).await
    }

    async fn business(&self, ctx: &Ctx) -> Result<BusinessFigures, BillingError> {
        reading::business(self, ctx).await
    }

    async fn mrr(
        &self,
        ctx: &Ctx,
        day: NaiveDate,
        currency: &str,
    ) -> Result<Vec<MrrOfPlan>, BillingError> {
        self.fresh(ctx).await?;
        reading::mrr(self, ctx, day, currency).await
    }

    async fn cohorts(
        &self,
        ctx: &Ctx,
        currency: Option<String>,
    ) -> Result<Vec<Cohort>, BillingError> {
        reading::cohorts(self, ctx, currency).await
    }

    async fn roll_forward(
        &self,
        ctx: &Ctx,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<RollForward>, BillingError> {
        check_operator(ctx)?;
        reading::roll_forward(self, ctx, from, to).await
    }

    async fn refresh(&self, ctx: &Ctx) -> Result<BuiltUntil, BillingError> {
        check_operator(ctx)?;
        let (ctx, zone) = (&Self::system(ctx), self.config.time_zone.as_str());
        let as_of = self.clock.now().trunc_subsecs(6);
        let mut tx = self.db.begin(ctx).await?;
        let built = analytics::built(&mut tx, zone).await?;
        // While somebody else makes them, the last ones are good enough; the first ones are waited for.
        if !analytics_days::lock(&mut tx, built.is_none()).await? {
            return built.ok_or_else(|| DbError::NotFound.into());
        }
        let due = analytics_days::due(&mut tx, zone, as_of).await?;
        drop(tx);
        let range = Range {
            from: due.first_day,
            to: due.today,
        };
        self.build(ctx, &range).await?;
        let until = BuiltUntil {
            last_day: due.today,
            as_of,
        };
        let mut tx = self.db.begin(ctx).await?;
        analytics_days::note(&mut tx, &until, due.heard, zone).await?;
        tx.commit().await?;
        Ok(until)
    }

    async fn rebuild(
        &self,
        ctx: &Ctx,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<i64, BillingError> {
        let today = self.refresh(ctx).await?.last_day;
        let range = Range { from, to };
        if from > to {
            return Err(invalid("from", "out_of_range", "must not be after to"));
        }
        if to > today {
            return Err(invalid("to", "out_of_range", "must not be after today"));
        }
        if range.days() > MAX_DAYS {
            let detail = "must be within a century of to";
            return Err(invalid("from", "out_of_range", detail));
        }
        self.build(&Self::system(ctx), &range).await?;
        Ok(range.days())
    }
}
