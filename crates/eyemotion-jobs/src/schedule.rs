use crate::Job;
use crate::execute::{Executor, describe};
use crate::handler::BoxError;
use crate::repository::jobs::{self, NewJobRow};
use crate::repository::schedules::{self, ScheduleRow};
use chrono::{DateTime, SecondsFormat, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use std::sync::Arc;
use std::time::Duration;

/// A schedule that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("schedule {name:?} ({cron:?}) cannot be kept")]
pub struct InvalidSchedule {
    name: &'static str,
    cron: &'static str,
    #[source]
    reason: BoxError,
}

/// A job to enqueue at each tick.
pub(crate) struct Schedule {
    name: &'static str,
    expression: &'static str,
    cron: Cron,
    kind: &'static str,
    queue: &'static str,
    max_attempts: i32,
    payload: serde_json::Value,
}

impl Schedule {
    pub(crate) fn new<J: Job>(
        name: &'static str,
        expression: &'static str,
        job: &J,
    ) -> Result<Self, InvalidSchedule> {
        let invalid = |reason| InvalidSchedule {
            name,
            cron: expression,
            reason,
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        Ok(Self {
            name,
            expression,
            cron: parser
                .parse(expression)
                .map_err(|error| invalid(error.into()))?,
            kind: J::KIND,
            queue: J::QUEUE,
            max_attempts: J::MAX_ATTEMPTS,
            payload: serde_json::to_value(job).map_err(|error| invalid(error.into()))?,
        })
    }

    fn next(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, BoxError> {
        Ok(self.cron.find_next_occurrence(&now, false)?)
    }
}

/// Stores the schedules, then enqueues what is due, for ever.
pub(crate) async fn tick(executor: Arc<Executor>, schedules: Vec<Schedule>, poll: Duration) {
    let mut stored = false;
    loop {
        let done = if stored {
            enqueue_due(&executor, &schedules).await
        } else {
            store(&executor, &schedules).await
        };
        match done {
            Ok(()) if !stored => {
                stored = true;
                continue;
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(error = describe(&*error), "cannot keep the schedules"),
        }
        tokio::time::sleep(poll).await;
    }
}

async fn store(executor: &Executor, schedules: &[Schedule]) -> Result<(), BoxError> {
    let mut tx = executor.db.begin(&executor.ctx).await?;
    for schedule in schedules {
        let row = ScheduleRow {
            name: schedule.name,
            cron: schedule.expression,
            kind: schedule.kind,
            payload: &schedule.payload,
            next_run_at: schedule.next(executor.clock.now())?,
        };
        schedules::upsert(&mut tx, &row).await?;
    }
    Ok(tx.commit().await?)
}

/// Advances what is due and enqueues its jobs in one transaction. The locked row gives each tick
/// to one process; the key says which tick a job stands for.
async fn enqueue_due(executor: &Executor, schedules: &[Schedule]) -> Result<(), BoxError> {
    let names: Vec<&str> = schedules.iter().map(|schedule| schedule.name).collect();
    let now = executor.clock.now();
    let mut tx = executor.db.begin(&executor.ctx).await?;
    for (name, due) in schedules::due(&mut tx, &names, now).await? {
        let Some(schedule) = schedules.iter().find(|schedule| schedule.name == name) else {
            continue;
        };
        schedules::advance(&mut tx, &name, now, schedule.next(now)?).await?;
        let unique_key = format!(
            "schedule:{name}:{}",
            due.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        let row = NewJobRow {
            id: executor.clock.new_id(),
            queue: schedule.queue,
            kind: schedule.kind,
            payload: &schedule.payload,
            priority: 0,
            run_at: now,
            max_attempts: schedule.max_attempts,
            unique_key: Some(&unique_key),
        };
        jobs::insert(&mut tx, &row, None).await?;
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Sweep;

    impl Job for Sweep {
        const KIND: &'static str = "sweep";
    }

    #[test]
    fn ticks_in_utc() {
        let schedule = Schedule::new("sweep", "30 3 * * MON-FRI", &Sweep).unwrap();
        // A Friday.
        let now: DateTime<Utc> = "2026-11-20T03:30:00Z".parse().unwrap();
        let next = schedule.next(now).unwrap();
        assert_eq!(next.to_rfc3339(), "2026-11-23T03:30:00+00:00");
    }

    #[test]
    fn takes_five_fields_only() {
        for cron in ["", "* * * *", "0 * * * * *", "61 * * * *", "every day"] {
            assert!(Schedule::new("sweep", cron, &Sweep).is_err(), "{cron:?}");
        }
    }
}
