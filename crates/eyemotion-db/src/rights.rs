//! What the login must be allowed before a migration begins, and the SQL that allows it.

use crate::connect::reason;
use crate::migrate::MigrateError;
use tokio_postgres::Client;

const OLDEST: i32 = 150_000;
const MEMBERSHIP_HAS_OPTIONS: i32 = 160_000;

/// The roles that the first migration makes, or finds made.
const ROLES: [&str; 4] = ["anon", "authenticated", "service_role", "eyemotion_backup"];

/// From 16 on, a member of a role may take it on (SET ROLE) only if the grant says so, and
/// CREATEROLE makes roles but hands out only those it has the ADMIN option on. Before, it did both
/// for every role.
const LOOK: &str = "
    WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
         server AS (SELECT current_setting('server_version_num')::int AS version)
    SELECT version, current_setting('server_version'), current_user::text,
        current_database()::text,
        me.rolsuper OR has_database_privilege(current_database(), 'create'),
        me.rolsuper OR coalesce(
            has_schema_privilege(to_regnamespace('public')::oid, 'create'), false),
        array(
            SELECT wanted FROM unnest($1::text[]) AS wanted
            LEFT JOIN pg_roles role ON role.rolname = wanted
            WHERE NOT me.rolsuper AND CASE
                WHEN role.oid IS NULL THEN NOT me.rolcreaterole
                WHEN pg_has_role(role.oid,
                    CASE WHEN version >= 160000 THEN 'set' ELSE 'member' END) THEN false
                WHEN version < 160000 AND me.rolcreaterole THEN false
                ELSE NOT pg_has_role(role.oid, 'member with admin option')
            END)
    FROM me, server";

/// Refuses a server that is too old, and a login that could not go through with it. `creating`:
/// tables are to be made.
pub(crate) async fn check(client: &Client, creating: bool) -> Result<(), MigrateError> {
    let row = client
        .query_one(LOOK, &[&ROLES.as_slice()])
        .await
        .map_err(|error| MigrateError::Failed {
            step: "checking the login".to_owned(),
            message: reason(&error),
        })?;
    let version: i32 = row.get(0);
    if version < OLDEST {
        return Err(MigrateError::TooOld(row.get(1)));
    }
    let (login, database): (String, String) = (row.get(2), row.get(3));
    let (in_database, in_public): (bool, bool) = (row.get(4), row.get(5));
    let roles: Vec<String> = row.get(6);

    let mut missing: Vec<String> = roles.iter().map(|role| format!("role {role}")).collect();
    let mut sql = Vec::new();
    let quoted = quote(&login);
    if !roles.is_empty() {
        sql.extend(roles.iter().map(|role| create(role)));
        let options = if version < MEMBERSHIP_HAS_OPTIONS {
            ""
        } else {
            " WITH SET TRUE, INHERIT FALSE"
        };
        sql.push(format!("GRANT {} TO {quoted}{options};", roles.join(", ")));
    }
    if creating && !in_database {
        missing.push(format!("CREATE in database {database}"));
        sql.push(format!(
            "GRANT CREATE ON DATABASE {} TO {quoted};",
            quote(&database)
        ));
    }
    if creating && !in_public {
        missing.push("CREATE in schema public".to_owned());
        sql.push(format!("GRANT CREATE ON SCHEMA public TO {quoted};"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(MigrateError::Roles {
        login,
        missing: missing.join(", "),
        sql: sql.join("\n"),
    })
}

/// Only the backup reads past the policies, and where that cannot be granted it reads by them.
fn create(role: &str) -> String {
    let create = format!(
        "DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOINHERIT; \
         EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    );
    if role != "eyemotion_backup" {
        return create;
    }
    format!(
        "{create}\nDO $$ BEGIN ALTER ROLE {role} BYPASSRLS; \
         EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    )
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
