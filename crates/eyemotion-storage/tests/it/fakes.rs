//! The neighbours of storage, as small as they can be. They keep what they do in tables of the
//! test's database, so that it commits and rolls back as theirs would.

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, Ctx, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{
    Activity, ActivityLog, Charge, CreditLedger, Grant, LedgerError, ProjectDirectory,
};

pub const TABLES: &str = "
    create table public.test_wallets (user_id uuid primary key, credits bigint not null);
    create table public.test_charges (key text primary key, user_id uuid, credits bigint);
    create table public.test_activity (action text not null, resource_id text);
    grant select, insert, update on public.test_wallets, public.test_charges, public.test_activity
        to service_role;";

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
             where user_id = $1 and credits >= $2 returning credits as number",
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

    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError> {
        let row = sql_query("select credits as number from public.test_wallets where user_id = $1")
            .bind::<SqlUuid, _>(user.0)
            .get_result::<Number>(tx)
            .await?;
        Ok(Credits(row.number))
    }
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
