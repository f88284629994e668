//! Somebody who holds a database connection with their own claims, and none of our code, goes
//! through every table that the catalogue knows, partitions included, with every statement.

use crate::rls::alice_and_bob;
use crate::session::{ALICE, BOB, Caller, Session};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::error::SqlState;

/// What everybody may read, and nobody write.
const CATALOGUES: &[&str] = &["public.action_prices", "public.subscription_plans"];

/// A table with what a person's own role may do to it.
struct Table {
    name: String,
    /// The column that says whose a row is.
    owner: Option<String>,
    columns: Vec<String>,
    readable: Vec<String>,
    insertable: Vec<String>,
}

async fn tables(session: &Session) -> Vec<Table> {
    let all = "
        select format('%I.%I', n.nspname, c.relname), array_agg(a.attname::text order by a.attnum),
            array_agg(a.attname::text order by a.attnum)
                filter (where has_column_privilege('authenticated', c.oid, a.attnum, 'select')),
            array_agg(a.attname::text order by a.attnum)
                filter (where has_column_privilege('authenticated', c.oid, a.attnum, 'insert'))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname in ('auth', 'jobs', 'public') and c.relkind in ('r', 'p')
        group by c.oid, n.nspname, c.relname order by 1";
    let rows = session.rows(all).await;
    let table = |row: &tokio_postgres::Row| {
        let (name, columns): (String, Vec<String>) = (row.get(0), row.get(1));
        let owner = match name.as_str() {
            "auth.users" | "public.user_profiles" => Some("id".to_owned()),
            _ => columns
                .iter()
                .find(|column| ["user_id", "owner_id"].contains(&column.as_str()))
                .cloned(),
        };
        Table {
            name,
            owner,
            columns,
            readable: row.get::<_, Option<_>>(2).unwrap_or_default(),
            insertable: row.get::<_, Option<_>>(3).unwrap_or_default(),
        }
    };
    rows.iter().map(table).collect()
}

impl Table {
    fn of_others(&self) -> String {
        match &self.owner {
            Some(owner) => format!("where {owner} is distinct from '{ALICE}'"),
            None => String::new(),
        }
    }

    /// Statements of which none may change, or show, a row.
    fn attempts(&self) -> Vec<String> {
        let (name, others) = (&self.name, self.of_others());
        let mut all = vec![
            format!("insert into {name} default values"),
            format!("insert into {name} default values on conflict do nothing"),
            format!("delete from {name} {others} returning 1"),
            format!("truncate {name}"),
            format!("truncate {name} cascade"),
            format!("begin; lock table {name} in access exclusive mode; commit"),
            format!("copy {name} from stdin"),
            format!("alter table {name} disable row level security"),
            format!("alter table {name} owner to authenticated"),
            format!("create policy open on {name} for all using (true)"),
            format!("grant all on {name} to authenticated"),
            format!("create trigger spy after insert on {name} execute function public.touch()"),
            format!("create index on {name} ((1))"),
            format!("drop table {name} cascade"),
        ];
        for column in &self.columns {
            let set = format!("update {name} set {column} = {column}");
            all.push(format!("{set} {others} returning 1"));
        }
        if let Some(owner) = &self.owner {
            all.push(format!("update {name} set {owner} = '{ALICE}' {others}"));
            all.push(format!(
                "update {name} set {owner} = '{BOB}' where {owner} = '{ALICE}'"
            ));
            all.extend(self.insertions(owner));
        }
        all
    }

    /// One's own row once more, in somebody else's name.
    fn insertions(&self, owner: &str) -> Vec<String> {
        if self.insertable.is_empty() {
            return Vec::new();
        }
        let (name, columns) = (&self.name, self.insertable.join(", "));
        let values: Vec<String> = self
            .insertable
            .iter()
            .map(|column| {
                if column == owner {
                    format!("'{BOB}'::uuid")
                } else {
                    column.clone()
                }
            })
            .collect();
        let values = values.join(", ");
        let insert = format!(
            "insert into {name} ({columns}) select {values} from {name} where {owner} = '{ALICE}'"
        );
        vec![
            insert.clone(),
            format!("{insert} returning 1"),
            format!("{insert} on conflict do nothing"),
            format!("copy {name} ({columns}) from stdin"),
        ]
    }
}

/// Refused for want of a right, or because the row would not even be one.
fn is_refusal(code: &SqlState) -> bool {
    [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::NOT_NULL_VIOLATION,
        // COPY into a table with policies.
        SqlState::FEATURE_NOT_SUPPORTED,
    ]
    .contains(code)
}

/// A digest of every table, past all policies.
async fn state(session: &Session) -> Vec<(String, String)> {
    session.act(Caller::Owner).await;
    let mut digests = Vec::new();
    for table in tables(session).await {
        let digest = format!(
            "select md5(coalesce(string_agg(t::text, '' order by t::text), '')) from {} t",
            table.name
        );
        digests.push((table.name, session.texts(&digest).await.remove(0)));
    }
    digests
}

#[tokio::test]
async fn no_statement_changes_or_takes_anything_in_any_table() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    let before = state(&session).await;
    let tables = tables(&session).await;
    assert!(tables.len() > 28, "{}", tables.len());
    let mut tried = 0;
    let mut wrong = Vec::new();
    for caller in [
        Caller::Anonymous,
        Caller::Bare("authenticated"),
        Caller::Person(ALICE),
        Caller::Admin(ALICE),
    ] {
        session.act(caller).await;
        for table in &tables {
            for attempt in table.attempts() {
                tried += 1;
                match session.attempt(&attempt).await {
                    Ok(0) => {}
                    Err(code) if is_refusal(&code) => {}
                    done => wrong.push(format!("{caller:?}: {attempt}: {done:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 2000, "{tried}");
    let after = state(&session).await;
    let changed: Vec<_> = before
        .iter()
        .zip(&after)
        .filter(|(old, new)| old != new)
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test]
async fn no_table_shows_a_row_of_somebody_else() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    let tables = tables(&session).await;
    let mut copied = 0;
    for caller in [
        Caller::Anonymous,
        Caller::Bare("authenticated"),
        Caller::Person(ALICE),
    ] {
        session.act(caller).await;
        for table in &tables {
            let name = &table.name;
            if CATALOGUES.contains(&name.as_str()) {
                continue;
            }
            // Not `select *`: a column without a grant would hide what the policy lets through.
            let select = format!("select 1 from {name} {}", table.of_others());
            assert_eq!(session.reached(&select).await, 0, "{caller:?} {name}");
            if table.readable.is_empty() {
                continue;
            }
            let copy = format!("copy {name} ({}) to stdout", table.readable.join(", "));
            let text = session.copied(&copy).await;
            assert!(!text.contains(BOB), "{caller:?} {name}: {text}");
            copied += usize::from(text.contains(ALICE));
        }
    }
    assert!(copied > 12, "{copied} tables showed a row of one's own");
}

/// Rows that stand in the way, and what `on conflict` makes of them.
#[tokio::test]
async fn a_conflict_gives_no_hold_on_somebody_elses_row() {
    let database = TestDatabase::new().await;
    let session = alice_and_bob(&database).await;
    let before = state(&session).await;
    session.act(Caller::Person(ALICE)).await;
    let insert = format!(
        "insert into public.projects (id, user_id, name) values ('{BOB}', '{ALICE}', 'mine')"
    );
    for (ending, code) in [
        (
            "on conflict (id) do update set name = 'mine'",
            SqlState::INSUFFICIENT_PRIVILEGE,
        ),
        (
            "on conflict (id) do update set name = 'mine' returning *",
            SqlState::INSUFFICIENT_PRIVILEGE,
        ),
        (
            "on conflict (id) do update set user_id = excluded.user_id",
            SqlState::INSUFFICIENT_PRIVILEGE,
        ),
        ("", SqlState::UNIQUE_VIOLATION),
    ] {
        assert_eq!(
            session.refused(&format!("{insert} {ending}")).await,
            code,
            "{ending}"
        );
    }
    assert_eq!(
        session
            .reached(&format!("{insert} on conflict do nothing returning 1"))
            .await,
        0
    );
    let merge = format!(
        "merge into public.projects p using (select '{BOB}'::uuid as id) s on p.id = s.id
         when matched then update set name = 'mine'"
    );
    assert_eq!(session.reached(&merge).await, 0);
    assert_eq!(state(&session).await, before);
}

/// What a person's own role may call. Whoever adds one answers for it here.
const CALLABLE: &[&str] = &[
    // Called by triggers, in the writer's name: caches forget a line that they read again.
    "announce_change(text,text)",
    "auth.is_admin()",
    "auth.is_system()",
    "auth.jwt()",
    "auth.role()",
    "auth.served_user()",
    "auth.uid()",
    "auth.user_role()",
    "file_status_successors(text)",
    "list_change(text)",
];

#[tokio::test]
async fn people_may_call_exactly_these_functions() {
    let database = TestDatabase::new().await;
    let session = Session::new(database.admin().await);
    let callable = "
        select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'jobs', 'public')
            and (has_function_privilege('authenticated', p.oid, 'execute')
                or has_function_privilege('anon', p.oid, 'execute'))
        order by 1";
    assert_eq!(session.texts(callable).await, CALLABLE);
}
