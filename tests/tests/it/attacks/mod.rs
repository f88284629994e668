//! What an attacker would try, each attempt a test. The operations that are tried come from the
//! published document and the tables from the catalogue, so that a new one is attacked by itself.

mod access_tokens;
mod cast;
mod functions;
mod last_super_admin;
mod mass_assignment;
mod plain_sql;
mod pyjwt;
mod tokens;

pub(crate) use cast::raise;
