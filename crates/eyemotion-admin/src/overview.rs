use crate::repository::overview::{self, PeopleRow};
use async_trait::async_trait;
use eyemotion_core::{Clock, Ctx, Ratio};
use eyemotion_db::{Db, DbError};
use std::sync::Arc;

/// How many people and projects there are.
#[async_trait]
pub trait Overview: Send + Sync {
    /// As it is now. Whoever is no admin is told of nobody.
    async fn platform(&self, ctx: &Ctx) -> Result<PlatformFigures, DbError>;
}

/// People and projects. Those who have left are not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFigures {
    /// How many people.
    pub people: PeopleFigures,
    /// How many projects.
    pub projects: ProjectFigures,
    /// How many people in each country, most first.
    pub countries: Vec<(String, i64)>,
}

/// How many people. Months and weeks (from Monday) are those of the report's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeopleFigures {
    /// Who have an account.
    pub total: i64,
    /// Of them, since the month began.
    pub this_month: i64,
    /// In the month before.
    pub last_month: i64,
    /// Since the week began.
    pub this_week: i64,
}

impl PeopleFigures {
    /// (this month - last month) / last month; none when nobody came last month.
    pub fn growth_rate(self) -> Option<Ratio> {
        Ratio::new(self.this_month - self.last_month, self.last_month)
    }
}

/// How many projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectFigures {
    /// All of them.
    pub total: i64,
    /// Draft, in progress or in review.
    pub active: i64,
    /// Completed.
    pub completed: i64,
}

impl PlatformFigures {
    /// Projects for each person; none when there is nobody.
    pub fn projects_per_person(&self) -> Option<Ratio> {
        Ratio::new(self.projects.total, self.people.total)
    }
}

/// [`Overview`] over PostgreSQL, whose policies decide what each caller sees.
pub struct OverviewService {
    db: Db,
    clock: Arc<dyn Clock>,
    time_zone: String,
}

impl OverviewService {
    /// Counts in `db`, by the time of `clock` in a time zone of the IANA database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, time_zone: String) -> Self {
        Self {
            db,
            clock,
            time_zone,
        }
    }
}

#[async_trait]
impl Overview for OverviewService {
    async fn platform(&self, ctx: &Ctx) -> Result<PlatformFigures, DbError> {
        let mut tx = self.db.read(ctx).await?;
        let rows = overview::people(&mut tx, self.clock.now(), &self.time_zone).await?;
        let projects = overview::projects(&mut tx).await?;
        let sum = |of: fn(&PeopleRow) -> i64| rows.iter().map(of).sum();
        let people = PeopleFigures {
            total: sum(|row| row.total),
            this_month: sum(|row| row.this_month),
            last_month: sum(|row| row.last_month),
            this_week: sum(|row| row.this_week),
        };
        let countries = rows.into_iter().map(|row| (row.country, row.total));
        Ok(PlatformFigures {
            people,
            projects,
            countries: countries.collect(),
        })
    }
}
