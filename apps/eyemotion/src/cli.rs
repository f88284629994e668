use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};
use std::net::IpAddr;
use std::path::PathBuf;

/// The backend of EyeMotion, a film-making platform.
///
/// Without any configuration, `eyemotion serve` starts a PostgreSQL of its own and keeps everything
/// in one folder.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// Read this file instead of ./eyemotion.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Folder of everything the server keeps itself.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Folder of PostgreSQL's programs, for the local database.
    #[arg(long, global = true, value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Bring the database's schema up to date, look at it, or take it back.
    Migrate {
        /// What to do with it.
        #[command(subcommand)]
        action: MigrateAction,
    },
    /// Make accounts and give roles.
    Admin {
        /// What to do.
        #[command(subcommand)]
        action: AdminAction,
    },
    /// Read and write the key-value store.
    Kv(KvArgs),
    /// Look after what Stripe tells.
    Billing {
        /// What to do.
        #[command(subcommand)]
        action: BillingAction,
    },
    /// Look after the plans on sale.
    Plans {
        /// What to do.
        #[command(subcommand)]
        action: PlansAction,
    },
    /// Bring people over from another platform.
    Import {
        /// Which one.
        #[command(subcommand)]
        source: ImportSource,
    },
    /// Check or show the configuration.
    Config {
        /// What to do with it.
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long)]
    pub host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short)]
    pub port: Option<u16>,
}

/// Actions on the schema.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum MigrateAction {
    /// Apply what is pending.
    Up,
    /// List every migration.
    Status,
    /// Take the newest migrations back. Their data is lost.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: usize,
        /// Do it: without this nothing happens.
        #[arg(long)]
        yes: bool,
    },
}

/// Actions on accounts. They work on the running server's database, so they need its settings;
/// the local database must be running, or is started for the moment.
#[derive(Debug, Subcommand)]
pub enum AdminAction {
    /// Make an account; the password is read from standard input.
    CreateUser {
        /// The address to sign in with.
        email: String,
        /// The person's name.
        #[arg(long, default_value = "Administrator")]
        full_name: String,
        /// user, admin or super_admin.
        #[arg(long, default_value = "user")]
        role: String,
    },
    /// Give an account a role.
    Promote {
        /// The account's address.
        email: String,
        /// user, admin or super_admin.
        #[arg(long, default_value = "super_admin")]
        role: String,
    },
}

/// Actions on plans.
#[derive(Debug, Subcommand)]
pub enum PlansAction {
    /// Make Stripe's catalogue agree with the plans in the database, and tell what it lacked.
    Sync {
        /// Only tell; write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Actions on payments. They work on the running server's database, so they need its settings.
#[derive(Debug, Subcommand)]
pub enum BillingAction {
    /// Look at Stripe's events, or have them worked on again.
    Events {
        /// What to do.
        #[command(subcommand)]
        action: EventsAction,
    },
    /// Fetch the events that did not come, make every row equal to what Stripe has, and list what
    /// was not. Ends with 1 if something differed.
    Reconcile {
        /// Everything of every customer, not only what changed within a day or is not settled.
        #[arg(long)]
        full: bool,
    },
    /// Look after the figures of the business.
    Analytics {
        /// What to do.
        #[command(subcommand)]
        action: AnalyticsAction,
    },
}

/// Actions on the figures of the business.
#[derive(Debug, Subcommand)]
pub enum AnalyticsAction {
    /// Make days anew of history, payments and ledger, and check that they add up.
    Rebuild {
        /// The first day, 2026-01-31 say.
        #[arg(long)]
        from: NaiveDate,
        /// The last day; today if it is not given.
        #[arg(long)]
        to: Option<NaiveDate>,
    },
}

/// Actions on Stripe's events.
#[derive(Debug, Subcommand)]
pub enum EventsAction {
    /// List them, latest first, a JSON object on each line.
    List {
        /// Which.
        #[command(flatten)]
        filter: EventsFilter,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Have the running server work on them once more; without a filter nothing happens.
    Replay {
        /// Which.
        #[command(flatten)]
        filter: EventsFilter,
    },
}

/// Which of Stripe's events.
#[derive(Debug, Args)]
pub struct EventsFilter {
    /// The one with this id, evt_...
    #[arg(long)]
    pub id: Option<String>,
    /// Those of this type, invoice.paid say.
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Those that came since this moment, 2026-11-23T00:00:00Z say.
    #[arg(long, value_name = "TIME")]
    pub since: Option<DateTime<Utc>>,
    /// Those that were given up.
    #[arg(long)]
    pub dead: bool,
}

/// Where in the store, and what to do.
#[derive(Debug, Args)]
pub struct KvArgs {
    /// Which part of the store.
    #[arg(long, global = true, default_value = "default")]
    pub namespace: String,
    /// What to do.
    #[command(subcommand)]
    pub action: KvAction,
}

/// Actions on the key-value store, on the running server's database. The feature flags are the
/// entry `features:flags`.
#[derive(Debug, Subcommand)]
pub enum KvAction {
    /// Print a value.
    Get {
        /// Its key.
        key: String,
    },
    /// Store a value.
    Set {
        /// Its key.
        key: String,
        /// JSON, or - to read it from standard input.
        value: String,
        /// Seconds until it is forgotten; without, it stays.
        #[arg(long)]
        ttl: Option<i64>,
        /// Only if this version is stored.
        #[arg(long, conflicts_with = "if_absent")]
        if_version: Option<i64>,
        /// Only if there is nothing.
        #[arg(long)]
        if_absent: bool,
    },
    /// Delete a value.
    Del {
        /// Its key.
        key: String,
    },
    /// Print entries, one JSON object a line.
    List {
        /// What their keys begin with.
        #[arg(default_value = "")]
        prefix: String,
    },
}

/// Where people are brought over from.
#[derive(Debug, Subcommand)]
pub enum ImportSource {
    /// From a Supabase project: people with their ids, passwords, profiles, and Google and GitHub
    /// identities.
    ///
    /// Reads auth.users, auth.identities and public.user_profiles (or public.profiles) in one
    /// read-only snapshot and writes to the configured database. Who is here already, by id, is
    /// left alone, and each person is one transaction: it may be interrupted and run again. Nobody
    /// is merged: an address that another account here has is refused. Exits with 65 if anybody
    /// was refused.
    Supabase(SupabaseArgs),
}

/// Flags of `import supabase`.
#[derive(Debug, Args)]
pub struct SupabaseArgs {
    /// The project's database, postgres://postgres:...@host:5432/postgres?sslmode=require, or - to
    /// read it from standard input. The login must be allowed to read every row of auth.users.
    #[arg(long, value_name = "URL")]
    pub database_url: String,
    /// Write nothing; say what would happen.
    #[arg(long)]
    pub dry_run: bool,
    /// Admins and super_admins stay what they are; else everybody comes as a user.
    #[arg(long)]
    pub keep_roles: bool,
}

/// Actions on the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigAction {
    /// Say whether it is valid.
    Check,
    /// Print every value and where it comes from; secrets are left out.
    Dump,
}
