//! No column about people is forgotten: the catalogue says what there is, the domains say what they
//! see to, and a person with a row everywhere shows that they do.

use super::stage::{Stage, leave};
use crate::api::mailbox::settled;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a person in every table that a test's own deeds do not fill. `n` keeps unique things
/// apart.
pub(super) fn rows_everywhere(person: &str, n: u32) -> String {
    format!(
        "insert into auth.identities (user_id, provider, issuer, subject, email)
            values ('{person}', 'google', 'https://accounts.google.com', 'subject {n}', 'other{n}@example.com');
         insert into auth.factors (user_id, kind, secret) values ('{person}', 'totp', sha256('factor {n}'));
         insert into auth.one_time_tokens (user_id, purpose, token_hash, code_hash, expires_at, code_expires_at)
            values ('{person}', 'password_reset', sha256('token {n}'), sha256('code {n}'), now(), now());
         insert into api_keys (user_id, name, prefix, token_hash, scopes)
            values ('{person}', 'render farm', 'eye_sk_{n}abc', sha256('key {n}'), '{{kv}}');
         insert into payment_transactions (user_id, amount, transaction_type, description, invoice_url)
            values ('{person}', 29900, 'subscription', 'for person {person}', 'https://invoice.example/{person}');
         insert into stripe_customers (user_id, stripe_customer_id, card)
            values ('{person}', 'cus_{n}', '{{\"last4\": \"4242\"}}');
         insert into payment_orders (user_id, kind, credits, amount, success_url, cancel_url, checkout_url, expires_at)
            values ('{person}', 'credits', 100, 5000, 'https://app.example/{person}', 'https://app.example/{person}',
                    'https://pay.example/{person}', now());
         insert into subscription_changes (id, user_id, subscription_id, kind)
            select gen_random_uuid(), user_id, id, 'cancel' from subscriptions where user_id = '{person}' limit 1;
         insert into payment_disputes (stripe_dispute_id, user_id, payment_id, amount, currency, status)
            select 'dp_{n}', user_id, id, amount, 'THB', 'lost' from payment_transactions where user_id = '{person}';
         insert into subscription_mrr_daily (day, user_id, currency, subscription_id, plan_id, mrr_num, mrr_den,
                 previous_num, previous_den, movement, paying_since)
            select current_date, user_id, 'THB', id, plan_id, 12, 12, 0, 12, 'new', current_date
            from subscriptions where user_id = '{person}' limit 1;
         insert into fraud_warnings (stripe_id, user_id, kind, open)
            values ('issfr_{n}', '{person}', 'early_fraud_warning', false);
         insert into idempotency_keys (user_id, operation, key, request_hash, response)
            values ('{person}', 'test', 'test', sha256('test'), '{{\"user\": \"{person}\"}}');
         insert into jobs.jobs (kind, owner_id, payload, run_at)
            values ('test', '{person}', '{{\"user\": \"{person}\"}}', '2100-01-01');
         insert into project_files (project_id, user_id, filename, original_name, file_type, mime_type, file_size)
            select id, user_id, 'reserved.json', 'reserved.json', 'data', 'application/json', 5
            from projects where user_id = '{person}';
         insert into storage_reservations (file_id, user_id, bytes)
            select id, user_id, 5 from project_files where user_id = '{person}' and filename = 'reserved.json';
         update storage_quotas set reserved_bytes = 5 where user_id = '{person}';
         insert into mail_outbox (user_id, recipient, template, locale, state, sent_at)
            values ('{person}', 'other{n}@example.com', 'password_changed', 'en', 'sent', now());
         insert into auth.account_deletions (user_id, id_hash, due_at)
            values ('{person}', sha256(uuid_send('{person}')), '2100-01-01')"
    )
}

/// Columns that lead to a person by a foreign key, over any number of tables, or by their name.
const ABOUT_PEOPLE: &str = "
    with recursive columns as (
        select c.oid as tab, format('%s.%s', n.nspname, c.relname) as name, a.attnum, a.attname::text as attname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname in ('auth', 'jobs', 'public') and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname !~ '^__diesel'
    ), referring (tab) as (
        select 'auth.users'::regclass::oid
        union select k.conrelid from pg_constraint k join referring r on k.confrelid = r.tab where k.contype = 'f'
    )
    select distinct name || ' ' || attname from columns
    where tab in (select tab from referring)
        or attname ~ '(^|_)(user|owner|person|actor|session)_id$'
        or attname ~ '(^|_)(email|ip|ip_address|user_agent|phone|full_name|recipient|avatar_url)$'
    order by 1";

/// Tables that the catalogue suspects and that hold nothing of anybody's. Whoever adds one answers
/// for it here.
const NOBODYS: &[&str] = &[
    // Goes with the session that it refers to; the rest is random.
    "auth.oauth_flows",
];

#[tokio::test]
async fn every_column_about_people_is_exported_or_withheld() {
    let stage = Stage::new().await;
    let services = stage.app.services();
    let declared = services.privacy.personal_tables();
    let mut seen_to: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for table in &declared {
        let shown = table.exported.iter().map(|column| {
            let (_, name) = column.rsplit_once(" as ").unwrap_or(("", column));
            name
        });
        let withheld = table.withheld.iter().map(|(column, why)| {
            assert!(!why.is_empty());
            *column
        });
        let columns: BTreeSet<&str> = shown.chain(withheld).collect();
        assert!(columns.contains(table.owner), "{}", table.table);
        let twice = seen_to.insert(table.table, columns);
        assert!(twice.is_none(), "{} is declared twice", table.table);
    }
    let suspected = stage.texts(ABOUT_PEOPLE).await;
    let mut forgotten = Vec::new();
    let mut tables = BTreeSet::new();
    for line in &suspected {
        let (table, column) = line.split_once(' ').unwrap();
        if NOBODYS.contains(&table) {
            continue;
        }
        tables.insert(table);
        if !seen_to
            .get(table)
            .is_some_and(|columns| columns.contains(column))
        {
            forgotten.push(line);
        }
    }
    assert!(
        forgotten.is_empty(),
        "neither exported nor withheld: declare them in the lifecycle.rs of their domain: {forgotten:#?}"
    );
    assert!(tables.len() > 18, "{tables:?}");
    // Also the columns that lead to nobody: an export without them would be half of one.
    let columns = "select format('%s.%s %s', table_schema, table_name, column_name)
        from information_schema.columns where table_schema in ('auth', 'jobs', 'public')";
    let columns = stage.texts(columns).await;
    let unknown: Vec<&String> = columns
        .iter()
        .filter(|line| {
            let (table, column) = line.split_once(' ').unwrap();
            seen_to
                .get(table)
                .is_some_and(|columns| !columns.contains(column))
        })
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    // The test would notice a new table.
    stage
        .execute("create table public.likes (id int, user_id uuid references auth.users (id))")
        .await;
    let suspected = stage.texts(ABOUT_PEOPLE).await;
    assert!(
        suspected.contains(&"public.likes user_id".to_owned()),
        "{suspected:?}"
    );
}

#[tokio::test]
async fn whoever_has_a_row_everywhere_leaves_none() {
    let stage = Stage::with_undo_days(0).await;
    let maker = stage.filmmaker().await;
    let person = maker.person.user().to_owned();
    let address = stage.address(&maker.person).await;
    // An admin, who has worked on others.
    let other = stage.filmmaker().await;
    let everywhere = rows_everywhere(&person, 1);
    // The deletion itself is asked for below.
    let (everywhere, _) = everywhere
        .split_once("insert into auth.account_deletions")
        .unwrap();
    stage.execute(everywhere).await;
    let deeds = format!(
        "insert into credit_txns (id, user_id, kind, idem_key, request_hash, reason, actor)
            select gen_random_uuid(), '{other}', 'adjust', 'deed', sha256('deed'), 'thanks', 'user:{person}';
         insert into activity_logs (user_id, action, resource_type, resource_id, details, ip_address)
            values ('{other}', 'account.banned', 'user', '{other}', '{{\"actor\": \"user:{person}\"}}', '192.0.2.1'),
                   ('{other}', 'user.seen', 'user', '{person}', '{{\"email\": \"{address}\"}}', '192.0.2.2');
         insert into jobs.jobs (kind, payload, run_at) values ('test', '{{\"to\": \"{address}\"}}', '2100-01-01')",
        other = other.person.user(),
    );
    stage.execute(&deeds).await;
    let tables: BTreeSet<&str> = stage
        .app
        .services()
        .privacy
        .personal_tables()
        .iter()
        .map(|table| table.table)
        .collect();
    leave(&maker.person).await;
    settled(&stage.app).await;
    for table in tables {
        let named = stage.tables_with(&person).await;
        assert!(
            named
                .iter()
                .any(|line| line.starts_with(&format!("{table}:"))),
            "{table} has no row of the person to forget"
        );
    }
    stage.erase_wholly().await;
    assert_eq!(stage.tables_with(&person).await, [""; 0]);
    assert_eq!(stage.tables_with(&address).await, [""; 0]);
    assert_eq!(stage.tables_with("other1@example.com").await, [""; 0]);
    assert_eq!(stage.tables_with("192.0.2.1").await, [""; 0]);
    // The other's own address in the other's own log is none of our business.
    assert_eq!(stage.tables_with("192.0.2.2").await.len(), 1);
    assert!(stage.objects_with(&person).is_empty());
    let deeds = "credit_txns t join auth.users u on t.actor = 'user:' || u.id
        where t.idem_key = 'deed' and u.email like '%@deleted.invalid'";
    assert_eq!(stage.count(deeds).await, 1);
}
