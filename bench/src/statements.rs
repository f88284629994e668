//! The SQL of a request, as the server really sends it: read from PostgreSQL's own log.

use crate::Result;
use crate::http::Request;
use crate::server::Server;
use std::time::Duration;
use uuid::Uuid;

/// A statement with its parameters as text.
#[derive(Clone, Debug)]
struct Logged {
    sql: String,
    parameters: Vec<String>,
    role: String,
}

/// The statements of one request, with literals in place of parameters, and the database role
/// they run as.
pub struct Statements {
    /// In order.
    pub sql: Vec<String>,
    /// `authenticated` ...
    pub role: String,
}

/// Sends `request` twice with statement logging on. An id that differs between the two was made
/// for the request, so the floor has to make one too.
pub async fn of(server: &Server, request: &Request) -> Result<Statements> {
    let first = capture(server, request).await?;
    let second = capture(server, request).await?;
    if first.is_empty() || first.len() != second.len() {
        return Err(format!(
            "{} and {} statements for one request",
            first.len(),
            second.len()
        )
        .into());
    }
    let role = first
        .first()
        .map(|logged| logged.role.clone())
        .unwrap_or_default();
    let sql = first
        .iter()
        .zip(&second)
        .map(|(a, b)| inline(a, b))
        .collect();
    Ok(Statements { sql, role })
}

async fn capture(server: &Server, request: &Request) -> Result<Vec<Logged>> {
    // Warm connections first, so that nothing is prepared or set up in between.
    for _ in 0..3 {
        server.call(request).await?;
    }
    // One at a time: they cannot share a transaction.
    for sql in [
        "alter system set log_statement = 'all'",
        "select pg_reload_conf()",
    ] {
        server.sql(sql).await?;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let marker = Uuid::new_v4();
    server.sql(&format!("select 'begin {marker}'")).await?;
    server.call(request).await?;
    server.sql(&format!("select 'end {marker}'")).await?;
    for sql in [
        "alter system reset log_statement",
        "select pg_reload_conf()",
    ] {
        server.sql(sql).await?;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let log = std::fs::read_to_string(server.log()?)?;
    let part = log
        .split(&format!("begin {marker}"))
        .nth(1)
        .and_then(|rest| rest.split(&format!("end {marker}")).next())
        .ok_or("the marker is not in PostgreSQL's log")?;
    Ok(parse(part))
}

fn parse(log: &str) -> Vec<Logged> {
    let mut statements: Vec<Logged> = Vec::new();
    // A line break within an entry is followed by a tab.
    for entry in log.replace("\n\t", " ").lines() {
        let Some((_, text)) = entry.split_once("] ") else {
            continue;
        };
        if let Some(rest) = text.strip_prefix("LOG:  execute ") {
            let sql = rest.split_once(": ").map_or(rest, |(_, sql)| sql).trim();
            statements.push(Logged {
                sql: sql.to_owned(),
                parameters: Vec::new(),
                role: String::new(),
            });
        } else if let Some(rest) = text.strip_prefix("DETAIL:  parameters: ")
            && let Some(last) = statements.last_mut()
        {
            last.parameters = parameters(rest.trim());
        }
    }
    let role = statements
        .iter()
        .flat_map(|statement| &statement.parameters)
        .find(|parameter| {
            ["'anon'", "'authenticated'", "'service_role'"].contains(&parameter.as_str())
        })
        .map(|quoted| quoted.trim_matches('\'').to_owned());
    for statement in &mut statements {
        statement.role = role.clone().unwrap_or_default();
    }
    statements
}

/// `$1 = 'a', $2 = NULL` as literals, in order.
fn parameters(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    for number in 1.. {
        let start = format!("${number} = ");
        let Some(value) = rest.strip_prefix(&start) else {
            break;
        };
        let next = format!(", ${} = ", number + 1);
        let (literal, more) = match value.split_once(&next) {
            Some((literal, _)) => (literal, value.get(literal.len() + 2..).unwrap_or_default()),
            None => (value, ""),
        };
        found.push(literal.to_owned());
        rest = more;
    }
    found
}

fn inline(first: &Logged, second: &Logged) -> String {
    let mut sql = first.sql.clone();
    for (index, value) in first.parameters.iter().enumerate().rev() {
        let other = second.parameters.get(index);
        // The request's own id only travels along.
        let fresh = other != Some(value)
            && value.trim_matches('\'').parse::<Uuid>().is_ok()
            && !first.sql.contains("set_config");
        let literal = if fresh {
            // A text column takes an id as text, a uuid column as uuid; an unknown literal is both.
            "gen_random_uuid()".to_owned()
        } else if value.starts_with('\'') && value.contains(':') {
            // pgbench takes what follows a colon for a variable, in a text too.
            let text = value.replace('\\', r"\\").replace(':', r"\x3a");
            format!("E{text}")
        } else {
            value.clone()
        };
        sql = sql.replace(&format!("${}", index + 1), &literal);
    }
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
