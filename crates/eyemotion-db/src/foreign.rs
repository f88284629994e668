//! Another platform's database: read, and never written.

mod row;

pub use row::ForeignRow;

use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector, reason};
use std::collections::BTreeMap;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

/// What a text may have, and a JSON value: a stranger's table must not fill our memory.
const MOST_CHARACTERS: usize = 4096;
const MOST_JSON_BYTES: usize = 64 * 1024;

/// One snapshot for the whole visit. All of it is local to the transaction: behind a pooler the
/// connection is somebody else's afterwards. Row-level security that would hide rows becomes an
/// error.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog; SET LOCAL TimeZone = 'UTC'";

const COLUMNS: &str = "
    SELECT a.attname::text, t.typname::text
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// Another database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// It cannot be reached, or does not let us in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The login may not see all rows.
    #[error("{0}; connect as a login that may read every row, as Supabase's postgres may")]
    Rights(String),
    /// The server refused a query, or the connection broke.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for ForeignError {
    fn from(error: Error) -> Self {
        if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            Self::Rights(reason(&error))
        } else {
            Self::Failed(reason(&error))
        }
    }
}

/// A table or view of another database, and which columns it has.
#[derive(Clone, Debug)]
pub struct ForeignTable {
    schema: String,
    name: String,
    /// Names of columns, and of their types.
    columns: BTreeMap<String, String>,
}

impl ForeignTable {
    /// Whether it has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// Whether it has a column of this name whose values are UUIDs.
    pub fn has_uuid(&self, column: &str) -> bool {
        self.type_of(column) == Some("uuid")
    }

    fn type_of(&self, column: &str) -> Option<&str> {
        self.columns.get(column).map(String::as_str)
    }

    /// The value's expression; none if the table has no such column.
    fn expression(&self, wanted: &Wanted) -> Option<String> {
        let sort = self.type_of(wanted.column)?;
        let column = quote(wanted.column);
        Some(match (sort, wanted.member) {
            ("json" | "jsonb", Some(member)) => {
                let member = member.replace('\'', "''");
                format!("left({column}->>'{member}', {MOST_CHARACTERS})")
            }
            (_, Some(_)) => return None,
            ("json" | "jsonb", None) => format!(
                "CASE WHEN octet_length({column}::text) <= {MOST_JSON_BYTES} THEN {column} END"
            ),
            ("bool" | "uuid" | "timestamp" | "timestamptz", None) => column,
            _ => format!("left({column}::text, {MOST_CHARACTERS})"),
        })
    }
}

/// A value that is wanted of each row, if the table has it. Texts are cut at 4096 characters, JSON
/// above 64 KiB is left out.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    name: &'static str,
    column: &'static str,
    member: Option<&'static str>,
}

impl Wanted {
    /// A column, under its own name.
    pub const fn column(column: &'static str) -> Self {
        Self {
            name: column,
            column,
            member: None,
        }
    }

    /// A member of a JSON column, as text, under another name.
    pub const fn member(name: &'static str, column: &'static str, member: &'static str) -> Self {
        Self {
            name,
            column,
            member: Some(member),
        }
    }
}

/// A connection that reads another database in one snapshot, the one of when it was opened.
pub struct ForeignDatabase {
    client: Client,
    connection: JoinHandle<()>,
}

impl Drop for ForeignDatabase {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl ForeignDatabase {
    /// Connects by the rules for our own database: see [`DatabaseConfig::url`].
    pub async fn open(config: &DatabaseConfig) -> Result<Self, ForeignError> {
        let (client, connection) = Connector::new(config)?.connect_raw().await?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = reason(&error), "a foreign connection broke");
            }
        });
        let database = Self { client, connection };
        database.client.batch_execute(BEGIN).await?;
        Ok(database)
    }

    /// Whether this is the database that `other` leads to, by whatever name: who holds an advisory
    /// lock in one is seen in the other.
    pub async fn is(&self, other: &DatabaseConfig) -> Result<bool, ForeignError> {
        let there = Self::open(other).await?;
        let (key, _) = Uuid::new_v4().as_u64_pair();
        let lock = "SELECT pg_try_advisory_xact_lock($1)";
        let parameter = (&key.cast_signed() as &(dyn ToSql + Sync), Type::INT8);
        let mut locked = [false; 2];
        for (database, locked) in [&there, self].into_iter().zip(&mut locked) {
            let row = database
                .client
                .query_typed_one(lock, std::slice::from_ref(&parameter));
            *locked = row.await?.get(0);
        }
        Ok(locked == [true, false])
    }

    /// The table of this name, if there is one.
    pub async fn table(
        &self,
        schema: &str,
        name: &str,
    ) -> Result<Option<ForeignTable>, ForeignError> {
        let rows = self
            .client
            .query_typed(COLUMNS, &[(&schema, Type::TEXT), (&name, Type::TEXT)])
            .await?;
        let columns: BTreeMap<_, _> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok((!columns.is_empty()).then(|| ForeignTable {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns,
        }))
    }

    /// How many rows there are.
    pub async fn count(&self, table: &ForeignTable) -> Result<u64, ForeignError> {
        let sql = format!("SELECT count(*) FROM {}", place(table));
        let row = self.client.query_typed_one(&sql, &[]).await?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }

    /// The next rows by a unique column of UUIDs, those after `after`.
    pub async fn page(
        &self,
        table: &ForeignTable,
        key: &'static str,
        wanted: &[Wanted],
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, ForeignError> {
        let condition = format!("$1::uuid IS NULL OR {} > $1", quote(key));
        let tail = format!("ORDER BY {} LIMIT {limit}", quote(key));
        let sql = select(table, wanted, &condition, &tail);
        self.rows(&sql, (&after, Type::UUID)).await
    }

    /// The rows in whose column, one of UUIDs, one of these stands.
    pub async fn of(
        &self,
        table: &ForeignTable,
        column: &'static str,
        wanted: &[Wanted],
        ids: &[Uuid],
    ) -> Result<Vec<ForeignRow>, ForeignError> {
        let sql = select(table, wanted, &format!("{} = ANY($1)", quote(column)), "");
        self.rows(&sql, (&ids, Type::UUID_ARRAY)).await
    }

    async fn rows(
        &self,
        sql: &str,
        parameter: (&(dyn ToSql + Sync), Type),
    ) -> Result<Vec<ForeignRow>, ForeignError> {
        let rows = self.client.query_typed(sql, &[parameter]).await?;
        rows.iter()
            .map(|row| ForeignRow::parse(row.get(0)))
            .collect()
    }
}

/// Each row as one JSON object: whatever types its columns have, the driver need not know them.
fn select(table: &ForeignTable, wanted: &[Wanted], condition: &str, tail: &str) -> String {
    let columns: Vec<String> = wanted
        .iter()
        .filter_map(|wanted| {
            let expression = table.expression(wanted)?;
            Some(format!("{expression} AS {}", quote(wanted.name)))
        })
        .collect();
    let (columns, place) = (columns.join(", "), place(table));
    format!(
        "SELECT row_to_json(r)::text FROM (SELECT {columns} FROM {place} WHERE {condition} {tail}) r"
    )
}

fn place(table: &ForeignTable) -> String {
    format!("{}.{}", quote(&table.schema), quote(&table.name))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
