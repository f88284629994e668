//! A plain SQL session in a given caller's context: what somebody could do who had the database
//! connection and none of our code.

use futures_util::StreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row, SimpleQueryMessage};

pub(crate) const ALICE: &str = "01970000-0000-7000-8000-00000000000a";
pub(crate) const BOB: &str = "01970000-0000-7000-8000-00000000000b";

/// In whose name statements run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// The login that owns the tables, without a context.
    Owner,
    /// A database role without a context.
    Bare(&'static str),
    Anonymous,
    Person(&'static str),
    Admin(&'static str),
    System,
    /// The platform on behalf of a person.
    For(&'static str),
}

pub(crate) struct Session {
    client: Client,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Every statement after this one runs as `caller`.
    pub(crate) async fn act(&self, caller: Caller) -> &Self {
        let (role, subject, claimed, user_role) = match caller {
            Caller::Owner => ("none", "", "", ""),
            Caller::Bare(role) => (role, "", "", ""),
            Caller::Anonymous => ("anon", "", "anon", ""),
            Caller::Person(id) => ("authenticated", id, "authenticated", "user"),
            Caller::Admin(id) => ("authenticated", id, "authenticated", "admin"),
            Caller::System => ("service_role", "", "service_role", ""),
            Caller::For(id) => ("service_role", id, "service_role", "user"),
        };
        let claims = if claimed.is_empty() {
            String::new()
        } else {
            format!(r#"{{"role": "{claimed}", "user_role": "{user_role}"}}"#)
        };
        self.run(&format!(
            "SET ROLE {role};
             SELECT set_config('request.jwt.claim.sub', '{subject}', false),
                    set_config('request.jwt.claim.role', '{claimed}', false),
                    set_config('request.jwt.claims', '{claims}', false)"
        ))
        .await;
        self
    }

    /// Runs statements that must succeed.
    pub(crate) async fn run(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }

    /// Runs statements that must fail, and says how.
    pub(crate) async fn refused(&self, sql: &str) -> SqlState {
        match self.client.batch_execute(sql).await {
            Ok(()) => panic!("not refused: {sql}"),
            Err(error) => {
                // A refused COMMIT has ended its transaction, a refused statement has not.
                self.run("ROLLBACK").await;
                error.code().unwrap().clone()
            }
        }
    }

    /// How many rows a statement read or wrote; none if it was forbidden.
    pub(crate) async fn reached(&self, sql: &str) -> u64 {
        match self.client.simple_query(sql).await {
            Ok(messages) => messages
                .iter()
                .find_map(|message| match message {
                    SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
                    _ => None,
                })
                .unwrap(),
            Err(error) => {
                assert_eq!(
                    error.code(),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                    "{sql}: {error:?}"
                );
                0
            }
        }
    }

    /// How many rows a statement read or wrote, or why it was refused.
    pub(crate) async fn attempt(&self, sql: &str) -> Result<u64, SqlState> {
        match self.client.simple_query(sql).await {
            Ok(messages) => Ok(messages
                .iter()
                .map(|message| match message {
                    SimpleQueryMessage::CommandComplete(rows) => *rows,
                    _ => 0,
                })
                .max()
                .unwrap_or_default()),
            Err(error) => {
                self.run("ROLLBACK").await;
                Err(error
                    .code()
                    .unwrap_or_else(|| panic!("{sql}: {error:?}"))
                    .clone())
            }
        }
    }

    /// What `copy ... to stdout` shows; nothing if it was forbidden.
    pub(crate) async fn copied(&self, sql: &str) -> String {
        let stream = match self.client.copy_out(sql).await {
            Ok(stream) => stream,
            Err(error) => {
                assert_eq!(
                    error.code(),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                    "{sql}: {error:?}"
                );
                return String::new();
            }
        };
        let parts: Vec<_> = stream.map(|part| part.unwrap()).collect().await;
        String::from_utf8(parts.concat()).unwrap()
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Row> {
        self.client
            .query(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()))
    }

    /// The first column of every row, which must be text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.iter().map(|row| row.get(0)).collect()
    }
}
