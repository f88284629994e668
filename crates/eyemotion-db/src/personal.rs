//! What is kept about people, table by table.
//!
//! Each domain declares its tables as [`PersonalTable`]s beside the code that erases them. The
//! declaration is what an export reads and what a test holds against the catalogue, so that no
//! column about a person is forgotten.

use crate::error::DbError;
use crate::tx::Tx;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;

/// What becomes of a person's rows when the account is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are deleted.
    Deleted,
    /// They stay, under a pseudonym and without what tells who it was. Says why.
    Pseudonymised(&'static str),
}

/// A table with rows about people. Every column of it is either exported or withheld.
#[derive(Clone, Copy, Debug)]
pub struct PersonalTable {
    /// Its name in an export: letters and underscores.
    pub section: &'static str,
    /// The table, with its schema.
    pub table: &'static str,
    /// The column that says whose a row is.
    pub owner: &'static str,
    /// A unique key to page by, with the columns' types.
    pub key: &'static [(&'static str, &'static str)],
    /// What an export holds: columns, or expressions named `as` the column that they show.
    pub exported: &'static [&'static str],
    /// What it does not hold, and why: secrets, most of the time.
    pub withheld: &'static [(&'static str, &'static str)],
    /// What becomes of the rows.
    pub fate: Fate,
}

/// A row for an export.
#[derive(Clone, Debug, QueryableByName)]
pub struct PersonalRow {
    /// A JSON object on one line.
    #[diesel(sql_type = Text)]
    pub line: String,
    /// Where the next page begins.
    #[diesel(sql_type = Array<Text>)]
    pub key: Vec<String>,
}

impl PersonalTable {
    fn page(&self, after: bool) -> String {
        let names = |format: &dyn Fn(&str) -> String| -> String {
            let names: Vec<String> = self.key.iter().map(|(name, _)| format(name)).collect();
            names.join(", ")
        };
        let beyond = if after {
            let values = self.key.iter().zip(3..);
            let values: Vec<String> = values
                .map(|((_, kind), place)| format!("${place}::{kind}"))
                .collect();
            let keys = names(&|name| format!("t.{name}"));
            format!(" and ({keys}) > ({})", values.join(", "))
        } else {
            String::new()
        };
        format!(
            "select (select row_to_json(line)::text from (select {columns}) as line) as line, \
             array[{texts}] as key from {table} as t where t.{owner} = $1{beyond} \
             order by {keys} limit $2",
            columns = self.exported.join(", "),
            texts = names(&|name| format!("t.{name}::text")),
            table = self.table,
            owner = self.owner,
            keys = names(&|name| format!("t.{name}")),
        )
    }

    /// At most `limit` of a person's rows, by key, after the row with the key `after`.
    pub async fn rows(
        &self,
        tx: &mut Tx,
        person: UserId,
        after: Option<&[String]>,
        limit: i64,
    ) -> Result<Vec<PersonalRow>, DbError> {
        let query = diesel::sql_query(self.page(after.is_some()))
            .into_boxed::<diesel::pg::Pg>()
            .bind::<SqlUuid, _>(person.0)
            .bind::<BigInt, _>(limit);
        let key = after.unwrap_or_default();
        let query = key
            .iter()
            .fold(query, |query, value| query.bind::<Text, _>(value.as_str()));
        Ok(query.load(tx).await?)
    }

    /// Deletes at most `limit` of a person's rows; how many.
    pub async fn delete(
        &self,
        tx: &mut Tx,
        person: UserId,
        limit: usize,
    ) -> Result<usize, DbError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "delete from {table} where ctid = any (array(\
             select ctid from {table} where {owner} = $1 limit $2))",
            table = self.table,
            owner = self.owner,
        );
        Ok(diesel::sql_query(sql)
            .bind::<SqlUuid, _>(person.0)
            .bind::<BigInt, _>(limit)
            .execute(tx)
            .await?)
    }
}
