//! The credit ledger: whole spends through the crate, each with its transaction, beside pgbench's
//! plain UPDATE of one row on the same PostgreSQL; on one account that everybody shares and on ten
//! thousand.

use crate::Result;
use crate::http::Load;
use crate::report::Row;
use eyemotion_billing::Ledger;
use eyemotion_core::{Actor, Credits, Ctx, SessionId, SystemClock, UserId, UserRole};
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use eyemotion_db::{DatabaseConfig, Db, migrate};
use eyemotion_ports::{Charge, CreditLedger};
use hdrhistogram::Histogram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use uuid::Uuid;

const CLIENTS: usize = 16;
const ACCOUNTS: usize = 10_000;
/// In each account, in two lots.
const CREDITS: i64 = 1_000_000_000;

/// The rows of the table: median of so many rounds of `time` each, in turn with the floor.
pub async fn rows(rounds: usize, time: Duration) -> Result<Vec<Row>> {
    let directory = tempfile::tempdir()?;
    let postgres = LocalPostgres::start(&LocalConfig {
        data_dir: directory.path().join("postgres"),
        ..LocalConfig::default()
    })
    .await?;
    let mut config = DatabaseConfig::new(postgres.url());
    config.pool_size = CLIENTS;
    migrate(&config).await?;
    let people = seed(&postgres.url()).await?;
    let db = Db::new(&config)?;
    // As in a server: whatever is announced at commit is asked for.
    let _changes = db.changes();
    let mut rows = Vec::new();
    for (name, accounts) in [
        ("spend, one account", 1),
        ("spend, 10,000 accounts", ACCOUNTS),
    ] {
        let people: Arc<[UserId]> = people.iter().copied().take(accounts).collect();
        let floor = Floor::new(&postgres, directory.path(), accounts)?;
        let mut measured = Vec::new();
        spend(&db, &people, Duration::from_secs(1)).await?;
        for _ in 0..rounds {
            let plain = floor.measure(time)?;
            measured.push((spend(&db, &people, time).await?, plain));
        }
        rows.push(Row::median(name, "plain UPDATE", measured));
    }
    db.close();
    drop(db);
    postgres.stop().await?;
    Ok(rows)
}

/// Ten thousand people with credits, and as many plain rows.
async fn seed(url: &str) -> Result<Vec<UserId>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    // As the platform, under the policies; the books agree with the wallets.
    client
        .batch_execute(&format!(
            "create table plain_accounts (id integer primary key, balance bigint not null);
             insert into plain_accounts select n, {CREDITS} from generate_series(1, {ACCOUNTS}) n;
             set role service_role;
             select set_config('request.jwt.claim.role', 'service_role', false);
             insert into auth.users (id, email)
             select id, id || '@example.com' from (select gen_random_uuid() as id from generate_series(1, {ACCOUNTS})) new;
             insert into credit_wallets (user_id, posted) select id, {CREDITS} from auth.users;
             insert into credit_lots (user_id, kind, granted, remaining, expires_at, source_type, source_id)
             select id, kind, {CREDITS} / 2, {CREDITS} / 2, ends, kind, id::text from auth.users,
                 (values ('included', now() + interval '1 month'), ('purchased', null)) as lot (kind, ends);
             insert into credit_txns (user_id, kind, idem_key, request_hash, reason, actor)
             select id, 'grant', 'seed', sha256('seed'), 'seed', 'bench' from auth.users;
             insert into credit_entries (txn_id, seq, user_id, account, amount)
             select t.id, seq, user_id, case seq when 1 then 'user:' || user_id || ':available' else 'system:issued' end,
                 case seq when 1 then {CREDITS} else -{CREDITS} end from credit_txns t, generate_series(1, 2) seq;
             insert into credit_lot_moves (txn_id, lot_id, user_id, amount)
             select t.id, l.id, t.user_id, l.remaining from credit_txns t join credit_lots l using (user_id)"
        ))
        .await?;
    for table in ["plain_accounts", "credit_wallets", "credit_lots"] {
        let sql = format!("reset role; vacuum analyze {table}");
        for statement in sql.split("; ") {
            client.batch_execute(statement).await?;
        }
    }
    client.batch_execute("set role service_role").await?;
    let people = client.query("select id from auth.users", &[]).await?;
    let people = people.iter().map(|row| UserId(row.get::<_, Uuid>(0)));
    let people = people.collect();
    drop(client);
    connection.await??;
    Ok(people)
}

/// As many spends as sixteen clients get through.
async fn spend(db: &Db, people: &Arc<[UserId]>, time: Duration) -> Result<Load> {
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (db, people) = (db.clone(), Arc::clone(people));
        clients.spawn(async move {
            let ledger = Ledger::new(Arc::new(SystemClock));
            let mut latency = Histogram::<u64>::new(3)?;
            // Every client goes its own way through the accounts.
            let mut at = client * 7919;
            while started.elapsed() < time {
                at += 613;
                let Some(user) = people.get(at % people.len()) else {
                    break;
                };
                let asked = Instant::now();
                once(&db, &ledger, *user).await?;
                latency.record(u64::try_from(asked.elapsed().as_micros())?)?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(latency)
        });
    }
    let mut latency = Histogram::<u64>::new(3)?;
    while let Some(client) = clients.join_next().await {
        latency.add(client??)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of spends fits a f64")]
    let per_second = latency.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Load {
        per_second,
        latency,
    })
}

async fn once(db: &Db, ledger: &Ledger, user: UserId) -> Result<()> {
    let actor = Actor::User {
        id: user,
        session: SessionId(Uuid::nil()),
        role: UserRole::User,
    };
    let ctx = Ctx::system("bench").with_actor(actor);
    let charge = Charge {
        user,
        credits: Credits(1),
        action: "bench",
        resource_type: "file",
        resource_id: "a".to_owned(),
        price: None,
        idempotency_key: Uuid::new_v4().to_string(),
    };
    let mut tx = db.begin_for(&ctx).await?;
    ledger.spend(&mut tx, &ctx, charge).await?;
    tx.commit().await?;
    Ok(())
}

/// pgbench's UPDATE of one row by its key.
struct Floor {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Floor {
    fn new(postgres: &LocalPostgres, directory: &Path, accounts: usize) -> Result<Self> {
        let script = directory.join("plain.sql");
        let update = format!(
            "\\set id random(1, {accounts})\n\
             update plain_accounts set balance = balance - 1 where id = :id;\n"
        );
        std::fs::write(&script, update)?;
        Ok(Self {
            program: postgres.bin_dir().join("pgbench"),
            arguments: vec![
                "--no-vacuum".to_owned(),
                "--protocol=prepared".to_owned(),
                format!("--client={CLIENTS}"),
                "--jobs=2".to_owned(),
                format!("--host={}", postgres.socket_dir().display()),
                "--username=eyemotion".to_owned(),
                format!("--file={}", script.display()),
                "eyemotion".to_owned(),
            ],
        })
    }

    fn measure(&self, time: Duration) -> Result<f64> {
        let output = Command::new(&self.program)
            .arg(format!("--time={}", time.as_secs().max(1)))
            .args(&self.arguments)
            .output()?;
        crate::floor::per_second(&output)
    }
}
