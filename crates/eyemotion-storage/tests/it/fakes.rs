//! The neighbours of storage, as small as they can be. They keep what they do in tables of the
//! test's database, so that it commits and rolls back as theirs would.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, Ctx, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{
    Activity, ActivityLog, Capture, Charge, CreditLedger, Grant, Hold, LedgerError, Priced,
    ProjectDirectory, Quote,
};
use uuid::Uuid;

pub const TABLES: &str = "
    create table public.test_wallets (user_id uuid primary key, credits bigint not null,
        held bigint not null default 0);
    create table public.test_holds (name text primary key, user_id uuid, resource text, credits bigint,
        state text not null default 'pending', expires_at timestamptz);
    create table public.test_prices (action text primary key, gib bigint not null, item bigint not null);
    insert into public.test_prices values ('file_upload', 10, 0), ('file_processing', 0, 0);
    create table public.test_charges (key text primary key, user_id uuid, credits bigint);
    create table public.test_activity (action text not null, resource_id text);
    grant select, insert, update on public.test_wallets, public.test_charges, public.test_activity,
        public.test_holds, public.test_prices to service_role;";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub struct Ledger;

#[async_trait]
impl CreditLedger for Ledger {
    async fn grant(&self, _: &mut Tx, _: &Ctx, _: Grant) -> Result<Credits, LedgerError> {
        unreachable!("storage grants nothing")
    }

    async fn spend(&self, tx: &mut Tx, _: &Ctx, charge: Charge) -> Result<Credits, LedgerError> {
        let claimed =
            sql_query("insert into public.test_charges values ($1, $2, $3) on conflict do nothing")
                .bind::<Text, _>(&charge.idempotency_key)
                .bind::<SqlUuid, _>(charge.user.0)
                .bind::<BigInt, _>(charge.credits.0)
                .execute(tx)
                .await
                .map_err(DbError::from)?;
        let cost = if claimed == 1 { charge.credits.0 } else { 0 };
        let paid = sql_query(
            "update public.test_wallets set credits = credits - $2
             where user_id = $1 and credits - held >= $2 returning credits - held as number",
        )
        .bind::<SqlUuid, _>(charge.user.0)
        .bind::<BigInt, _>(cost)
        .get_result::<Number>(tx)
        .await
        .optional()
        .map_err(DbError::from)?;
        match paid {
            Some(row) => Ok(Credits(row.number)),
            None => Err(LedgerError::Insufficient {
                needed: charge.credits,
                available: self.balance(tx, charge.user).await?,
            }),
        }
    }

    async fn hold(&self, tx: &mut Tx, _: &Ctx, hold: Hold) -> Result<Credits, LedgerError> {
        let placed = sql_query(
            "insert into public.test_holds (name, user_id, resource, credits, expires_at)
             select $1, $2, $3, $4, $5 from public.test_wallets
             where user_id = $2 and credits - held >= $4",
        )
        .bind::<Text, _>(&hold.idempotency_key)
        .bind::<SqlUuid, _>(hold.user.0)
        .bind::<Text, _>(&hold.resource_id)
        .bind::<BigInt, _>(hold.credits.0)
        .bind::<Timestamptz, _>(hold.expires_at)
        .execute(tx)
        .await
        .map_err(DbError::from)?;
        if placed == 0 {
            return Err(LedgerError::Insufficient {
                needed: hold.credits,
                available: self.balance(tx, hold.user).await?,
            });
        }
        change(tx, hold.user, 0, hold.credits.0).await?;
        Ok(self.balance(tx, hold.user).await?)
    }

    async fn capture(
        &self,
        tx: &mut Tx,
        _: &Ctx,
        capture: Capture,
    ) -> Result<Credits, LedgerError> {
        let held = resolve(tx, &capture.hold, "captured").await?;
        let taken = capture.credits.map_or(held, |credits| credits.0);
        change(tx, capture.user, -taken, -held).await?;
        Ok(self.balance(tx, capture.user).await?)
    }

    async fn release(
        &self,
        tx: &mut Tx,
        _: &Ctx,
        user: UserId,
        hold: &str,
    ) -> Result<Credits, LedgerError> {
        let freed = resolve(tx, hold, "released").await?;
        change(tx, user, 0, -freed).await?;
        Ok(self.balance(tx, user).await?)
    }

    async fn release_for(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        resource_type: &str,
        resource_ids: &[String],
    ) -> Result<(), LedgerError> {
        assert_eq!(resource_type, "file");
        let names: Vec<Name> = sql_query(
            "select name from public.test_holds
             where resource = any($1) and user_id = $2 and state = 'pending'",
        )
        .bind::<Array<Text>, _>(resource_ids)
        .bind::<SqlUuid, _>(user.0)
        .load(tx)
        .await
        .map_err(DbError::from)?;
        for held in names {
            self.release(tx, ctx, user, &held.name).await?;
        }
        Ok(())
    }

    async fn extend(
        &self,
        tx: &mut Tx,
        _: UserId,
        hold: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        sql_query(
            "update public.test_holds set expires_at = greatest(expires_at, $2) where name = $1",
        )
        .bind::<Text, _>(hold)
        .bind::<Timestamptz, _>(expires_at)
        .execute(tx)
        .await
        .map_err(DbError::from)?;
        Ok(())
    }

    async fn quote(
        &self,
        tx: &mut Tx,
        action: &'static str,
        quantity: u64,
    ) -> Result<Quote, LedgerError> {
        let quantity = i64::try_from(quantity).unwrap();
        let row = sql_query(
            "select ceil(gib * $2 / 1073741824.0)::bigint + item * $2 as number
             from public.test_prices where action = $1",
        )
        .bind::<Text, _>(action)
        .bind::<BigInt, _>(quantity)
        .get_result::<Number>(tx)
        .await
        .map_err(DbError::from)?;
        Ok(Quote {
            credits: Credits(row.number),
            price: Priced {
                price: Uuid::nil(),
                quantity,
            },
        })
    }

    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError> {
        let row = sql_query(
            "select credits - held as number from public.test_wallets where user_id = $1",
        )
        .bind::<SqlUuid, _>(user.0)
        .get_result::<Number>(tx)
        .await?;
        Ok(Credits(row.number))
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn change(tx: &mut Tx, user: UserId, credits: i64, held: i64) -> Result<(), DbError> {
    sql_query(
        "update public.test_wallets set credits = credits + $2, held = held + $3 where user_id = $1",
    )
    .bind::<SqlUuid, _>(user.0)
    .bind::<BigInt, _>(credits)
    .bind::<BigInt, _>(held)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a hold; what it kept.
async fn resolve(tx: &mut Tx, hold: &str, state: &str) -> Result<i64, LedgerError> {
    let row = sql_query(
        "update public.test_holds set state = $2 where name = $1 and state = 'pending'
         returning credits as number",
    )
    .bind::<Text, _>(hold)
    .bind::<Text, _>(state)
    .get_result::<Number>(tx)
    .await
    .optional()
    .map_err(DbError::from)?;
    row.map(|row| row.number).ok_or(LedgerError::HoldNotFound)
}

pub struct Directory;

#[async_trait]
impl ProjectDirectory for Directory {
    async fn hold(&self, tx: &mut Tx, _: &Ctx, project: ProjectId) -> Result<bool, DbError> {
        let found = sql_query(
            "select 1::bigint as number from public.projects
             where id = $1 and deleted_at is null for key share",
        )
        .bind::<SqlUuid, _>(project.0)
        .get_result::<Number>(tx)
        .await
        .optional()?;
        Ok(found.is_some())
    }
}

pub struct Log;

#[async_trait]
impl ActivityLog for Log {
    async fn record(&self, tx: &mut Tx, _: &Ctx, activity: Activity) -> Result<(), DbError> {
        sql_query("insert into public.test_activity values ($1, $2)")
            .bind::<Text, _>(activity.action)
            .bind::<Text, _>(activity.resource_id.unwrap_or_default())
            .execute(tx)
            .await?;
        Ok(())
    }
}
