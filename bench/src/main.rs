//! `just bench`: requests a second and p99 of the hot routes, each beside a floor measured in the
//! same run on the same PostgreSQL: pgbench with the same SQL (prepared, pipelined, as many
//! clients), and the bare Argon2 rate for sign-in.
//!
//! Rounds of server and floor alternate; the median round counts. Absolute figures are the
//! machine's, the ratio is the server's.

mod floor;
mod http;
mod idle;
mod kv;
mod pressure;
mod report;
mod server;
mod spend;
mod statements;
mod timing;
mod webhooks;

use clap::Parser;
use http::Request;
use report::Row;
use server::Server;
use std::path::PathBuf;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures a release build of the server.
#[derive(Parser)]
struct Args {
    /// The server's binary.
    #[arg(long, default_value = "target/release/eyemotion")]
    binary: PathBuf,
    /// Seconds a round.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Rounds of server and floor.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Only routes whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Instead: whether times tell which addresses have an account, from so many pairs.
    #[arg(long)]
    timing: Option<usize>,
    /// Instead: how soon so many changes of flags are seen on another replica, and how long a page
    /// of a prefix takes among a million keys. Needs no binary.
    #[arg(long)]
    kv: Option<usize>,
    /// Only the credit ledger: spends of sixteen clients. Needs no binary.
    #[arg(long)]
    ledger: bool,
    /// Instead: how soon webhooks are answered, two hundred a second for so many seconds.
    #[arg(long)]
    webhooks: Option<u64>,
    /// Instead: the memory of a server that nobody asks for anything.
    #[arg(long)]
    idle: bool,
    /// Instead: how long the account takes to read while so many people sign in.
    #[arg(long)]
    pressure: Option<usize>,
}

const PASSWORD: &str = "a long enough password";

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(run(&args))
}

async fn run(args: &Args) -> Result<()> {
    if args.ledger {
        return ledger(args).await;
    }
    if let Some(changes) = args.kv {
        return kv::run(changes).await;
    }
    if args.idle {
        return idle::run(&args.binary).await;
    }
    let server = Server::start(&args.binary).await?;
    if let Some(pairs) = args.timing {
        timing::run(&server, pairs).await?;
        return server.stop().await;
    }
    if let Some(seconds) = args.webhooks {
        webhooks::run(&server, seconds).await?;
        return server.stop().await;
    }
    if let Some(people) = args.pressure {
        pressure::run(&server, people, Duration::from_secs(args.seconds * 2)).await?;
        return server.stop().await;
    }
    let api = "/api/v1";
    let email = "bench@example.com";
    let account = serde_json::json!({ "email": email, "password": PASSWORD, "fullName": "Bench" });
    let registered = server
        .call(&Request::post(&format!("{api}/auth/register"), &account))
        .await?;
    let token = text(&registered, "/session/accessToken")?;
    let project = serde_json::json!({ "name": "A film" });
    let create = Request::post(&format!("{api}/projects"), &project).bearer(&token);
    let project = text(&server.call(&create).await?, "/project/id")?;
    server
        .seed_files(&text(&registered, "/user/id")?, &project, 20)
        .await?;

    let sign_ins = people_sign_in(&server, api, args.clients).await?;
    let me = Request::get(&format!("{api}/auth/me")).bearer(&token);
    let list = Request::get(&format!("{api}/projects/{project}/files")).bearer(&token);
    let routes = [
        ("health", vec![Request::get(&format!("{api}/health"))]),
        ("me", vec![me.clone().at(server.forgetful_port())]),
        ("me (cached)", vec![me.clone()]),
        (
            "file list (20)",
            vec![list.clone().at(server.forgetful_port())],
        ),
        ("file list (20), session cached", vec![list]),
        ("project create", vec![create]),
        ("sign-in", sign_ins),
    ];
    let round = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    for (name, requests) in routes.iter().filter(|(name, _)| name.contains(&args.only)) {
        let floor = match *name {
            "sign-in" => floor::Floor::Argon2,
            // Its answers are shared for a second: what is left is HTTP.
            "health" => floor::Floor::Request {
                name: "livez",
                request: Request::get("/livez"),
                port: server.port(),
                clients: args.clients,
            },
            "me (cached)" => floor::Floor::Request {
                name: "the same uncached",
                request: me.clone(),
                port: server.forgetful_port(),
                clients: args.clients,
            },
            _ => {
                let request = requests.first().ok_or("a route without a request")?;
                let statements = statements::of(&server, request).await?;
                floor::Floor::pgbench(&server, &statements, args.clients)?
            }
        };
        server
            .load(requests, args.clients, Duration::from_secs(1))
            .await?;
        let mut rounds = Vec::new();
        for _ in 0..args.rounds {
            let floor = floor.measure(round).await?;
            rounds.push((server.load(requests, args.clients, round).await?, floor));
        }
        rows.push(Row::median(name, floor.name(), rounds));
    }
    report::print(&rows, args)?;
    server.stop().await?;
    if args.only.is_empty() {
        ledger(args).await?;
    }
    Ok(())
}

/// Makes so many accounts; their sign-ins. One person alone would wait for the lock on their row.
async fn people_sign_in(server: &Server, api: &str, people: usize) -> Result<Vec<Request>> {
    let mut sign_ins = Vec::new();
    for person in 0..people {
        let email = format!("person-{person}@example.com");
        let account =
            serde_json::json!({ "email": email, "password": PASSWORD, "fullName": "Bench" });
        let register = Request::post(&format!("{api}/auth/register"), &account);
        server.call(&register).await?;
        let credentials = serde_json::json!({ "email": email, "password": PASSWORD });
        sign_ins.push(Request::post(&format!("{api}/auth/signin"), &credentials));
    }
    Ok(sign_ins)
}

async fn ledger(args: &Args) -> Result<()> {
    let rows = spend::rows(args.rounds, Duration::from_secs(args.seconds)).await?;
    report::print_table(&rows)
}

fn text(value: &serde_json::Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(serde_json::Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no {pointer} in {value}"))?
        .to_owned())
}
